#!/usr/bin/env python3
"""embed.py NAME INPUT OUTPUT: a file as a C array, so that the gate, which opens no files, can serve it."""
import sys

name, source, target = sys.argv[1:]
with open(source, "rb") as f:
    data = f.read()
with open(target, "w") as f:
    f.write(f"static const unsigned char {name}[] = {{\n")
    for i in range(0, len(data), 24):
        f.write("\t" + ",".join(map(str, data[i:i + 24])) + ",\n")
    f.write(f"}};\nstatic const unsigned {name}_len = sizeof({name});\n")
