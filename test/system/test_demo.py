"""The story that `./run demo` tells, told to its end with a small hospital: every refusal in it is one that must come, and it breaks if one does not."""

import os
import shutil
import subprocess
import sys

import pytest
from house import BUILD, TOP

pytestmark = pytest.mark.skipif(not (shutil.which("mosquitto") or os.path.exists("/usr/sbin/mosquitto")), reason="mosquitto is not installed")


def told(tmp_path, *words):
    environment = dict(os.environ, CLOISTER_BUILD=str(BUILD))
    return subprocess.run([sys.executable, TOP / "demo" / "demo.py", "--once", "--state", tmp_path / "state", *words], capture_output=True, text=True, timeout=400,
                          check=False, env=environment)


def test_the_story(tmp_path):
    done = told(tmp_path, "--patients", "60")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert "none found" in done.stdout or os.geteuid() != 0
    if os.geteuid() == 0:
        for chapter in ("5. A release", "7. A cell", "8. The airlock", "9. Who saw", "11. The canary hunt"):
            assert chapter in done.stdout, chapter
        assert "the disclosure to" in done.stdout


def test_files_instead_of_the_hospital(tmp_path):
    """what nobody can use is said, and the rest is taken"""
    files = tmp_path / "files"
    files.mkdir()
    pid = "PID|1||{n}^^^HOSP^MR||SYNTHETIC^PERSON{n}||19600102|F\r"
    for n in range(12):
        head = f"MSH|^~\\&|LAB|SYNTHETIC|||20260102030405||ADT^A01^ADT_A01|c{n}|P|2.5.1\rEVN|A01|20260102030405\r"
        (files / f"{n}.hl7").write_text(head + pid.format(n=10_000_000 + n) + "PV1|1|I\r")
    (files / "notes.docx").write_bytes(b"PK\x03\x04")
    done = told(tmp_path, "--input", str(files))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert "found: 12 HL7 v2 messages" in done.stdout and "skipped: 1 .docx" in done.stdout
    assert "12 patients" in done.stdout
