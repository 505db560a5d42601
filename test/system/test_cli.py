"""The command line: exit statuses, files it makes, what it says."""

import json
import os
import re
import subprocess

import pytest
from house import CLI, House, free_port, word


def run(*words, **options):
    return subprocess.run([str(CLI), *map(str, words)], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False, **options)


def names():
    return re.findall(r"^  ([a-z-]+(?: [a-z-]+)?)  ", run("--help").stdout + run("--help").stderr, re.MULTILINE)


def test_every_command_has_help():
    found = names()
    assert len(found) > 30
    for name in found:
        done = run(*name.split(), "--help")
        assert done.returncode == 0, name
        assert name in done.stdout, name


@pytest.mark.parametrize("words", [["nonsense"], ["user"], ["user", "nonsense"], ["init", "--nonsense"], ["audit", "prove"], ["user", "add"], ["init", "--listen"]])
def test_wrong_command_lines(words):
    done = run(*words)
    assert done.returncode == 2, done
    assert done.stderr
    assert not done.stdout


def test_init_makes_what_it_says(tmp_path):
    house = House(tmp_path).init()
    made = json.loads(house.credentials.read_text())
    assert {"endpoint", "ca", "name", "access_key", "secret_key", "password", "totp_secret"} <= set(made)
    assert house.credentials.stat().st_mode & 0o777 == 0o600
    assert made["secret_key"] not in house.made and made["password"] not in house.made
    for private in ("warden", "ledger", "vault"):
        assert (house.state / private).stat().st_mode & 0o077 == 0
    again = run("init", "--state", house.state, "--passphrase-file", house.passphrase_file, "--credentials", tmp_path / "other")
    assert again.returncode == 7
    assert not (tmp_path / "other").exists()


def test_init_leaves_nothing_behind_when_it_fails(tmp_path):
    short = tmp_path / "short"
    short.write_text("short\n")
    short.chmod(0o600)
    done = run("init", "--state", tmp_path / "state", "--passphrase-file", short, "--listen", f"127.0.0.1:{free_port()}")
    assert done.returncode == 2, done
    assert not (tmp_path / "state").exists() or not os.listdir(tmp_path / "state")


def test_open_secrets_are_not_taken(tmp_path):
    """a passphrase that others can read is no secret"""
    wide = tmp_path / "wide"
    wide.write_text("correct horse battery staple\n")
    wide.chmod(0o644)
    done = run("init", "--state", tmp_path / "state", "--passphrase-file", wide)
    assert done.returncode == 5, done


def test_serve_without_a_house(tmp_path):
    assert run("serve", "--state", tmp_path / "nothing", "--passphrase-file", "/dev/null").returncode == 6


def test_no_server(tmp_path):
    house = House(tmp_path).init()
    done = run("status", "--state", house.state, "--credentials", house.credentials)
    assert done.returncode == 18, done
    assert "serve" in done.stderr


def test_people(house):
    admin, name = house.people["admin"], "p-" + word()
    made = admin.cli("user", "add", name, "--role", "researcher", "--display", "Some Body", "--email", f"{name}@hospital.example")
    assert made["roles"] == ["researcher"]
    assert admin.cli("user", "show", name)["display"] == "Some Body"
    assert admin.cli("user", "set", name, "--role", "researcher", "--role", "output-checker")["roles"] == ["researcher", "output-checker"]
    assert name in json.dumps(admin.cli("user", "list"))
    for bad, status in ((["Upper"], 2), (["x"], 2), ([name], 7), (["ok-" + word(), "--role", "king"], 2)):
        done = house.run("user", "add", *bad, *(["--role", "researcher"] if "--role" not in bad else []), "--state", house.state,
                         "--credentials", admin.credentials, status=None)
        assert done.returncode == status, (bad, done)
    assert admin.cli("user", "revoke", name)["state"] == "revoked"


def test_login(house, tmp_path):
    alice = house.people["alice"]
    password = tmp_path / "password"
    password.write_text(alice.password)
    password.chmod(0o600)
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    common = ("--state", house.state)
    assert run("whoami", *common, env=env).returncode == 4
    assert run("login", "alice", "--password-file", password, "--code", "000000", *common, env=env).returncode == 4
    done = run("login", "alice", "--password-file", password, "--code", alice.code_now(), *common, env=env)
    assert done.returncode == 0, done
    session = next(p for p in tmp_path.rglob("session") if p.is_file())
    assert session.stat().st_mode & 0o777 == 0o600
    who = run("whoami", "--json", *common, env=env)
    assert json.loads(who.stdout)["name"] == "alice"
    # a code is good once
    assert run("login", "alice", "--password-file", password, "--code", alice.code_now(), *common, env=env | {"HOME": str(tmp_path / "other")}).returncode == 4
    assert run("logout", *common, env=env).returncode == 0
    assert run("whoami", *common, env=env).returncode == 4


def test_status(house):
    answer = house.people["admin"].cli("status")
    assert answer
    done = house.run("status", "--state", house.state, "--credentials", house.people["bob"].credentials, status=None)
    assert done.returncode == 5


def test_domains(house):
    admin, name = house.people["admin"], "d-" + word()
    admin.cli("domain", "create", name)
    alice, bucket = house.people["alice"], "b-" + word()
    alice.cli("bucket", "create", bucket, "--domain", name)
    s3 = alice.client()
    s3.put_object(Bucket=bucket, Key="x", Body=b"doomed")
    sam, paula = house.people["sam"], house.people["paula"]
    house.run("domain", "destroy", name, "--confirm", name, "--state", house.state, "--credentials", sam.credentials)
    house.run("domain", "destroy", name, "--confirm", name, "--state", house.state, "--credentials", sam.credentials, status=None)
    assert s3.get_object(Bucket=bucket, Key="x")["Body"].read() == b"doomed"  # one person twice is one person
    done = house.run("domain", "destroy", name, "--confirm", name, "--state", house.state, "--credentials", paula.credentials, "--json")
    certificate = json.loads(done.stdout)
    assert sorted(certificate.get("certificate", certificate)["consented_by"]) == ["paula", "sam"]
    with pytest.raises(s3.exceptions.ClientError):
        s3.get_object(Bucket=bucket, Key="x")


def test_selftest(own_house):
    house = own_house()
    done = house.run("selftest", "--state", house.state, "--credentials", house.people["admin"].credentials, status=None, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_control_characters_do_not_reach_the_terminal(house):
    alice, bucket = house.people["alice"], "b-" + word()
    alice.client().create_bucket(Bucket=bucket)
    admin, name = house.people["admin"], "p-" + word()
    done = house.run("user", "add", name, "--role", "researcher", "--display", "evil\x1b[2J", "--state", house.state, "--credentials", admin.credentials, status=None)
    assert "\x1b" not in done.stdout + done.stderr
