#!/usr/bin/env python3
"""Each file in test/nocompile/ states one rule of the types, and must not compile, for the reason it names.

With -DRIGHT the same file must compile: so the refusal is due to the one wrong line. The first comment holds the rule and, for
each compiler, a regular expression that one of its errors must match:
    /* rule: …
     * gcc: …
     * clang: … */
nocompile.py COMPILER… | --self-test COMPILER…
"""
import pathlib
import re
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).parents[2]
FLAGS = ["-std=gnu2x", "-D_GNU_SOURCE", "-fsyntax-only", "-fno-diagnostics-color", "-Wall", "-Wextra", "-Werror",
         "-Wno-unused-parameter", "-Wno-unused-function", "-I", str(TOP / "src")]


def compile_with(compiler, path, *more):
    done = subprocess.run([compiler, *FLAGS, *more, str(path)], capture_output=True, text=True, check=False,
                          env={"LC_ALL": "C", "PATH": "/usr/local/bin:/usr/bin:/bin"})
    return done.returncode == 0, done.stderr


def faults(compiler, path):
    kind = "clang" if "clang" in pathlib.Path(compiler).name else "gcc"
    text = path.read_text()
    wanted = re.search(rf"^ \* {kind}: (.+?)(?: \*/)?$", text, re.M)
    if not wanted or "rule: " not in text:
        return [f"{path.name}: no rule, or no diagnostic of {kind}"]
    fine, said = compile_with(compiler, path, "-DRIGHT")
    if not fine:
        return [f"{path.name}: {compiler}: the right form does not compile:\n{said}"]
    fine, said = compile_with(compiler, path)
    if fine:
        return [f"{path.name}: {compiler}: compiles"]
    errors = [line for line in said.splitlines() if " error: " in line]
    if not any(re.search(wanted[1], line) for line in errors):
        return [f"{path.name}: {compiler}: not refused for the stated reason:\n{said}"]
    return []


def self_test(compilers):
    right = "#ifdef RIGHT\nint x;\n#else\nint x = \"a\"[0] + y;\n#endif\n"
    head = "/* rule: none\n * gcc: 'y' undeclared\n * clang: undeclared identifier 'y' */\n"
    cases = {
        head + right: None,
        head + "int x;\n": "compiles",
        head.replace("'y'", "'z'") + right: "not refused for the stated reason",
        head + "#ifdef RIGHT\n#error broken\n#endif\n": "the right form does not compile",
        "int x;\n": "no rule",
    }
    for compiler in compilers:
        for text, wanted in cases.items():
            with tempfile.TemporaryDirectory() as top:
                path = pathlib.Path(top) / "case.c"
                path.write_text(text)
                got = faults(compiler, path)
                assert (not got) if wanted is None else (len(got) == 1 and wanted in got[0]), (compiler, text, got)
    print(f"{len(cases)} cases, {' '.join(compilers)}")


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["--self-test"]:
        self_test(arguments[1:])
        return 0
    paths = sorted((TOP / "test" / "nocompile").glob("*.c"))
    found = [f for path in paths for compiler in arguments for f in faults(compiler, path)]
    if not paths or not arguments:
        found.append("nothing to check")
    print("\n".join(found) if found else f"{len(paths)} rules hold, {' '.join(arguments)}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
