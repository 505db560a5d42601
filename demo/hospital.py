"""The synthetic hospital's senders, each as it would stand outside of the house: an interface engine (HL7 v2 over MLLP with mutual TLS), a FHIR client, a
warehouse's nightly drop, and a broker with bedside monitors, which the house polls. Nobody in it has ever lived.
"""

import http.client
import json
import pathlib
import queue
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time

START, END = b"\x0b", b"\x1c\x0d"


def split_mllp(data):
    """the messages of a stream of MLLP frames"""
    return [part[1:] if part.startswith(START) else part for part in data.split(END) if part.strip(b"\r\n")]


def split_hl7(data):
    """the messages of a file: each begins with MSH (or a batch header, which is none); a byte order mark is the file's, not the message's"""
    data = data.removeprefix(b"\xef\xbb\xbf")
    lines = re.split(rb"\r\n|\r|\n", data)
    messages, now = [], None
    for line in lines:
        if line.startswith(b"MSH"):
            now = [line]
            messages.append(now)
        elif line[:3] in (b"FHS", b"BHS", b"BTS", b"FTS"):
            now = None
        elif now is not None and line.strip():
            now.append(line)
    return [b"\r".join(m) + b"\r" for m in messages]


def wanted(message):
    """how many answers the sender asks for on success: one, unless MSH-15 and MSH-16 say otherwise (enhanced mode)"""
    fields = [f.strip() for f in message.split(b"\r", 1)[0].split(message[3:4])[14:16]]
    enhanced = any(f in (b"AL", b"NE", b"ER", b"SU") for f in fields)
    return sum(f in (b"AL", b"SU") for f in fields) if enhanced else 1


def of_patient(message):
    """which sender's connection a message goes over: all of a patient's, in their order, over one"""
    control = message.split(b"\r", 1)[0].split(message[3:4])
    number = re.match(rb"S(\d+)-", control[9]) if len(control) > 9 else None
    return int(number.group(1)) if number else None


class Mllp:
    """a sender in lock-step over mutual TLS: the next message goes when the last is acknowledged"""

    def __init__(self, address, ca, certificate, key):
        host, port = address.rsplit(":", 1)
        context = ssl.create_default_context(cafile=str(ca))
        context.load_cert_chain(certificate, key)
        raw = socket.create_connection((host.strip("[]"), int(port)), timeout=60)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(raw, server_hostname=host.strip("[]"))
        self.rest = b""

    def send(self, message):
        """the first acknowledgement code (MSA-1) and, of a refusal, where and why (ERR-2, ERR-3)"""
        self.socket.sendall(START + message + END)
        left = wanted(message)
        if left == 0:
            return "unasked", ""
        first = None
        while left > 0:
            code, why = self.answer()
            first = first or (code, why)
            left = 0 if code in ("AE", "AR", "CE", "CR") else left - 1  # a refusal is the last word
        return first

    def answer(self):
        while END not in self.rest:
            got = self.socket.recv(65536)
            if not got:
                raise ConnectionError("the house hung up")
            self.rest += got
        frame, self.rest = self.rest.split(END, 1)
        segments = [s.split(b"|") for s in frame.lstrip(START).split(b"\r")]
        code = next((s[1] for s in segments if s[0] == b"MSA"), b"?").decode()
        error = next((s for s in segments if s[0] == b"ERR"), None)
        why = "" if error is None else " ".join(f.decode("ascii", "replace") for f in (error[2:4] if len(error) > 3 else error[1:2]) if f)
        return code, why

    def close(self):
        self.socket.close()


def send_all(connect, messages, connections, each):
    """${messages} over so many connections; each(code, why) of every acknowledgement"""
    lanes = [queue.SimpleQueue() for _ in range(connections)]
    for i, message in enumerate(messages):
        patient = of_patient(message)
        lanes[(i if patient is None else patient) % connections].put(message)
    failed = []

    def run(lane):
        try:
            sender = connect()
            while not lane.empty():
                each(*sender.send(lane.get()))
            sender.close()
        except (OSError, ConnectionError) as e:
            failed.append(e)
    threads = [threading.Thread(target=run, args=(lane,)) for lane in lanes if not lane.empty()]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failed:
        raise failed[0]


class Fhir:
    """a FHIR client with a certificate"""

    def __init__(self, endpoint, ca, certificate, key):
        context = ssl.create_default_context(cafile=str(ca))
        context.load_cert_chain(certificate, key)
        host, port = endpoint.removeprefix("https://").rstrip("/").rsplit(":", 1)
        self.connection = http.client.HTTPSConnection(host.strip("[]"), int(port), context=context, timeout=120)

    def post(self, bundle):
        """the status, and the answer"""
        self.connection.request("POST", "/fhir", body=bundle, headers={"Content-Type": "application/fhir+json"})
        answer = self.connection.getresponse()
        text = answer.read()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, {}


class Broker:
    """a broker on the ward, outside: monitors publish to it, and the house takes from it"""

    def __init__(self, folder, port):
        self.port = port
        self.process = None
        if shutil.which("mosquitto") is None and not pathlib.Path("/usr/sbin/mosquitto").exists():
            raise FileNotFoundError("mosquitto")
        self.configuration = pathlib.Path(folder) / "broker.conf"
        self.configuration.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 0\nsys_interval 1\n")

    def start(self):
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.process = subprocess.Popen([program, "-c", str(self.configuration)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        start_new_session=True)

    def wait_for_subscriber(self, seconds):
        """does the house listen yet? What nobody has subscribed to, a broker does not keep."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            done = subprocess.run(["mosquitto_sub", "-p", str(self.port), "-t", "$SYS/broker/subscriptions/count", "-C", "1", "-W", "3"], capture_output=True,
                                  text=True, check=False)
            if done.stdout.strip().isdigit() and int(done.stdout) > 0:  # this question, below $SYS, is not counted
                return True
            time.sleep(0.2)
        return False

    def publish(self, topic, lines):
        subprocess.run(["mosquitto_pub", "-p", str(self.port), "-t", topic, "-q", "1", "-l"], input=b"\n".join(lines) + b"\n", check=True, timeout=120)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
