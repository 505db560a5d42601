"""A sender of HL7 v2 over MLLP and mutual TLS, as plain as can be, for tests that look at every byte."""

import re
import select
import socket
import ssl
import subprocess

BEGIN, END = b"\x0b", b"\x1c\r"


def frame(message):
    return BEGIN + message + END


def adt(control_id, patient="SYNTHETIC-1", event="A01", head=b"", more=b""):
    """an admission of somebody who does not exist"""
    c, p, e = (x if isinstance(x, bytes) else x.encode() for x in (control_id, patient, event))
    return (b"MSH|^~\\&|LAB|HOSP|EHR|NORTH|20260102030405+0000||ADT^" + e + b"|" + c + b"|P|2.5" + head + b"\rEVN|" + e + b"|20260102\rPID|1||" + p
            + b"^^^HOSP^MR||DOE^SYNTHETIC||19700102|F\r" + more)


class Feed:
    """its certificate, and connections that it proves"""

    def __init__(self, house, name, port, add=True):
        self.house, self.name, self.port = house, name, port
        self.cert, self.key = house.top / f"{name}.pem", house.top / f"{name}.key"
        if add:
            self.id = house.people["admin"].cli("feed", "add", name, "--out", str(house.top / name))["id"]

    def context(self):
        c = ssl.create_default_context(cafile=str(self.house.ca))
        c.load_cert_chain(self.cert, self.key)
        return c

    def connect(self, context=None, timeout=30):
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=timeout)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Sender((context or self.context()).wrap_socket(raw, server_hostname="127.0.0.1"))

    def revoke(self):
        self.house.people["admin"].cli("user", "revoke", self.name)


def stranger(top, name="stranger"):
    """a certificate of another authority"""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                    f"/CN={name}", "-keyout", str(top / f"{name}.key"), "-out", str(top / f"{name}.pem")], check=True, capture_output=True)
    return top / f"{name}.pem", top / f"{name}.key"


class Sender:
    def __init__(self, s):
        self.s, self.data = s, b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.s.close()

    def raw(self, data):
        self.s.sendall(data)

    def answer(self):
        """the next frame's payload; None: the connection ended"""
        while True:
            found = re.match(rb"\x0b(.*?)\x1c\r", self.data, re.DOTALL)
            if found:
                self.data = self.data[found.end():]
                return found.group(1)
            assert not self.data or self.data.startswith(BEGIN), self.data
            try:
                more = self.s.recv(65536)
            except (ConnectionResetError, ssl.SSLError):
                return None
            if not more:
                return None
            self.data += more

    def silent(self, seconds=0.3):
        """nothing has come, and nothing comes for a little while"""
        return not self.data and not self.s.pending() and not select.select([self.s], [], [], seconds)[0]

    def send(self, message):
        self.raw(frame(message))
        return self.answer()


def code(answer):
    """('AA', 'M1'): of an answer's MSA"""
    found = re.search(rb"\rMSA\|(\w\w)\|([^|\r]*)", answer or b"")
    return (found.group(1).decode(), found.group(2).decode()) if found else None


def error(answer):
    """table 0357"""
    return int(re.search(rb"\rERR\|[^|]*\|[^|]*\|(\d+)", answer).group(1))
