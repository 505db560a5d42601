"""The sealed object, read and written by two programs that share no code: C and Python."""

import hashlib
import json
import os
import pathlib
import subprocess
import sys

import pytest

TEST = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TEST / "decoder"))

import sealed_decoder as sd  # noqa: E402

BUILD = pathlib.Path(os.environ.get("CLOISTER_BUILD", TEST.parent / "build"))
TOOL = BUILD / "test" / "tools" / "seal_tool"
VECTOR_FILE = TEST / "vectors" / "sealed-object.json"
VECTORS = json.loads(VECTOR_FILE.read_text())["vectors"]
SIZES = [0, 1, 15, 16, 17, 16383, 16384, 16385, 3 * 16384, 3 * 16384 + 1, 1_000_003]


def tool(*args, stdin=b"", status=0):
    p = subprocess.run([TOOL, *map(str, args)], input=stdin, capture_output=True, timeout=60)
    assert p.returncode == status, p.stderr
    return p.stdout


def seal(key, plain, epoch=1, part=0, ids=None):
    ids = ids or [os.urandom(16).hex() for _ in range(4)]
    return tool("seal", key.hex(), epoch, *ids, part, stdin=plain)


def plain_of(vector):
    return bytes(i % 251 for i in range(vector["plain_bytes"]))


def header_of(v):
    return sd.Header(
        *(bytes.fromhex(v[n]) for n in ("domain", "bucket", "object", "version")), v["part"], v["epoch"], b""
    )


def test_the_tool_prints_the_published_vectors():
    assert tool("vectors") == VECTOR_FILE.read_bytes()


@pytest.mark.parametrize("v", VECTORS, ids=lambda v: v["name"])
def test_python_makes_and_opens_each_vector(v):
    key, data_key = bytes.fromhex(v["domain_key"]), bytes.fromhex(v["data_key"])
    header, salt = header_of(v), bytes.fromhex(v["salt"])
    plain = plain_of(v)
    raw = bytes.fromhex(v["header"])
    stream = sd.seal_stream(data_key, header, salt, plain)
    assert stream[24:56].hex() == v["commitment"]
    if "chunks" in v:
        assert stream[56:].hex() == v["chunks"]
    header.wrapped = sd.wrap(key, header, data_key, bytes.fromhex(v["wrap_nonce"]))
    assert sd.decode_header(raw) == header
    if "rewrapped" not in v["name"]:
        assert sd.encode_header(header) == raw
    blob = raw + stream
    assert len(blob) == v["blob_bytes"]
    assert hashlib.sha256(blob).hexdigest() == v["blob_sha256"]
    assert sd.open_blob(key, blob) == plain
    assert tool("open", key.hex(), stdin=blob) == plain


@pytest.mark.parametrize("size", SIZES)
def test_each_opens_what_the_other_sealed(size):
    key, plain = os.urandom(32), os.urandom(size)
    assert sd.open_blob(key, seal(key, plain, part=size % 3)) == plain
    header = sd.Header(*(os.urandom(16) for _ in range(4)), part=0xFFFFFFFF, epoch=9, wrapped=b"")
    blob = sd.seal_blob(key, header, os.urandom(32), os.urandom(24), os.urandom(24), plain)
    assert tool("open", key.hex(), stdin=blob) == plain


def refused(key, blob):
    """Both refuse; 11 is the exit status of "corrupt", 19 of "unsupported"."""
    p = subprocess.run([TOOL, "open", key.hex()], input=blob, capture_output=True, timeout=60)
    assert p.returncode in (11, 19) and p.stdout == b""
    with pytest.raises(sd.Corrupt):
        sd.open_blob(key, blob)


@pytest.mark.parametrize("at", [0, 8, 9, 16, 40, 56, 72, 83, 87, 88, 92, 130, 160, 166, 248, 255,
                                256, 279, 280, 311, 312, 16711, 16712, 16727, -17, -1])
def test_both_refuse_a_changed_byte(at):
    key = os.urandom(32)
    blob = bytearray(seal(key, os.urandom(20000)))
    blob[at] ^= 0x10
    refused(key, bytes(blob))


@pytest.mark.parametrize("field", [16, 32, 48, 64, 80])
def test_both_refuse_a_forged_header_whose_checks_are_right(field):
    key = os.urandom(32)
    blob = bytearray(seal(key, b"x" * 100))
    blob[field + 3] ^= 1
    blob[248:256] = hashlib.sha256(blob[:88]).digest()[:8]
    refused(key, bytes(blob))


def test_both_refuse_truncation_exchange_and_another_key():
    key = os.urandom(32)
    plain = os.urandom(3 * 16384)
    blob = seal(key, plain)
    begin, step = 256 + 56, 16400
    for n in [0, 255, 256, 300, begin, begin + 15, begin + 16, begin + step, begin + step + 16, len(blob) - 1]:
        refused(key, blob[:n])
    refused(key, blob + b"\0")
    refused(key, blob[:begin] + blob[begin + step : begin + 2 * step] + blob[begin : begin + step] + blob[begin + 2 * step :])
    refused(key, blob[:begin] + blob[begin + step :])
    refused(os.urandom(32), blob)


def test_rotation_rewraps_and_a_torn_slot_leaves_the_other():
    old, new, newer, plain = os.urandom(32), os.urandom(32), os.urandom(32), os.urandom(5000)
    blob = seal(old, plain, epoch=1)
    second = tool("rewrap", old.hex(), new.hex(), 2, stdin=blob)
    assert [i for i in range(len(blob)) if blob[i] != second[i]][0] >= 168
    assert second[248:] == blob[248:] and second[:168] == blob[:168]
    for open_it in (lambda k, b: sd.open_blob(k, b), lambda k, b: tool("open", k.hex(), stdin=b)):
        assert open_it(new, second) == plain
        torn = second[:200] + blob[200:248] + second[248:]
        assert open_it(old, torn) == plain
    refused(old, second)
    third = tool("rewrap", new.hex(), newer.hex(), 3, stdin=second)
    assert third[168:] == second[168:] and third[88:168] != second[88:168]
    assert sd.open_blob(newer, third) == plain
    tool("rewrap", newer.hex(), newer.hex(), 3, stdin=third, status=8)  # that epoch is there already
