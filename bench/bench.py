#!/usr/bin/env python3
"""Cloister's speed beside named peers in the same run: a table, and bench/results.json.

bench.py [--quick] [--only NAME,…]  names: large small list ledger mllp fhir release deid start cells

Peers: nginx serving and DAV-writing the same bytes over TLS, unsealed; Ceph RGW from Debian's packages, in memory, over TLS, with
encryption on (its default key), where its packages are installed or can be. Everything listens on 127.0.0.1. Numbers are medians.
"""

import argparse
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "test" / "system"))
sys.path.insert(0, str(TOP / "test" / "tools"))

import boto3  # noqa: E402
import urllib3  # noqa: E402
from botocore.config import Config  # noqa: E402

import cell_house as cells  # noqa: E402
import deid_gold  # noqa: E402
import house as houses  # noqa: E402
from mllp import Feed  # noqa: E402
from peers import MllpReceiver, Nginx, Rgw  # noqa: E402

urllib3.disable_warnings()  # the peers sign for themselves
BUILD = pathlib.Path(os.environ.get("CLOISTER_BUILD", TOP / "build"))
CORPORA = pathlib.Path(os.environ.get("CLOISTER_CORPORA", TOP.parent / "shared" / "corpora"))
MIB = 1 << 20
SMALL = 4096


def say(text):
    print(text, flush=True)


# ---- tools ----

def curl(*words):
    """seconds of one transfer, and its status"""
    done = subprocess.run(["curl", "-sS", "-k", "-o", "/dev/null", "-w", "%{time_total} %{http_code}", *words],
                          capture_output=True, text=True, check=True)
    seconds, status = done.stdout.split()
    assert status in ("200", "201", "204"), f"curl: status {status} {done.stderr}"
    return float(seconds)


def median(function, times):
    return statistics.median(function() for _ in range(times))


def wrk(script, url, clients, seconds):
    """requests a second, p50 and p99 in ms, errors"""
    threads = min(2, clients)
    done = subprocess.run(["wrk", "-t", str(threads), "-c", str(clients), "-d", f"{seconds}s", "--latency", "--timeout", "10s",
                           "-s", str(script), url], capture_output=True, text=True, check=True)
    text = done.stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))

    def percentile(p):
        value, unit = re.search(rf"\s{p}%\s+([\d.]+)(us|ms|s)", text).groups()
        return float(value) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]

    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return {"per_s": round(rate), "p50_ms": round(percentile(50), 2), "p99_ms": round(percentile(99), 2),
            "errors": int(bad.group(1)) if bad else 0}


def lua(path, method, targets, body_bytes=0, host=None):
    """a wrk script that asks for presigned targets in turn: signing costs the client nothing"""
    lines = ["local targets = {"] + [f"  {json.dumps(t)}," for t in targets] + ["}", "local at = math.random(#targets)"]
    if body_bytes:
        lines.append(f'wrk.body = string.rep("x", {body_bytes})')
    if host:
        lines.append(f'wrk.headers["Host"] = "{host}"')
    lines += [f'wrk.method = "{method}"', "request = function()", "  at = at % #targets + 1",
              "  return wrk.format(nil, targets[at])", "end"]
    path.write_text("\n".join(lines) + "\n")
    return path


def target(url):
    """path and query of a URL"""
    return "/" + url.split("/", 3)[3]


# ---- the house ----

class Bench:
    def __init__(self, quick):
        self.quick = quick
        self.results = {"cores": os.cpu_count(), "machine": machine(), "rows": []}
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="cloister-bench-"))
        self.top.chmod(0o711)

    def row(self, what, ours, peer=None, peers=None, unit="", bar=None, higher=True):
        """one line of the table; ${bar}: the ratio (or the number, without a peer) that must hold"""
        ratio = ours / peers if peers else None
        value = ratio if peers else ours
        met = None if bar is None else (value >= bar if higher else value <= bar)
        self.results["rows"].append({"what": what, "cloister": round(ours, 3), "unit": unit, "peer": peer,
                                     "peer_value": round(peers, 3) if peers else None,
                                     "ratio": round(ratio, 3) if ratio else None, "bar": bar, "met": met})
        shown = f"{ours:,.0f}" if ours >= 100 else f"{ours:,.2f}"
        line = f"  {what:<44} {shown:>12} {unit:<9}"
        if peers:
            line += f" {peer} {peers:,.0f}  ratio {ratio:.2f}" if peers >= 100 else f" {peer} {peers:,.2f}  ratio {ratio:.2f}"
        if bar is not None:
            line += f"  bar {bar:g}: {'met' if met else 'NOT met'}"
        say(line)

    @contextlib.contextmanager
    def house(self, **configuration):
        h = houses.House(**configuration)
        try:
            h.init().start()
            yield h
        finally:
            h.release()

    def steward(self, h):
        h.add_everybody()
        person = h.people["alice"]
        return person, person.client(max_pool_connections=8)


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        return re.search(r"model name\s*: (.*)", f.read()).group(1)


def presign(client, operation, bucket, key):
    return client.generate_presigned_url(operation, Params={"Bucket": bucket, "Key": key}, ExpiresIn=86400)


# ---- what is measured ----

def bench_large(b):
    """one large object over TLS, one connection"""
    size = (64 if b.quick else 512) * MIB
    times = 3
    source = b.top / "large"
    with source.open("wb") as f:
        for _ in range(size // MIB):
            f.write(os.urandom(MIB))
    say(f"\nLarge objects: {size // MIB} MiB over TLS, one connection, against nginx with the same bytes unsealed")
    with Nginx(b.top) as nginx, b.house() as h:
        shutil.copy(source, nginx.root / "large")
        _, client = b.steward(h)
        client.create_bucket(Bucket="bench-large")
        client.upload_file(str(source), "bench-large", "large")
        get, put = presign(client, "get_object", "bench-large", "large"), presign(client, "put_object", "bench-large", "put")
        warm = [curl(get), curl(f"{nginx.url}/large")]
        del warm
        ours = size / MIB / median(lambda: curl(get), times)
        theirs = size / MIB / median(lambda: curl(f"{nginx.url}/large"), times)
        b.row("GET", ours, "nginx", theirs, "MiB/s", 0.7)
        ours = size / MIB / median(lambda: curl("-H", "Expect:", "-T", str(source), put), times)
        theirs = size / MIB / median(lambda: curl("-H", "Expect:", "-T", str(source), f"{nginx.url}/dav/put"), times)
        b.row("PUT, synced", ours, "nginx DAV", theirs, "MiB/s", 0.7)
        before = h.rss("gate")
        curl(get)
        b.row("gate's memory while it serves that", h.rss("gate") / 1024, unit="MiB RSS", bar=max(64, before / 1024 + 16), higher=False)
    source.unlink()


def small_rates(b, client, bucket, url, objects, seconds, host=None):
    """{(method, clients): result}"""
    out = {}
    gets = [target(presign(client, "get_object", bucket, f"small/{i:05}")) for i in range(objects)]
    puts = [target(presign(client, "put_object", bucket, f"small/{i:05}")) for i in range(objects)]
    for method, targets, body in (("PUT", puts, SMALL), ("GET", gets, 0)):
        script = lua(b.top / f"{method}.lua", method, targets, body, host)
        for clients in (1, 8, 64):
            out[method, clients] = wrk(script, url, clients, seconds)
    return out


def bench_small(b):
    """4 KiB objects at 1, 8 and 64 clients"""
    seconds = 3 if b.quick else 8
    objects = 500
    say(f"\nSmall objects: 4 KiB over TLS, each with a durable record, {seconds} s each")
    with b.house() as h:
        _, client = b.steward(h)
        client.create_bucket(Bucket="bench-small")
        for i in range(objects):
            client.put_object(Bucket="bench-small", Key=f"small/{i:05}", Body=b"x" * SMALL)
        ours = small_rates(b, client, "bench-small", h.url, objects, seconds)
    theirs = {}
    if Rgw.available():
        with Rgw(b.top) as rgw:
            peer = boto3.client("s3", endpoint_url=rgw.url, verify=False, region_name="us-east-1", aws_access_key_id=rgw.key,
                                aws_secret_access_key=rgw.secret, config=Config(
                                    signature_version="s3v4", s3={"addressing_style": "path"},
                                    request_checksum_calculation="when_required"))
            peer.create_bucket(Bucket="bench-small")
            for i in range(objects):
                peer.put_object(Bucket="bench-small", Key=f"small/{i:05}", Body=b"x" * SMALL)
            theirs = small_rates(b, peer, "bench-small", rgw.url, objects, seconds)
    else:
        say("  Ceph RGW is not installed (radosgw ceph-mon ceph-mgr ceph-osd ceph-common uuid-runtime): no peer")
    bars = {("GET", 64): 5, ("PUT", 64): 3}
    for (method, clients), r in ours.items():
        peer = theirs.get((method, clients))
        assert r["errors"] == 0, f"{method} at {clients}: {r['errors']} errors"
        b.row(f"{method} 4 KiB, {clients} clients (p50 {r['p50_ms']} p99 {r['p99_ms']} ms)", r["per_s"],
              f"RGW (p50 {peer['p50_ms']} p99 {peer['p99_ms']} ms)" if peer else None, peer["per_s"] if peer else None, "/s",
              bars.get((method, clients)) if peer else None)
        b.results["rows"][-1] |= {"latency": r, "peer_latency": peer}


def bench_list(b):
    """listing: whole buckets through HTTPS; up to 10^6 keys inside the vault"""
    say("\nListing")
    counts = (1000, 10000) if b.quick else (1000, 10000, 30000)
    with b.house() as h:
        _, client = b.steward(h)
        client.create_bucket(Bucket="bench-list")
        made = 0
        for count in counts:
            urls = [target(presign(client, "put_object", "bench-list", f"keys/{i:07}")) for i in range(made, count)]
            fill(b, h.url, urls)
            made = count
            begun = time.monotonic()
            pages = client.get_paginator("list_objects_v2").paginate(Bucket="bench-list")
            got = sum(len(p.get("Contents", ())) for p in pages)
            assert got == count, f"{got} of {count} keys listed"
            b.row(f"{count:,} keys by boto3 over HTTPS", got / (time.monotonic() - begun), unit="keys/s")
    folder = b.top / "vault"
    folder.mkdir()
    inside = tool(BUILD / "bench" / "vault_bench", folder, 20000 if b.quick else 1000000)
    for keys, rate in inside["list"].items():
        b.row(f"inside the vault, {int(keys):,} keys", rate, unit="keys/s", bar=100000)
    b.row("inside the vault, 4 KiB puts in batches of 64", inside["put_4k_per_s"], unit="/s")
    shutil.rmtree(folder)


def fill(b, url, targets):
    """each target once, by many connections"""
    config = b.top / "fill.curl"
    with config.open("w") as f:
        for t in targets:
            f.write(f'url = "{url}{t}"\noutput = "/dev/null"\nupload-file = "{b.top}/empty"\n')
    (b.top / "empty").write_bytes(b"")
    subprocess.run(["curl", "-sS", "-k", "--parallel", "--parallel-max", "32", "-K", str(config)],
                   check=True, capture_output=True)


def tool(path, *words):
    """the JSON object that a bench program of ours prints"""
    return json.loads(subprocess.run([str(path), *map(str, words)], capture_output=True, text=True, check=True).stdout)


def bench_ledger(b):
    records = 100000 if b.quick else 1000000
    say(f"\nLedger: {records:,} records in groups of 256, each group synced")
    r = tool(BUILD / "bench" / "ledger_bench", b.top / "ledger", records)
    b.row("append", r["append_per_s"], unit="/s", bar=50000)
    b.row("verify offline", r["verify_per_s"], unit="/s", bar=500000)
    b.row("one subject's history", r["subject_query_ms"], unit="ms")
    shutil.rmtree(b.top / "ledger")


# An order's results, 700 bytes; of nobody.
RESULT = r"""MSH|^~\&|LAB|SYNTHETIC|EHR|NORTH|20260102030405+0000||ORU^R01^ORU_R01|%CONTROLID%|P|2.5.1
PID|1||SYN-0001^^^HOSP^MR||SYNTHETIC^PERSON^Q||19700102|F|||1 EXAMPLE ST^^TOWN^MA^02139^USA
PV1|1|I|WARD^7^A^HOSP||||1234^DOCTOR^SYNTHETIC|||||||||||V0001
ORC|RE|ORD1|FIL1||CM
OBR|1|ORD1|FIL1|24323-8^Comprehensive metabolic panel^LN|||20260102020000+0000
OBX|1|NM|2345-7^Glucose^LN||98|mg/dL|70-105|N|||F
OBX|2|NM|3094-0^Urea nitrogen^LN||14|mg/dL|6-20|N|||F
OBX|3|NM|2160-0^Creatinine^LN||0.9|mg/dL|0.6-1.2|N|||F
OBX|4|NM|2951-2^Sodium^LN||140|mmol/L|136-145|N|||F
OBX|5|NM|2823-3^Potassium^LN||4.1|mmol/L|3.5-5.1|N|||F
NTE|1||A result that somebody made up for a measurement of speed.
"""


def bench_mllp(b):
    """HL7 v2 over MLLP and mutual TLS, each sender in lock-step"""
    seconds = 3 if b.quick else 10
    say(f"\nHL7 v2 over MLLP, mutual TLS, each sender waits for its acknowledgement, {seconds} s each")
    message = b.top / "message"
    message.write_text(RESULT.replace("\n", "\r"))
    load = BUILD / "bench" / "mllp_load"
    rates = {}

    def measure(port, ca, cert, key, who):
        for senders in (1, 32):
            r = tool(load, "127.0.0.1", port, ca, cert, key, senders, seconds, message)
            assert r["other"] == 0, f"{who}: {r['other']} messages were not accepted"
            rates[who, senders] = r

    port = houses.free_port()
    with b.house(intake={"mllp": [f"127.0.0.1:{port}"]}) as h:
        h.add_everybody()
        feed = Feed(h, "bench-lab", port)
        measure(port, h.ca, feed.cert, feed.key, "cloister")
    with MllpReceiver(b.top) as peer:
        measure(peer.port, peer.cert, peer.cert, peer.key, "peer")
    for senders, bar in ((1, 500), (32, 5000)):
        ours, theirs = rates["cloister", senders], rates["peer", senders]
        b.row(f"{senders} sender{'s' if senders > 1 else ''}: sealed, recorded, synced (p50 {ours['p50_ms']:.1f} p99 {ours['p99_ms']:.1f} ms)",
              ours["per_s"], unit="/s", bar=bar)
        b.row(f"{senders} sender{'s' if senders > 1 else ''}: beside python-hl7 that syncs a plain file", ours["per_s"],
              f"python-hl7 (p50 {theirs['p50_ms']:.1f} ms)", theirs["per_s"], "/s")


def bench_fhir(b):
    """documents of a FHIR client through the gate, and how soon they are in the pool"""
    patients = 100 if b.quick else 600
    say(f"\nFHIR R4: transaction bundles of {patients} synthetic patients by 4 clients over mutual TLS, until all of it is in the pool")
    subprocess.run([str(BUILD / "src/bin/cloister"), "synth", "--out", str(b.top / "hospital"), "--patients", str(patients), "--format", "fhir"], check=True,
                   capture_output=True)
    bundles = (b.top / "hospital/fhir/bundles.ndjson").read_bytes().splitlines()
    resources = sum(len(json.loads(line)["entry"]) for line in bundles)
    with b.house() as h:
        h.add_everybody()
        feed = Feed(h, "bench-clinic", 0)

        def deliver(part):
            connection = http.client.HTTPSConnection("127.0.0.1", h.port, context=feed.context(), timeout=120)
            for bundle in part:
                connection.request("POST", "/fhir", bundle, {"Content-Type": "application/fhir+json"})
                answer = connection.getresponse()
                answer.read()
                assert answer.status == 200, answer.status
        begun = time.monotonic()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(deliver, [bundles[i::4] for i in range(4)]))
        taken = time.monotonic() - begun
        while True:
            flow = h.people["audrey"].cli("flow")
            if flow["landing"]["done"] >= flow["landing"]["newest"] > 0 and sum(flow["pool"]["resources"].values()) >= resources * 0.9:
                break
            assert time.monotonic() - begun < 300, flow["landing"]
            time.sleep(0.05)
        mapped = time.monotonic() - begun
    b.row("accepted: checked, sealed, recorded, synced", resources / taken, unit="resources/s")
    b.row("from the first byte until all is in the pool", resources / mapped, unit="resources/s", bar=20000)
    shutil.rmtree(b.top / "hospital")


def bench_release(b):
    """a de-identified release out of a pool in memory: rules, notes, Parquet and CSV, re-scan"""
    patients = 300 if b.quick else 1500
    say(f"\nRelease: {patients} patients with 100 observations each, safe-harbor, all tables, searched again")
    r = tool(BUILD / "bench" / "release_bench", patients, 100)
    b.row("rows released, by the clock", r["rows_per_s"], unit="rows/s")
    b.row("rows released, a processor's second", r["rows_per_cpu_s"], unit="rows/s")


def bench_deid(b):
    """recall and precision of de-identification on injected surrogates, by category"""
    say("\nDe-identification, on a gold with injected surrogates; a third of all names is in no dictionary")
    out = b.top / "gold"
    notes, names = CORPORA / "notes", CORPORA / "dict/census1990/names"
    real = notes.is_dir() and names.is_dir()
    made = deid_gold.make(out, BUILD / "src/bin/cloister", *([notes, names] if real else []), count=100 if b.quick else 400)
    for file, what in (("gold.txt", "wording of the rules"), ("other.txt", "a second wording"), ("blind.txt", "a third"),
                       ("fourth.txt", "a wording that no rule was made for")):
        if file != "gold.txt" and not made.get("injected"):
            continue
        m = tool(BUILD / "bench" / "deid_gold_bench", out, file)
        b.row(f"{what}: recall, identifiers known", m["known"]["recall"], bar=0.99)
        b.row(f"{what}: recall, unseen", m["unseen"]["recall"], bar=0.95)
        b.row(f"{what}: recall of names in no dictionary, unseen", m["unseen"]["held_out_recall"])
        b.row(f"{what}: clinical words taken out", 100 * m["unseen"]["words_gone"], unit="%")
        if file == "gold.txt":
            b.row("notes a second, one core", m["known"]["notes_per_cpu_s"], unit="/s", bar=1000)
            for category, v in m["known"]["by_category"].items():
                unseen = m["unseen"]["by_category"].get(category, {})
                say(f"    {category:<10} {v['spans']:>6} places   known: recall {v['recall']:.3f}, precision {v['precision']:.3f}   "
                    f"unseen: recall {unseen.get('recall', 0):.3f}")
    shutil.rmtree(out)


def bench_start(b):
    """start to ready, and memory at rest and under load"""
    say("\nStart and memory")
    with b.house() as h:
        assert h.stop() == 0
        times = []
        for _ in range(3):
            begun = time.monotonic()
            h.start()
            times.append(time.monotonic() - begun)
            if len(times) < 3:
                h.stop()
        b.row("start to first answer", statistics.median(times), unit="s", bar=1.0, higher=False)
        time.sleep(2)
        b.row("idle memory, all processes", memory(h), unit="MiB PSS", bar=50, higher=False)
        _, client = b.steward(h)
        client.create_bucket(Bucket="bench-memory")
        url = target(presign(client, "put_object", "bench-memory", "k"))
        script = lua(b.top / "memory.lua", "PUT", [url], SMALL)
        wrk(script, h.url, 64, 3)
        b.row("memory after 64 clients", memory(h), unit="MiB PSS")


def bench_cells(b):
    """a cell's room, its notebook, a release into it; with stand-ins for warden and ledger"""
    say("\nCells")
    if os.geteuid() != 0 or not (cells.TOOLS / "bin" / "python").exists():
        say("  not measured: cells need root, and their tools in the build folder")
        return
    h = cells.CellHouse(memory_mib=2048, disk_mib=512).start()
    rooms, notebooks, stages = [], [], []
    data = os.urandom(64 * MIB)
    try:
        for _ in range(2 if b.quick else 5):
            begun = time.monotonic()
            c = h.open()
            rooms.append(time.monotonic() - begun)
            c.until(lambda s: s["notebook"])
            notebooks.append(time.monotonic() - begun)
            begun = time.monotonic()
            c.stage([("parquet/measurement.parquet", data)])
            stages.append(len(data) / MIB / (time.monotonic() - begun))
            c.close()
    finally:
        h.release()
    b.row("a cell's walls stand after", statistics.median(rooms), unit="s")
    b.row("its notebook answers after", statistics.median(notebooks), unit="s", bar=60, higher=False)
    b.row("a release into it", statistics.median(stages), unit="MiB/s")


def memory(h):
    """MiB, shared pages counted once"""
    total = 0
    for pid in h.pids().values():
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += int(re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE).group(1))
    return total / 1024


ALL = {"large": bench_large, "small": bench_small, "list": bench_list, "ledger": bench_ledger, "mllp": bench_mllp, "fhir": bench_fhir,
       "release": bench_release, "deid": bench_deid, "start": bench_start, "cells": bench_cells}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="smaller sizes and shorter runs")
    parser.add_argument("--only", default=",".join(ALL), help="a comma-separated list of: " + " ".join(ALL))
    options = parser.parse_args()
    b = Bench(options.quick)
    say(f"{b.results['machine']}, {b.results['cores']} cores; client, peers and Cloister share them")
    try:
        for name in options.only.split(","):
            ALL[name](b)
    finally:
        shutil.rmtree(b.top, ignore_errors=True)
    out = TOP / "bench" / "results.json"
    out.write_text(json.dumps(b.results, indent=1) + "\n")
    bars = [r for r in b.results["rows"] if r["met"] is not None]
    say(f"\n{sum(r['met'] for r in bars)} of {len(bars)} bars met; written to {out.relative_to(TOP)}")


if __name__ == "__main__":
    main()
