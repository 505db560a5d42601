"""AWS Signature Version 4 in the test's own hands, so that each step of it can be done wrongly.

Written from the AWS General Reference, "Create a signed AWS API request", and the S3 API Reference, "Authenticating Requests".
"""

import datetime
import hashlib
import hmac
from urllib.parse import quote

UNSIGNED = "UNSIGNED-PAYLOAD"
STREAMING = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
STREAMING_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
EMPTY = hashlib.sha256(b"").hexdigest()


def mac(key, text):
    return hmac.new(key, text.encode() if isinstance(text, str) else text, hashlib.sha256).digest()


def now(offset_s=0):
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=offset_s)


class Signer:
    def __init__(self, house, person, region="us-east-1", service="s3", at=None):
        self.house, self.person, self.region, self.service = house, person, region, service
        self.time = (at or now()).strftime("%Y%m%dT%H%M%SZ")
        self.scope = f"{self.time[:8]}/{region}/{service}/aws4_request"
        self.key = b"AWS4" + person.secret.encode()
        for part in self.scope.split("/"):
            self.key = mac(self.key, part)

    def sign(self, canonical):
        self.to_sign = f"AWS4-HMAC-SHA256\n{self.time}\n{self.scope}\n{hashlib.sha256(canonical.encode('latin-1')).hexdigest()}"
        return mac(self.key, self.to_sign).hex()

    @staticmethod
    def canonical(method, path, query, headers, signed, payload_hash):
        pairs = sorted(query)
        line = "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in pairs)
        lower = {k.lower(): " ".join(str(v).split()) for k, v in headers.items()}
        block = "".join(f"{h}:{lower.get(h, '')}\n" for h in signed)
        return f"{method}\n{path}\n{line}\n{block}\n{';'.join(signed)}\n{payload_hash}"

    def headers(self, method, path, body=b"", query=(), headers=None, payload_hash=None, leave_out=()):
        """the headers of a signed request; ${path} is already percent-encoded"""
        all_ = {"Host": f"127.0.0.1:{self.house.port}", "x-amz-date": self.time,
                "x-amz-content-sha256": payload_hash or hashlib.sha256(body).hexdigest()} | (headers or {})
        signed = sorted(k.lower() for k in all_ if k.lower() not in leave_out and k.lower() not in ("content-length", "expect"))
        self.signature = self.sign(self.canonical(method, path, query, all_, signed, all_["x-amz-content-sha256"]))
        all_["Authorization"] = (f"AWS4-HMAC-SHA256 Credential={self.person.access_key}/{self.scope}, "
                                 f"SignedHeaders={';'.join(signed)}, Signature={self.signature}")
        return all_

    def request(self, method, path, body=b"", query=(), headers=None, change=None, **options):
        """signs, lets ${change}(headers) spoil it, sends"""
        all_ = self.headers(method, path, body, query, headers, **options)
        if change:
            change(all_)
        line = "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in query)
        return self.house.http(method, path + ("?" + line if line else ""), all_, body)

    def presign(self, method, path, query=(), expires=300, headers=None, signed=("host",)):
        """target with the signature in its query"""
        query = [*query, ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"), ("X-Amz-Credential", f"{self.person.access_key}/{self.scope}"),
                 ("X-Amz-Date", self.time), ("X-Amz-Expires", str(expires)), ("X-Amz-SignedHeaders", ";".join(signed))]
        all_ = {"host": f"127.0.0.1:{self.house.port}"} | (headers or {})
        signature = self.sign(self.canonical(method, path, query, all_, list(signed), UNSIGNED))
        query.append(("X-Amz-Signature", signature))
        return path + "?" + "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in query)

    # ---- aws-chunked ----

    def chunk_signature(self, previous, data):
        text = f"AWS4-HMAC-SHA256-PAYLOAD\n{self.time}\n{self.scope}\n{previous}\n{EMPTY}\n{hashlib.sha256(data).hexdigest()}"
        return mac(self.key, text).hex()

    def trailer_signature(self, previous, trailer):
        text = f"AWS4-HMAC-SHA256-TRAILER\n{self.time}\n{self.scope}\n{previous}\n{hashlib.sha256(trailer).hexdigest()}"
        return mac(self.key, text).hex()

    def chunked(self, chunks, trailer=None):
        """the body of a signed streaming upload, after headers(); ${trailer}: (name, value)"""
        previous, out = self.signature, b""
        for data in [*chunks, b""]:
            previous = self.chunk_signature(previous, data)
            out += f"{len(data):x};chunk-signature={previous}\r\n".encode() + data
            out += b"\r\n" if data or trailer is None else b""
        if trailer:
            name, value = trailer
            signature = self.trailer_signature(previous, f"{name}:{value}\n".encode())
            out += f"{name}:{value}\r\nx-amz-trailer-signature:{signature}\r\n\r\n".encode()
        return out

    @staticmethod
    def chunked_unsigned(chunks, trailer=None):
        out = b"".join(f"{len(d):x}\r\n".encode() + d + b"\r\n" for d in chunks) + b"0\r\n"
        if trailer:
            out += f"{trailer[0]}:{trailer[1]}\r\n".encode()
        return out + b"\r\n"

    def put_stream(self, path, chunks, kind=STREAMING, trailer=None, spoil=None, headers=None, claimed=None, drop=None):
        """PutObject with aws-chunked; ${spoil}(body) -> body"""
        size = sum(map(len, chunks)) if claimed is None else claimed
        extra = {"Content-Encoding": "aws-chunked", "x-amz-decoded-content-length": str(size)} | (headers or {})
        if trailer:
            extra["x-amz-trailer"] = trailer[0]
        for name in drop or ():
            extra.pop(name, None)
        all_ = self.headers("PUT", path, headers=extra, payload_hash=kind)
        body = self.chunked_unsigned(chunks, trailer) if kind == UNSIGNED_TRAILER else self.chunked(chunks, trailer)
        if spoil:
            body = spoil(body)
        all_["Content-Length"] = str(len(body))
        return self.house.http("PUT", path, all_, body)
