#!/usr/bin/env python3
"""Turn .sql files into a C header and source: embed_sql.py PREFIX OUT.h OUT.c IN.sql...

    -- name: bucket_by_id      one statement; parameters $1, $2, ... in the order of their first use, so that
                               every engine numbers them alike
    -- script: schema          several statements, run as they stand

PREFIX_sql_text[SQL_BUCKET_BY_ID] is the first, PREFIX_script_schema the second.
"""
import re
import sys


def read(path):
    """Yield (kind, name, text) for each block of one file."""
    kind = name = None
    lines = []
    for number, line in enumerate(open(path, encoding="ascii"), 1):
        head = re.match(r"--\s*(name|script):\s*([a-z][a-z0-9_]*)\s*$", line)
        if head:
            if name:
                yield kind, name, lines
            kind, name, lines = head.group(1), head.group(2), []
            continue
        line = re.sub(r"\s*--.*", "", line).rstrip()
        if line and not name:
            sys.exit(f"{path}:{number}: text before the first name")
        if line:
            lines.append(line)
    if name:
        yield kind, name, lines


def check(path, name, text):
    """A statement is one statement, and its parameters number themselves."""
    if text.count(";") != 1 or not text.endswith(";"):
        sys.exit(f"{path}: {name}: not exactly one statement")
    seen = []
    for number in re.findall(r"\$(\d+)", text):
        if number not in seen:
            seen.append(number)
    if seen != [str(i + 1) for i in range(len(seen))]:
        sys.exit(f"{path}: {name}: parameters are not in the order of first use: {seen}")


def quoted(lines):
    return "\n".join('\t    "%s\\n"' % line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)


def main():
    prefix, header, source, *inputs = sys.argv[1:]
    statements, scripts = [], []
    for path in inputs:
        for kind, name, lines in read(path):
            text = " ".join(line.strip() for line in lines)
            if name in [n for n, _ in statements + scripts]:
                sys.exit(f"{path}: {name}: named twice")
            if kind == "name":
                check(path, name, text)
                statements.append((name, lines))
            else:
                scripts.append((name, lines))
    guard = f"CLOISTER_{prefix.upper()}_SQL_H"
    with open(header, "w", encoding="ascii") as out:
        out.write(f"/* Made by embed_sql.py. */\n#ifndef {guard}\n#define {guard}\n\nenum {prefix}_sql {{\n")
        for name, _ in statements:
            out.write(f"\tSQL_{name.upper()},\n")
        out.write(f"\t{prefix.upper()}_SQL_COUNT\n}};\n")
        out.write(f"extern const char *const {prefix}_sql_text[{prefix.upper()}_SQL_COUNT];\n")
        for name, _ in scripts:
            out.write(f"extern const char {prefix}_script_{name}[];\n")
        out.write("\n#endif\n")
    with open(source, "w", encoding="ascii") as out:
        out.write(f'/* Made by embed_sql.py. */\n#include "{header.rsplit("/", 1)[-1]}"\n\n')
        out.write(f"const char *const {prefix}_sql_text[{prefix.upper()}_SQL_COUNT] = {{\n")
        for name, lines in statements:
            out.write(f"\t[SQL_{name.upper()}] =\n{quoted(lines)},\n")
        out.write("};\n")
        for name, lines in scripts:
            out.write(f"\nconst char {prefix}_script_{name}[] =\n{quoted(lines)};\n")


main()
