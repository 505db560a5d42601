"""Verifies a C2SP tlog-tiles log from its files and its verifier key alone. Shares no code with the ledger.

    python3 tlog_verify.py LEDGER-FOLDER VKEY-FILE [RECORD PROOF]

Written from c2sp.org/tlog-tiles, tlog-checkpoint, signed-note, tlog-proof, and RFC 6962, section 2.1.
"""

import base64
import hashlib
import json
import pathlib
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WIDTH = 256


class Wrong(Exception):
    """the log does not verify; the text says where"""


def leaf_hash(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(hashes):
    """RFC 6962, 2.1: the largest power of two smaller than n goes left; by a stack, so that it is linear"""
    if not hashes:
        return hashlib.sha256(b"").digest()
    stack = []  # (height, hash)
    for h in hashes:
        height = 0
        while stack and stack[-1][0] == height:
            h = node_hash(stack.pop()[1], h)
            height += 1
        stack.append((height, h))
    h = stack.pop()[1]
    while stack:
        h = node_hash(stack.pop()[1], h)
    return h


def parse_vkey(text):
    name, key_id, data = text.strip().split("+", 2)
    raw = base64.b64decode(data, validate=True)
    if raw[0] != 1 or len(raw) != 33:
        raise Wrong("the verifier key is no Ed25519 key")
    if hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex() != key_id:
        raise Wrong("the verifier key's id is not its own")
    return name, bytes.fromhex(key_id), Ed25519PublicKey.from_public_bytes(raw[1:])


def open_checkpoint(text, vkey):
    """(size, root) if it is signed by ${vkey}"""
    name, key_id, key = parse_vkey(vkey)
    body, _, signatures = text.rpartition("\n\n")
    body += "\n"
    for line in signatures.splitlines():
        mark, who, data = line.split(" ")
        raw = base64.b64decode(data, validate=True)
        if mark == "—" and who == name and raw[:4] == key_id:
            try:
                key.verify(raw[4:], body.encode())
            except InvalidSignature:
                raise Wrong("the checkpoint's signature is wrong") from None
            break
    else:
        raise Wrong("the checkpoint is not signed by this key")
    origin, size, root = body.splitlines()[:3]
    if origin != name:
        raise Wrong("the checkpoint is another log's")
    return int(size), base64.b64decode(root, validate=True)


def tile_path(level, n, width):
    parts = [f"{n % 1000:03d}"]
    while n >= 1000:
        n //= 1000
        parts.insert(0, f"x{n % 1000:03d}")
    return f"tile/{level}/" + "/".join(parts) + (f".p/{width}" if width < WIDTH else "")


def tiles(folder, level, count):
    """${count} items of a level, tile by tile"""
    for n in range((count + WIDTH - 1) // WIDTH):
        width = min(WIDTH, count - n * WIDTH)
        path = folder / tile_path(level, n, width)
        if not path.exists():  # a full tile may stand for the partial one
            path = folder / tile_path(level, n, WIDTH)
        try:
            yield n, width, path, path.read_bytes()
        except OSError as e:
            raise Wrong(f"{path}: {e.strerror}") from None


def entries(folder, size):
    for n, width, path, data in tiles(folder, "entries", size):
        at = 0
        for i in range(width):
            length = int.from_bytes(data[at:at + 2], "big")
            if at + 2 > len(data) or at + 2 + length > len(data):
                raise Wrong(f"{path}: ends within entry {n * WIDTH + i}")
            yield data[at + 2:at + 2 + length]
            at += 2 + length
        if at != len(data) and not (path.name == str(width) or ".p" not in str(path)):
            raise Wrong(f"{path}: has bytes behind its last entry")


def check_levels(folder, size, leaves):
    """each hash tile holds the hashes that follow from the level below"""
    level, hashes = 0, leaves
    while hashes:
        for n, width, path, data in tiles(folder, level, len(hashes)):
            if data[:width * 32] != b"".join(hashes[n * WIDTH:n * WIDTH + width]) or len(data) not in (width * 32, WIDTH * 32):
                raise Wrong(f"{path}: differs from what its entries give")
        hashes = [root_of(hashes[i:i + WIDTH]) for i in range(0, len(hashes) - WIDTH + 1, WIDTH)]
        level += 1


def canonical(record):
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def verify(folder, vkey):
    """the records, if everything agrees"""
    folder = pathlib.Path(folder)
    try:
        size, root = open_checkpoint((folder / "checkpoint").read_text(), vkey)
    except (OSError, ValueError) as e:
        raise Wrong(f"checkpoint: {e}") from None
    records, leaves = [], []
    for i, entry in enumerate(entries(folder, size)):
        leaves.append(leaf_hash(entry))
        try:
            record = json.loads(entry)
        except ValueError:
            raise Wrong(f"entry {i} is no JSON") from None
        if record.get("n") != i or canonical(record) != entry:
            raise Wrong(f"entry {i} is not canonical, or not entry {i}")
        records.append(record)
    if root_of(leaves) != root:
        raise Wrong("the entries do not give the signed root")
    check_levels(folder, size, leaves)
    return records


def verify_proof(vkey, proof, entry):
    """the index, if ${entry} is in the log; RFC 9162, section 2.1.3.2"""
    head, _, checkpoint = proof.partition("\n\n")
    first, *rest = head.splitlines()
    if first != "c2sp.org/tlog-proof@v1":
        raise Wrong("this is no proof")
    if rest[0].startswith("extra "):
        rest.pop(0)
    index = int(rest.pop(0).removeprefix("index "))
    size, root = open_checkpoint(checkpoint, vkey)
    if index >= size:
        raise Wrong("the index lies behind the checkpoint")
    h, fn, sn = leaf_hash(entry), index, size - 1
    for line in rest:
        sibling = base64.b64decode(line, validate=True)
        if sn == 0 or len(sibling) != 32:
            raise Wrong("the proof has another length")
        if fn & 1 or fn == sn:
            h = node_hash(sibling, h)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            h = node_hash(h, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0 or h != root:
        raise Wrong("the proof does not lead to the signed root")
    return index


def main(folder, vkey_file, record=None, proof=None):
    vkey = pathlib.Path(vkey_file).read_text()
    try:
        records = verify(folder, vkey)
        print(f"{len(records)} records verify")
        if record:
            print("record", verify_proof(vkey, pathlib.Path(proof).read_text(), pathlib.Path(record).read_bytes().rstrip(b"\n")), "is in the log")
    except Wrong as e:
        print("does not verify:", e)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
