"""A researcher's browser, as far as a notebook needs one: the ticket becomes a cookie, and from then on it is the notebook server's own API behind the gate."""

import http.client
import json
import urllib.parse

from house import Bad


class Notebook:
    def __init__(self, url, context):
        parts = urllib.parse.urlsplit(url)
        self.context, self.host, self.port, self.cookies = context, parts.hostname, parts.port, {}
        status, headers, _ = self.request("GET", parts.path + ("?" + parts.query if parts.query else ""))
        if status not in (302, 303):
            raise Bad(f"the ticket did not open the cell ({status})")
        self.base = urllib.parse.urlsplit(headers["location"]).path.removesuffix("/lab").rstrip("/")

    def request(self, method, path, body=None):
        connection = http.client.HTTPSConnection(self.host, self.port, context=self.context, timeout=60)
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()), "Origin": f"https://{self.host}:{self.port}"}
        if "_xsrf" in self.cookies:
            headers["X-XSRFToken"] = self.cookies["_xsrf"]
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            text = answer.read()
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    k, v = value.split(";", 1)[0].split("=", 1)
                    self.cookies[k] = v
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, text
        finally:
            connection.close()

    def get(self, path):
        return self.request("GET", self.base + path)

    def write(self, name, text):
        """a text file in the home folder, as the editor saves it"""
        status, _, answer = self.request("PUT", f"{self.base}/api/contents/{name}", json.dumps({"type": "file", "format": "text", "content": text}))
        if status not in (200, 201):
            raise Bad(f"the notebook does not save {name}: {status} {answer[:200]!r}")

    def read(self, name):
        status, _, answer = self.request("GET", f"{self.base}/api/contents/{name}?type=file&format=text&content=1")
        if status != 200:
            raise Bad(f"the notebook does not open {name}: {status}")
        return json.loads(answer)["content"]
