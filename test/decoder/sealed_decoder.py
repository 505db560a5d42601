"""A second reader and writer of the sealed object, from doc/sealed-object.md alone.

It shares no code with the C program, so that the page is proved sufficient and each finds
the other's mistakes. Needs pyca/cryptography. Whole blobs in memory: a check, not a tool.

    sealed_decoder.py DOMAIN_KEY_HEX < blob > plain
"""

import hashlib
import hmac
import struct
import sys
import zlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

HEADER = 256
SLOTS = (88, 168)
SLOT = 80
CHUNK = 16384
TAG = 16
HEAD = 56


class Corrupt(Exception):
    """The bytes are not a sealed object, or not one for this key."""


@dataclass
class Header:
    domain: bytes
    bucket: bytes
    object: bytes
    version: bytes
    part: int
    epoch: int
    wrapped: bytes

    def key_data(self):
        return b"cloister data key v1\0" + self.domain + self.bucket + self.object + self.version

    def context(self):
        return b"cloister sealed v1\0" + self.bucket + self.object + self.version + struct.pack(">I", self.part)


# --- XAES-256-GCM


def xaes_subkey(key, nonce):
    block = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    first = int.from_bytes(block.update(bytes(16)), "big")
    k1 = (first << 1) & ((1 << 128) - 1)
    if first >> 127:
        k1 ^= 0x87
    out = b""
    for i in (1, 2):
        m = int.from_bytes(bytes([0, i, ord("X"), 0]) + nonce[:12], "big")
        out += block.update((m ^ k1).to_bytes(16, "big"))
    return AESGCM(out)


def wrap(domain_key, header, data_key, nonce):
    sealed = xaes_subkey(domain_key, nonce).encrypt(nonce[12:], data_key, header.key_data())
    return nonce + sealed


def unwrap(domain_key, header):
    nonce, sealed = header.wrapped[:24], header.wrapped[24:]
    try:
        return xaes_subkey(domain_key, nonce).decrypt(nonce[12:], sealed, header.key_data())
    except InvalidTag:
        raise Corrupt("the data key does not unwrap") from None


# --- header


def encode_slot(epoch, wrapped):
    body = struct.pack(">I", epoch) + wrapped
    return body + struct.pack(">I", zlib.crc32(body))


def encode_header(h):
    fixed = b"CLOISTR1" + b"\x01" + bytes(7) + h.domain + h.bucket + h.object + h.version
    fixed += struct.pack(">I", h.part) + bytes(4)
    return fixed + encode_slot(h.epoch, h.wrapped) + bytes(SLOT) + hashlib.sha256(fixed).digest()[:8]


def decode_header(raw):
    if len(raw) < HEADER or raw[:8] != b"CLOISTR1":
        raise Corrupt("no header")
    if hashlib.sha256(raw[:88]).digest()[:8] != raw[248:256]:
        raise Corrupt("the header's check")
    if raw[8] != 1:
        raise Corrupt("an unknown suite")
    if any(raw[9:16]) or any(raw[84:88]):
        raise Corrupt("bytes that must be zero")
    valid = []
    for at in SLOTS:
        body, crc = raw[at : at + 76], raw[at + 76 : at + SLOT]
        if struct.pack(">I", zlib.crc32(body)) == crc:
            valid.append((struct.unpack(">I", body[:4])[0], body[4:]))
    if not valid:
        raise Corrupt("no key slot is valid")
    epoch, wrapped = max(valid, key=lambda slot: slot[0])  # the first, if equal
    (part,) = struct.unpack(">I", raw[80:84])
    return Header(raw[16:32], raw[32:48], raw[48:64], raw[64:80], part, epoch, wrapped)


# --- stream


def derive(data_key, header, salt):
    info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + salt + header.context()
    okm = HKDFExpand(hashes.SHA512(), 76, info).derive(data_key)
    return AESGCM(okm[:32]), okm[32:44], okm[44:]


def chunk_nonce(base, i):
    return (int.from_bytes(base, "big") ^ i).to_bytes(12, "big")


def seal_stream(data_key, header, salt, plain):
    gcm, base, commitment = derive(data_key, header, salt)
    out = [salt, commitment]
    for i in range(len(plain) // CHUNK + 1):
        out.append(gcm.encrypt(chunk_nonce(base, i), plain[i * CHUNK : (i + 1) * CHUNK], None))
    return b"".join(out)


def open_stream(data_key, header, stream):
    body = len(stream) - HEAD
    if body < TAG or body % (CHUNK + TAG) < TAG:
        raise Corrupt("a length that no stream has")
    gcm, base, commitment = derive(data_key, header, stream[:24])
    if not hmac.compare_digest(commitment, stream[24:HEAD]):
        raise Corrupt("the commitment")
    out = []
    for i in range(body // (CHUNK + TAG) + 1):
        at = HEAD + i * (CHUNK + TAG)
        try:
            out.append(gcm.decrypt(chunk_nonce(base, i), stream[at : at + CHUNK + TAG], None))
        except InvalidTag:
            raise Corrupt(f"chunk {i}") from None
    return b"".join(out)


# --- blob


def seal_blob(domain_key, header, data_key, wrap_nonce, salt, plain):
    header.wrapped = wrap(domain_key, header, data_key, wrap_nonce)
    return encode_header(header) + seal_stream(data_key, header, salt, plain)


def open_blob(domain_key, blob):
    header = decode_header(blob)
    return open_stream(unwrap(domain_key, header), header, blob[HEADER:])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        sys.stdout.buffer.write(open_blob(bytes.fromhex(sys.argv[1]), sys.stdin.buffer.read()))
    except Corrupt as e:
        sys.exit(f"corrupt: {e}")


if __name__ == "__main__":
    main()
