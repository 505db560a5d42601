#!/usr/bin/env python3
"""Who may look inside the types that keep the laws: phi_borrow() and the private members, by the list phi_borrow.allow.

A file that uses one and is not listed is a fault; so is a line of the list that nothing needs any more.
phi_borrow.py [SRC [LIST]] | --self-test
"""
import pathlib
import re
import sys
import tempfile

WORDS = ["phi_borrow", "phi_private_", "sealed_private_", "sealed_made_by_cipher", "grant_private_", "receipt_private_",
         "secret_private_", "deid_private_", "deid_made_by_rules"]
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)


def uses(src):
    found = set()
    for path in sorted(src.rglob("*.[ch]")):
        text = COMMENT.sub("", path.read_text())
        for word in WORDS:
            if re.search(rf"\b{word}" + ("" if word.endswith("_") else r"\b"), text):
                found.add((word, str(path.relative_to(src))))
    return found


def allowed(path):
    lines = set()
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            word, name, reason = (line.split(None, 2) + ["", ""])[:3]
            if word not in WORDS or not reason:
                raise SystemExit(f"{path.name}: a line is WORD FILE REASON: {line}")
            lines.add((word, name))
    return lines


def faults(src, listed):
    used, may = uses(src), allowed(listed)
    return [f"{name}: may not use {word}" for word, name in sorted(used - may)] + \
        [f"{listed.name}: {name} does not use {word} any more" for word, name in sorted(may - used)]


def self_test():
    with tempfile.TemporaryDirectory() as top:
        src = pathlib.Path(top) / "src"
        src.mkdir()
        listed = pathlib.Path(top) / "allow"
        (src / "a.c").write_text("int f(void) { return phi_borrow(v).n; }\n")
        (src / "b.c").write_text("/* phi_borrow is not called here */ int grant_privately;\n")
        (src / "c.h").write_text("struct s { int phi_private_p; };\n")
        listed.write_text("# who\nphi_borrow a.c a cipher\nphi_private_ c.h the type\n")
        assert faults(src, listed) == []
        (src / "b.c").write_text("int g(void) { return r->receipt_private_index; }\n")
        assert faults(src, listed) == ["b.c: may not use receipt_private_"]
        (src / "b.c").write_text("int g(void) { return phi_borrow (v).n; }\n")
        assert faults(src, listed) == ["b.c: may not use phi_borrow"]
        (src / "b.c").unlink()
        (src / "a.c").write_text("int f;\n")
        assert faults(src, listed) == ["allow: a.c does not use phi_borrow any more"]
    print("an unlisted use and a stale line are found")


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    here = pathlib.Path(__file__).parent
    src = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here.parents[1] / "src"
    listed = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else here / "phi_borrow.allow"
    found = faults(src, listed)
    print("\n".join(found) if found else f"{len(allowed(listed))} lines, all needed, none missing")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
