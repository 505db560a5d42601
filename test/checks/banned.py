#!/usr/bin/env python3
"""Functions that do not appear in src/, each with its reason. banned.py [SRC] | --self-test"""
import pathlib
import re
import sys
import tempfile

BANNED = {
    "no bound": "strcpy strcat sprintf vsprintf gets stpcpy strncat scanf sscanf fscanf",
    "no error; use num.h": "atoi atol atoll atof",
    "hidden state": "strtok asctime ctime gmtime localtime getpwnam gethostbyname",
    "runs a shell": "system popen",
    "stack without a bound": "alloca strdupa strndupa",
    "a name, not a file": "tmpnam tempnam mktemp",
    "not random; use rand_bytes": "rand srand random srandom rand_r drand48 lrand48",
    "jumps past cleanup": "setjmp longjmp sigsetjmp siglongjmp",
    "compilers may drop it; use explicit_bzero": "bzero",
}
REASON = {name: reason for reason, names in BANNED.items() for name in names.split()}
CALL = re.compile(r"(?<![\w.>])(" + "|".join(sorted(REASON)) + r")\s*\(")
QUIET = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def faults(src):
    found = []
    for path in sorted(src.rglob("*.[ch]")):
        text = QUIET.sub(blank, path.read_text())
        for match in CALL.finditer(text):
            line = text[: match.start()].count("\n") + 1
            found.append(f"{path.relative_to(src)}:{line}: {match[1]}: {REASON[match[1]]}")
    return found


def self_test():
    with tempfile.TemporaryDirectory() as top:
        src = pathlib.Path(top)
        (src / "a.c").write_text('/* gets(x) */ char *s = "system(x)"; // rand()\nint my_rand(void); int x = o->random(1) + p.system(2);\n')
        assert faults(src) == [], faults(src)
        for name in REASON:
            (src / "a.c").write_text(f'int f(void)\n{{\n\treturn {name} (a);\n}}\n')
            assert len(faults(src)) == 1 and faults(src)[0].startswith(f"a.c:3: {name}:"), name
    print(f"{len(REASON)} functions are found")


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    src = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2] / "src"
    found = faults(src)
    print("\n".join(found) if found else f"none of {len(REASON)} functions")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
