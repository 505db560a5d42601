"""The peers: nginx and Ceph RGW, each on loopback over TLS, stopped by process id."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "test" / "system"))
from house import free_port  # noqa: E402


def certificate(top):
    """a self-signed P-256 certificate: (certificate, key)"""
    cert, key = top / "peer.pem", top / "peer.key"
    if not cert.exists():
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)],
                       check=True, capture_output=True)
    return cert, key


class Nginx:
    def __init__(self, top):
        self.top = pathlib.Path(top) / "nginx"
        self.root = self.top / "root"
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"

    def __enter__(self):
        (self.root / "dav").mkdir(parents=True)
        for name in ("body", "logs"):
            (self.top / name).mkdir()
        cert, key = certificate(self.top)
        config = self.top / "nginx.conf"
        config.write_text(f"""
            daemon off; master_process off; pid {self.top}/pid; error_log {self.top}/logs/error.log;
            {'user root;' if os.geteuid() == 0 else ''}
            load_module modules/ngx_http_dav_ext_module.so;
            events {{ worker_connections 1024; }}
            http {{ access_log off; sendfile on; client_max_body_size 0; client_body_temp_path {self.top}/body;
              proxy_temp_path {self.top}/p; fastcgi_temp_path {self.top}/f; uwsgi_temp_path {self.top}/u; scgi_temp_path {self.top}/s;
              server {{ listen 127.0.0.1:{self.port} ssl; ssl_certificate {cert}; ssl_certificate_key {key};
                ssl_protocols TLSv1.2 TLSv1.3; keepalive_requests 1000000; root {self.root};
                location /dav/ {{ dav_methods PUT DELETE; create_full_put_path on; }} }} }}""".replace(
            "load_module modules/ngx_http_dav_ext_module.so;\n", ""))
        self.process = subprocess.Popen(["nginx", "-c", str(config), "-p", str(self.top)], stderr=subprocess.DEVNULL)
        wait_for(self.url)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.top, ignore_errors=True)


class MllpReceiver:
    """python-hl7 as a receiver (mllp_peer.py); its certificate is server, client and authority in one"""

    def __init__(self, top):
        self.top = pathlib.Path(top)
        self.port = free_port()

    def __enter__(self):
        self.cert, self.key = certificate(self.top)
        program = pathlib.Path(__file__).with_name("mllp_peer.py")
        self.process = subprocess.Popen([sys.executable, program, str(self.port), self.cert, self.cert, self.key, self.top / "received"])
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                if time.monotonic() > until or self.process.poll() is not None:
                    self.__exit__()
                    raise RuntimeError("mllp_peer.py does not listen") from None
                time.sleep(0.05)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def wait_for(url, seconds=60):
    until = time.monotonic() + seconds
    while subprocess.run(["curl", "-sk", "-o", "/dev/null", url], check=False).returncode != 0:
        if time.monotonic() > until:
            raise RuntimeError(f"{url} does not answer")
        time.sleep(0.1)


CEPH = """[global]
fsid = {fsid}
mon initial members = a
mon host = v1:127.0.0.1:{mon}
ms bind msgr2 = false
public addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd crush chooseleaf type = 0
mon allow pool size one = true
osd objectstore = memstore
memstore device bytes = 2147483648
osd data = {top}/osd$id
mon data = {top}/mon.$id
mgr data = {top}/mgr.$id
run dir = {top}/run
log file = {top}/$name.log
admin socket = {top}/run/$name.asok
pid file = {top}/run/$name.pid
keyring = {top}/keyring
osd class load list = *
osd class default list = *
[client.rgw]
rgw frontends = beast ssl_endpoint=127.0.0.1:{port} ssl_certificate={cert} ssl_private_key={key}
rgw crypt default encryption key = YmluCmJvb3N0CmJvb3N0LWJ1aWxkCmNlcGguY29uZgo=
"""


class Rgw:
    """One monitor, one manager, one OSD in memory, one gateway (Ceph's manual deployment, on loopback)."""
    key, secret = "BENCHKEY", "benchsecret"

    def __init__(self, top):
        self.top = pathlib.Path(top) / "rgw"
        self.port, self.mon = free_port(), free_port()
        self.url = f"https://127.0.0.1:{self.port}"

    @staticmethod
    def available():
        return all(shutil.which(p) for p in ("radosgw", "ceph-mon", "ceph-mgr", "ceph-osd", "ceph", "monmaptool", "radosgw-admin"))

    def call(self, *words, **options):
        done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=120,
                              env=os.environ | {"CEPH_CONF": str(self.top / "ceph.conf")}, **options)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(words)}: {done.returncode} {done.stderr[-600:]}")
        return done.stdout

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        for name in ("run", "mon.a", "mgr.x", "osd0"):
            (self.top / name).mkdir(parents=True)
        cert, key = certificate(self.top)
        fsid = str(uuid.uuid4())
        (self.top / "ceph.conf").write_text(CEPH.format(fsid=fsid, mon=self.mon, top=self.top, port=self.port, cert=cert, key=key))
        self.call("monmaptool", "--create", "--addv", "a", f"v1:127.0.0.1:{self.mon}", "--fsid", fsid, str(self.top / "monmap"))
        ring = str(self.top / "keyring")
        self.call("ceph-authtool", "-C", ring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        self.call("ceph-authtool", ring, "--gen-key", "-n", "client.admin", "--cap", "mon", "allow *", "--cap", "osd", "allow *",
                  "--cap", "mgr", "allow *")
        self.call("ceph-mon", "--mkfs", "-i", "a", "--monmap", str(self.top / "monmap"), "--keyring", ring)
        self.call("ceph-mon", "-i", "a")
        time.sleep(3)
        self.call("ceph-mgr", "-i", "x")
        osd = str(uuid.uuid4())
        self.call("ceph", "osd", "new", osd)
        self.call("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        for left in range(4, -1, -1):  # it may ask its monitor before it knows which cluster it is in: "wrong fsid"
            try:
                self.call("ceph-osd", "-i", "0")
                break
            except RuntimeError:
                if left == 0:
                    raise
                time.sleep(2)
        time.sleep(5)
        self.call("radosgw", "-n", "client.rgw")
        wait_for(self.url)
        self.call("radosgw-admin", "user", "create", "--uid", "bench", "--display-name", "Bench", "--access-key", self.key,
                  "--secret", self.secret)

    def __exit__(self, *_):
        pids = [int(f.read_text()) for f in (self.top / "run").glob("*.pid")]
        for number, wait_s in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
            for pid in pids:
                with contextlib.suppress(OSError):
                    os.kill(pid, number)
            until = time.monotonic() + wait_s
            while time.monotonic() < until and any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids):
                time.sleep(0.1)
        shutil.rmtree(self.top, ignore_errors=True)
