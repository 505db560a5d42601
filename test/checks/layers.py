#!/usr/bin/env python3
"""The floors of src/: a folder includes only itself and what src/LAYERS lists before it; a library stays in its folder.

layers.py [SRC]       exit status 1 and one line a fault
layers.py --self-test proves that each kind of fault is found
"""
import pathlib
import re
import sys
import tempfile

# The library that a header belongs to, and the only folders that may include it.
LIBRARIES = {
    "openssl/": {"crypto"}, "argon2.h": {"crypto"}, "sqlite3.h": {"db"}, "gnutls/": {"gate"}, "microhttpd.h": {"gate"},
    "libxml/": {"gate"}, "seccomp.h": {"proc"}, "linux/landlock.h": {"proc"}, "cyaml/": {"proc", "bin"}, "pcre2.h": {"names"},
    "jansson.h": {"warden", "objects", "clinic", "study", "airlock", "pool", "gate", "steward", "intake", "scrub", "cell", "bin"},
    "curl/": {"bin"}, "mosquitto.h": {"intake"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)


def order(src):
    lines = (src / "LAYERS").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def made(src, floor, name):
    """is it a header that the build makes for this floor?"""
    build = src / floor / "meson.build"
    return build.exists() and f"'{name}'" in build.read_text()


def faults(src):
    floors = order(src)
    found = []
    for name in sorted({f for f in floors if floors.count(f) > 1}):
        found.append(f"LAYERS: {name} stands twice")
    for folder in sorted(d.name for d in src.iterdir() if d.is_dir()):
        if folder not in floors:
            found.append(f"{folder}/: not in LAYERS")
    for path in sorted(src.rglob("*.[ch]")):
        own = path.relative_to(src).parts[0]
        place = str(path.relative_to(src))
        if own not in floors:
            continue
        for match in INCLUDE.finditer(path.read_text()):
            kind, name = match.groups()
            line = path.read_text()[: match.start(2)].count("\n") + 1
            if kind == "<":
                for library, folders in LIBRARIES.items():
                    if name.startswith(library) and own not in folders:
                        found.append(f"{place}:{line}: <{name}> belongs to {', '.join(sorted(folders))}")
                continue
            if "/" not in name:
                if not made(src, own, name):
                    found.append(f'{place}:{line}: "{name}" names no folder')
                continue
            floor = name.split("/")[0]
            if floor not in floors:
                found.append(f'{place}:{line}: "{name}": no such floor')
            elif floors.index(floor) > floors.index(own):
                found.append(f'{place}:{line}: "{name}" lies above {own}')
            elif not (src / name).exists() and not made(src, floor, name.split("/")[-1]):
                found.append(f'{place}:{line}: "{name}" does not exist')
            elif name.endswith("/private.h") and floor != own:
                found.append(f'{place}:{line}: "{name}" is private to {floor}')
    return found


def self_test():
    cases = {
        'x/a.c': ('#include "y/b.h"\n', "lies above x"),
        'y/a.c': ('#include <openssl/evp.h>\n', "belongs to crypto"),
        'y/b.c': ('#include "b.h"\n', "names no folder"),
        'y/c.c': ('#include "z/b.h"\n', "no such floor"),
        'y/d.c': ('#include "x/none.h"\n', "does not exist"),
        'y/e.c': ('# include "x/private.h"\n', "is private to x"),
        'w/a.c': ('int x;\n', "w/: not in LAYERS"),
    }
    for name, (text, wanted) in cases.items():
        with tempfile.TemporaryDirectory() as top:
            src = pathlib.Path(top)
            (src / "LAYERS").write_text("# floors\nx\ny\n")
            for folder in ("x", "y"):
                (src / folder).mkdir()
            (src / "x" / "private.h").write_text("")
            (src / "y" / "b.h").write_text('#include "x/b.h"\n#include "y_sql.h"\n')
            (src / "y" / "meson.build").write_text("custom_target(output: 'y_sql.h')\n")
            (src / "x" / "b.h").write_text("#include <stdio.h>\n")
            assert faults(src) == [], faults(src)
            (src / name).parent.mkdir(exist_ok=True)
            (src / name).write_text(text)
            got = faults(src)
            assert len(got) == 1 and wanted in got[0], (name, got)
    print(f"{len(cases)} kinds of fault are found")


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    src = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2] / "src"
    found = faults(src)
    print("\n".join(found) if found else f"{len(order(src))} floors, no include upward")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
