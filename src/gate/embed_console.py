#!/usr/bin/env python3
"""
embed_console.py FOLDER OUTPUT: the built console as a C table, so that the gate, which opens no files, can serve it: each file as it is, and
compressed where that is smaller. A folder without an index.html is an empty table. OUTPUT is written only when it changes.
"""
import gzip
import hashlib
import pathlib
import re
import sys

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".svg": "image/svg+xml", ".woff2": "font/woff2", ".png": "image/png", ".ico": "image/x-icon", ".json": "application/json",
         ".txt": "text/plain; charset=utf-8", ".webmanifest": "application/manifest+json"}
WELL_PRESSED = {".html", ".js", ".css", ".svg", ".json", ".txt", ".webmanifest"}

try:
    import brotli
except ImportError:  # not everywhere: then gzip only
    brotli = None


def array(name, data):
    lines = ["\t" + ",".join(map(str, data[i:i + 32])) + "," for i in range(0, len(data), 32)]
    return f"static const unsigned char {name}[] = {{\n" + "\n".join(lines) + "\n};\n"


def pressed(suffix, data):
    """(name of the coding, bytes) as far as they are smaller"""
    if suffix not in WELL_PRESSED:
        return
    for coding, packed in (("br", brotli.compress(data) if brotli else None), ("gzip", gzip.compress(data, 9, mtime=0))):
        if packed and len(packed) < len(data) * 9 // 10:
            yield coding, packed


def table(top):
    arrays, rows = [], []
    files = sorted(p for p in top.rglob("*") if p.is_file() and p.suffix in TYPES) if (top / "index.html").is_file() else []
    for n, path in enumerate(files):
        data = path.read_bytes()
        name = path.relative_to(top).as_posix()
        # its name holds a digest of its bytes: it never changes
        fixed = bool(re.search(r"-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$", name))
        forms = {"plain": data, **dict(pressed(path.suffix, data))}
        arrays += [array(f"f{n}_{form}", body) for form, body in forms.items()]
        fields = ", ".join(f"{{f{n}_{form}, {len(forms[form])}}}" if form in forms else "{NULL, 0}" for form in ("plain", "gzip", "br"))
        etag = hashlib.sha256(data).hexdigest()[:32]
        rows.append(f'\t{{"{name}", "{TYPES[path.suffix]}", "\\"{etag}\\"", {"true" if fixed else "false"}, {{{fields}}}}},\n')
    return "".join(arrays) + "const struct console_file console_files[] = {\n" + "".join(rows) + \
        "\t{NULL, NULL, NULL, false, {{NULL, 0}}},\n};\n"


def main():
    text = '#include "gate/console.h"\n\n' + table(pathlib.Path(sys.argv[1]))
    target = pathlib.Path(sys.argv[2])
    if not target.exists() or target.read_text() != text:
        target.write_text(text)


main()
