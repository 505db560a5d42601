"""The canary hunt: every identifier of the truth map is looked for, in several forms, wherever it must not be: in every file of the state folder, in logs, and in
the memory of each process that may not see it. test/tools/canary_hunt.c does the looking.
"""

import collections
import json
import os
import pathlib
import re
import subprocess
import tempfile

from house import TOP, Bad

TOOL = pathlib.Path(os.environ.get("CLOISTER_BUILD", TOP / "build")) / "test" / "tools" / "canary_hunt"
BLIND = ("cloisterd", "cloister-ledger", "cloister-warden", "cloister-vault", "cloister-steward", "cloister-cell")  # may see no plaintext at all
SHORT_DATE = 14  # bytes: a shorter date stands in any log

Report = collections.namedtuple("Report", "needles bytes processes found")


def needles(truths):
    """{(category, text)} of what identifies somebody, by the truth maps"""
    found, ordinary = set(), set()
    for truth in truths:
        with truth.open() as f:
            for line in f:
                mark = json.loads(line)
                if mark["category"] == "decoy":
                    ordinary.add(mark["text"].lower())
                elif mark["category"] != "date" or len(mark["text"]) >= SHORT_DATE:
                    found.add((mark["category"], mark["text"]))
    return {(c, t) for c, t in found if t.lower() not in ordinary and "\n" not in t and "\t" not in t}


def leaked(truths, text):
    """categories of identifiers that stand in what was released: as whole words, or anywhere if they are more than a word"""
    words = set(re.findall(r"[\w@.'-]+", text))
    words |= {w.strip(".'-") for w in words}
    return sorted(c for c, t in needles(truths) if len(t) >= 6 and (t in words if re.fullmatch(r"[\w@.'-]+", t) else t in text))


def processes(server):
    """{name: pid} of the house's blind processes: of ${server} and its children"""
    pids = {}
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            name = (folder / "cmdline").read_bytes().split(b"\0")[0].decode().rsplit("/", 1)[-1]
            parents, pid = [], int(folder.name)
            while pid > 1 and len(parents) < 8:
                parents.append(pid)
                pid = int((pathlib.Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError):
            continue
        if server in parents and name in BLIND:
            pids[name] = int(folder.name)
    return pids


def hunt(truths, state, logs, server):
    """looks everywhere; a Report"""
    blind = processes(server)
    if "cloister-warden" not in blind:
        raise Bad("the hunt does not find the house's processes")
    with tempfile.NamedTemporaryFile("w", suffix=".needles") as f:
        for category, text in sorted(needles(truths)):
            f.write(f"{category}\t{text}\n")
        f.flush()
        pids = [word for pid in blind.values() for word in ("--pid", str(pid))]
        done = subprocess.run([TOOL, f.name, *pids, str(state), *map(str, logs)], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise Bad(f"the hunt could not look: {done.stderr.strip()}")
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    total = next(line for line in lines if line[0] == "#")
    names = {str(pid): name for name, pid in blind.items()}
    found = [(f"{line[0]} ({line[1]})", names.get(line[2].removeprefix("memory of "), line[2])) for line in lines if line[0] != "#"]
    return Report(int(total[1]), int(total[2]), sorted(n.removeprefix("cloister-") for n in blind), found)
