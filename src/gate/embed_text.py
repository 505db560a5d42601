#!/usr/bin/env python3
"""Turn a file into a C array: embed_text.py NAME IN OUT.c defines NAME_text[] and NAME_bytes."""
import json
import sys

name, source, target = sys.argv[1:]
data = open(source, "rb").read()
if source.endswith(".json"):
    data = json.dumps(json.loads(data), separators=(",", ":"), ensure_ascii=True).encode()
lines = [",".join(str(b) for b in data[i:i + 24]) for i in range(0, len(data), 24)]
with open(target, "w", encoding="ascii") as out:
    out.write("#include <stddef.h>\n\n")
    out.write(f"extern const char {name}_text[];\nextern const size_t {name}_bytes;\n")
    out.write(f"const char {name}_text[] = {{\n" + ",\n".join(lines) + ",0};\n")
    out.write(f"const size_t {name}_bytes = {len(data)};\n")
