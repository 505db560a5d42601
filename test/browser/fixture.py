"""A stand-in for the house: serves the built console under the gate's policy and answers the API's documents from fixture_data.

Only for tests of the console alone and for pictures; what the house itself does is tested with the house. It is strict about what it is sent,
so that a wrong document is found here. Run by itself it serves until it is stopped: python3 fixture.py [PORT]
"""

import copy
import datetime
import http.server
import json
import mimetypes
import os
import pathlib
import re
import secrets
import sys
import threading

import fixture_data as data

TOP = pathlib.Path(__file__).resolve().parents[2]
CONSOLE = pathlib.Path(os.environ.get("CLOISTER_BUILD", TOP / "build")) / "console"
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "
          "frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
COMMON = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin",
          "Cross-Origin-Resource-Policy": "same-origin"}
PASSWORD, CODE = "correct horse battery staple", "246810"
AUDITORS = {"auditor", "security-officer", "privacy-officer"}


class Refused(Exception):
    def __init__(self, status, code, message, field=None):
        super().__init__(message)
        self.status, self.body = status, {"code": code, "message": message, "requestId": secrets.token_hex(16)} | ({"field": field} if field else {})


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")


class House:
    """the state, and one method a route"""

    def __init__(self):
        self.people = copy.deepcopy(data.PEOPLE)
        self.sessions = {}
        self.idle_seconds = 1800
        self.locked = {"locked": False}
        self.studies = {s["id"]: s for s in data.studies()}
        first = next(iter(self.studies))
        self.releases = {r["id"]: r for r in data.releases(first)}
        cell = data.cell(first, list(self.releases)[-1])
        self.cells = {cell["id"]: cell}
        self.requests = {r["id"]: r for r in data.requests(cell)}
        self.content = {(r["id"], f["n"]): data.CONTENT[f["name"]] for r in self.requests.values() for f in r["files"]}
        self.ledger = data.ledger()
        self.flow = data.flow()
        self.pages = 200  # how many a list answers at once
        self.grows = True
        self.jobs = {}
        self.calls = []
        self.lock = threading.RLock()

    # ---- small things ----

    def need(self, me, *roles):
        if not set(me["roles"]) & set(roles):
            raise Refused(403, "AccessDenied", "Your roles do not allow this.")

    def of(self, table, id_):
        if id_ not in table:
            raise Refused(404, "NotFound", "There is no such thing.")
        return table[id_]

    def job(self, kind, result=None, looks=2):
        id_ = secrets.token_hex(16)
        self.jobs[id_] = {"id": id_, "kind": kind, "state": "queued", "done": 0, "total": 100, "looks": looks, "result": result or {}}
        return id_

    def listed(self, name, all_, after):
        begin = next((i + 1 for i, x in enumerate(all_) if x["id"] == after), 0)
        page = all_[begin:begin + self.pages]
        return {name: page} | ({"more": True} if begin + self.pages < len(all_) else {})

    @staticmethod
    def shape(body, required, optional=()):
        for name in required:
            if name not in body:
                raise Refused(400, "InvalidArgument", "Something is missing.", name)
        for name in body:
            if name not in required and name not in optional:
                raise Refused(400, "InvalidArgument", "There is no such member.", name)

    # ---- session, people, lock-down ----

    def post_session(self, body):
        self.shape(body, ("name", "password", "code"))
        if body["name"] not in self.people or body["password"] != PASSWORD or body["code"] != CODE:
            raise Refused(401, "Unauthenticated", "Who asks could not be verified.")
        token = "cls_" + secrets.token_urlsafe(24)
        self.sessions[token] = body["name"]
        return {"token": token, "name": body["name"], "idle_seconds": self.idle_seconds,
                "expires": (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=12)).isoformat().replace("+00:00", "Z")}

    def get_whoami(self, me):
        return me

    def get_users(self, me, after=""):
        self.need(me, "administrator", *AUDITORS)
        return {"users": sorted((p for n, p in self.people.items() if n > after), key=lambda p: p["name"]), "more": False}

    def post_users(self, me, body):
        self.need(me, "administrator")
        self.shape(body, ("name", "roles"), ("display", "email", "kind"))
        if body["name"] in self.people:
            raise Refused(409, "AlreadyExists", "There is somebody of this name.", "name")
        person = {"id": data.ident(body["name"]), "kind": "person", "state": "active", "created": now()} | body
        self.people[body["name"]] = person
        return person | {"password": "only-once-" + secrets.token_hex(6), "totp_secret": "JBSWY3DPEHPK3PXP", "totp_uri": "otpauth://totp/x"}

    def delete_users_name(self, me, name):
        self.need(me, "administrator", "security-officer")
        self.of(self.people, name).update(state="revoked", revoked=now())
        return self.people[name]

    def get_keys(self, me, person=""):
        return {"keys": [{"access_key": "CLEXAMPLEEXAMPLEEXAM", "person": me["name"], "state": "active", "created": data.at(days=3), "expires": data.at(days=-87), "read_only": True}]}

    def post_keys(self, me, body):
        self.shape(body, ("days", "read_only"))
        return {"access_key": "CLEXAMPLEEXAMPLETWOX", "person": me["name"], "state": "active", "secret": "shown-once-" + secrets.token_hex(8)}

    def get_lockdown(self, me):
        return self.locked

    def post_lockdown(self, me, body):
        self.need(me, "administrator", "security-officer", "privacy-officer")
        self.locked = {"locked": True, "since": now(), "by": me["name"]}
        self.sessions = {}
        return self.locked

    def delete_lockdown(self, me):
        self.need(me, "security-officer", "privacy-officer")
        if self.locked.get("first") not in (None, me["name"]):
            self.locked = {"locked": False}
            return self.locked
        self.locked["first"] = me["name"]
        return {"consent": "first", "needs": "another officer", "seconds": 900, "locked": True}

    def get_status(self, me):
        self.need(me, "administrator", *AUDITORS)
        names = ("warden", "ledger", "vault", "gate", "steward", "intake", "cell")
        return {"time": now(), "uptimeSeconds": 412_331, "locked": self.locked["locked"], "warden": {}, "gate": {"requests": 912_331, "errors": 12, "connections": 31},
                "processes": [{"name": n, "answers": True, "answerMicroseconds": 80 + 31 * i} for i, n in enumerate(names)],
                "ledger": {"records": self.flow["records"], "bytes": 182_311_004, "groups": 40_122, "indexBacklog": 0},
                "vault": {"buckets": 9, "versions": 71_233, "bytes": 88_123_456_789, "uploads": 0, "blobs": 71_009, "blobsBad": 0, "diskFreeBytes": 811_000_000_000, "lastFullCheck": data.at(hours=6)}}

    # ---- the record ----

    def get_audit(self, me, **q):
        self.need(me, *AUDITORS)
        records = [json.loads(r) for r in self.ledger.records]
        who = self.people.get(q.get("who", ""), {}).get("id", q.get("who", ""))
        act = q.get("act", "")
        found = [r for r in reversed(records) if (not who or r.get("who") == who) and (not act or r["act"] == act or (act.endswith(".") and r["act"].startswith(act)))
                 and r["n"] < int(q.get("before", 1 << 50)) and r["time"] >= q.get("from", "") and (not q.get("to") or r["time"] < q["to"])
                 and (not q.get("object") or r.get("object") == q["object"])]
        page = found[:50]
        return {"records": page, "names": {p["id"]: p["display"] for p in data.PEOPLE.values()}, "next": page[-1]["n"] if len(found) > 50 else None}

    def get_audit_head(self, me):
        self.need(me, *AUDITORS)
        return self.ledger.head()

    def get_audit_n_proof(self, me, n):
        self.need(me, *AUDITORS)
        if not n.isdigit() or int(n) >= len(self.ledger.records):
            raise Refused(404, "NotFound", "There is no such record.")
        return self.ledger.proof(int(n))

    # ---- studies, releases ----

    STUDY = ("title", "protocol", "description", "profile", "people", "cohort", "sponsor", "contact", "tables")

    def get_studies(self, me, after=""):
        sees_all = set(me["roles"]) - {"researcher", "principal-investigator"}
        return self.listed("studies", [s for s in self.studies.values() if sees_all or me["name"] == s["pi"] or me["name"] in s["people"]], after)

    def post_studies(self, me, body):
        self.need(me, "principal-investigator")
        self.shape(body, ("title", "protocol", "profile", "cohort"), self.STUDY)
        if not re.match(r"\s*(SELECT|WITH)\b", body["cohort"], re.I):
            raise Refused(400, "InvalidArgument", "A cohort is one SELECT.", "cohort")
        made = data.study(body["title"], body["protocol"], "draft", [], None, created=now(), pi=me["name"], **{k: body[k] for k in ("description", "profile", "people", "cohort", "tables") if k in body})
        self.studies[made["id"]] = made
        return {"study": made["id"]}

    def get_studies_study(self, me, study):
        return self.of(self.studies, study)

    def patch_studies_study(self, me, study, body):
        self.shape(body, (), self.STUDY)
        s = self.of(self.studies, study)
        s.update(body, signatures=[], state="draft", valid=False, missing=([] if s["basis"] else ["basis"]) + ["it", "management", "research", "security"], digest=data.digest(json.dumps(body)))
        return s

    def post_studies_study_basis(self, me, study, body):
        self.need(me, "irb-member", "privacy-officer")
        self.shape(body, ("kind", "board", "number", "document_sha256", "expires"))
        s = self.of(self.studies, study)
        s["basis"] = {"id": secrets.token_hex(16), "recorded_by": me["name"], "recorded": now()} | body
        s["missing"] = [m for m in s["missing"] if m != "basis"]
        return s

    def post_studies_study_signatures(self, me, study, body):
        self.shape(body, ("review", "decision", "digest", "comment"))
        s = self.of(self.studies, study)
        self.need(me, {"it": "it-reviewer", "management": "management-reviewer", "research": "research-reviewer", "security": "security-officer"}[body["review"]])
        if body["digest"] != s["digest"]:
            raise Refused(409, "Conflict", "The study has changed since you looked at it.")
        if body["review"] == "security" and s["missing"] != ["security"]:
            raise Refused(409, "Conflict", "The other signatures or the basis are missing.")
        s["signatures"].append({"who": me["name"], "at": now()} | body)
        if body["decision"] == "sign":
            s["missing"] = [m for m in s["missing"] if m != body["review"]]
            s["state"], s["valid"] = ("review", False) if s["missing"] else ("approved", True)
        return s

    def post_studies_study_close(self, me, study, body):
        self.of(self.studies, study).update(state="closed", valid=False)
        return self.studies[study]

    def post_studies_study_count(self, me, study, body):
        self.of(self.studies, study)
        return {"job": self.job("count", {"patients": 1_311})}

    def post_studies_study_releases(self, me, study, body):
        s = self.of(self.studies, study)
        if not s["valid"]:
            raise Refused(409, "Conflict", "The study is not approved.")
        mine = [r for r in self.releases.values() if r["study"] == study]
        made = copy.deepcopy(data.releases(study)[1]) | {"id": secrets.token_hex(16), "version": len(mine) + 1, "made": now(), "made_by": me["name"]}
        self.releases[made["id"]] = made
        s.update(releases=len(mine) + 1, offer=False)
        return {"job": self.job("release"), "release": made["id"]}

    def get_studies_study_releases(self, me, study):
        return {"releases": [{k: v for k, v in r.items() if k not in ("manifest", "difference")} for r in self.releases.values() if r["study"] == study]}

    def get_releases_release(self, me, release):
        return self.of(self.releases, release)

    # ---- cells ----

    def get_cells(self, me, after=""):
        return self.listed("cells", [c for c in self.cells.values() if me["name"] == c["who"] or "security-officer" in me["roles"]], after)

    def post_cells(self, me, body):
        self.shape(body, ("study", "release"))
        made = data.cell(body["study"], body["release"]) | {"id": secrets.token_hex(16), "who": me["name"], "opened": now()}
        self.cells[made["id"]] = made
        return {"cell": made["id"], "job": self.job("stage")}

    def get_cells_cell(self, me, cell):
        return self.of(self.cells, cell)

    def delete_cells_cell(self, me, cell):
        self.of(self.cells, cell).update(state="closed", closed=now())
        return self.cells[cell]

    def post_cells_cell_enter(self, me, cell, body):
        return {"url": f"{self.origin}/notebook?ticket={secrets.token_hex(16)}", "seconds": 60}

    def post_cells_cell_workers(self, me, cell, body):
        self.shape(body, ("script",))
        worker = {"id": secrets.token_hex(16), "running": True, "started": now()}
        self.of(self.cells, cell)["live"]["workers"].append(worker)
        return {"worker": worker["id"]}

    # ---- airlock ----

    def seen(self, me, request):
        """blind: others' reviews only after one's own"""
        r = dict(request)
        if r["state"] == "review" and not any(v["who"] == me["name"] for v in r["reviews"]):
            r["reviews"] = []
        return r

    def get_airlock(self, me, after=""):
        sees_all = set(me["roles"]) - {"researcher", "principal-investigator"}
        brief = [{k: v for k, v in r.items() if k not in ("files", "reviews", "context")} |
                 {"count": len(r["files"]), "reviewed": any(v["who"] == me["name"] for v in r["reviews"]), "recipient": {"name": r["recipient"]["name"]}}
                 for r in self.requests.values() if sees_all or r["who"] == me["name"]]
        return self.listed("requests", brief, after)

    def post_airlock(self, me, body):
        self.shape(body, ("cell", "direction", "files", "context", "purpose"), ("period", "recipient"))
        cell = self.of(self.cells, body["cell"])
        known = [f for f in body["files"] if f in data.CONTENT] if body["direction"] == "out" else []
        made = data.request(body["purpose"], cell, "review" if known else "draft", known, who=me["name"], submitted=now(), direction=body["direction"])
        if body["direction"] == "in":
            made["files"] = [{"n": n + 1} | f for n, f in enumerate(body["files"])]
        self.requests[made["id"]] = made
        self.content |= {(made["id"], f["n"]): data.CONTENT[f["name"]] for f in made["files"] if f["name"] in data.CONTENT}
        return {"request": made["id"], "job": self.job("collect")}

    def get_airlock_request(self, me, request):
        return self.seen(me, self.of(self.requests, request))

    def get_airlock_request_files_n(self, me, request, n):
        return self.content[request, int(n)]

    def put_airlock_request_files_n(self, me, request, n, body):
        self.content[request, int(n)] = body
        return {"job": self.job("upload")}

    def post_airlock_request_submission(self, me, request, body):
        self.of(self.requests, request)["state"] = "review"
        return {"job": self.job("check")}

    def decided(self, me, request, body):
        self.shape(body, ("decision", "comment", "digest"))
        r = self.of(self.requests, request)
        if body["digest"] != r["digest"]:
            raise Refused(409, "Conflict", "The request has changed since you looked at it.")
        r["reviews"] = [*r["reviews"], {"who": me["name"], "at": now(), "decision": body["decision"], "comment": body["comment"]}]
        return r

    def post_airlock_request_reviews(self, me, request, body):
        self.need(me, "output-checker")
        r = self.decided(me, request, body)
        said = [v["decision"] for v in r["reviews"]]
        if len(said) == 2:
            r["state"] = {"approve": "approved", "return": "returned", "reject": "rejected"}[said[0]] if said[0] == said[1] else "consolidating"
        return {"request": request, "state": r["state"]}

    def post_airlock_request_consolidation(self, me, request, body):
        self.need(me, "privacy-officer", "output-checker")
        r = self.decided(me, request, body)
        r["state"] = {"approve": "approved", "return": "returned", "reject": "rejected"}[body["decision"]]
        return {"request": request, "state": r["state"]}

    def post_airlock_request_release(self, me, request, body):
        self.of(self.requests, request).update(state="released", released=now())
        return {"job": self.job("verify")}

    def delete_airlock_request(self, me, request):
        self.of(self.requests, request)["state"] = "withdrawn"
        return self.requests[request]

    def post_airlock_request_recall(self, me, request, body):
        self.of(self.requests, request)["state"] = "recalled"
        return self.requests[request]

    # ---- patients, jobs, flow ----

    def post_subjects(self, me, body):
        self.need(me, "privacy-officer")
        self.shape(body, ("mrn", "reason"))
        if body["reason"] not in ("patient-request", "complaint", "incident", "audit", "legal", "accounting"):
            raise Refused(400, "InvalidArgument", "A reason is one of six words.", "reason")
        return {"job": self.job("find", {"subjects": [data.ident("subject " + body["mrn"])] if body["mrn"].startswith("MRN") else []})}

    def get_subjects_token_accesses(self, me, token):
        self.need(me, "privacy-officer")
        first = next(iter(self.studies.values()))
        return {"accesses": [{"record": 1_100 - 97 * i, "at": data.at(days=i, hours=3 * i), "who": who, "address": "10.20.0.7", "act": act, "decision": "allow", "study": first["id"],
                              "basis": first["basis"]["id"], "release": next(iter(self.releases))} for i, (who, act) in enumerate((("pia", "release.subject"), ("rolf", "cell.stage"), ("ruth", "cell.stage")))]}

    def get_disclosures(self, me, subject=""):
        self.need(me, "privacy-officer")
        return {"disclosures": data.disclosures()}

    def get_jobs_job(self, me, job):
        j = self.of(self.jobs, job)
        j["looks"] -= 1
        j.update(state="done", done=100) if j["looks"] <= 0 else j.update(state="running", done=60)
        return {k: v for k, v in j.items() if k != "looks"}

    def get_flow(self, me):
        f = self.flow
        if self.grows:
            for i, feed in enumerate(f["feeds"][:6]):
                more = (2, 9, 1, 0, 0, 6)[i]
                feed["accepted"] += more
                if more:
                    feed["last"] = now()
            f["landing"] = {"newest": f["landing"]["newest"] + 1, "done": f["landing"]["newest"]}
            f["pool"]["resources"]["Observation"] += 23
            f["records"] += 18
            if f["records"] % 5 == 0:
                f["releases"] += 1
        f["records"] = max(f["records"], 1_903_441)
        return f

    def post_pool_rebuild(self, me, body):
        self.need(me, "data-steward")
        return {"job": self.job("rebuild")}


ROUTES = [  # (method, pattern, method of House); made from the names: get_studies_study_releases is GET studies/{study}/releases
]
for name in dir(House):
    verb, _, rest = name.partition("_")
    if verb in ("get", "post", "put", "patch", "delete") and rest:
        words, parts, plural = rest.split("_"), [], ""
        for w in words:
            members = {"studies": "study", "releases": "release", "cells": "cell", "users": "name", "subjects": "token", "jobs": "job", "audit": "n", "files": "n", "airlock": "request"}
            parts.append(f"(?P<{w}>[^/]+)" if members.get(plural) == w else w)
            plural = w
        ROUTES.append((verb.upper(), re.compile("/".join(parts)), name))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    house: House

    def log_message(self, *words):
        pass

    def answer(self, status, body, kind="application/json", **headers):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.send_response(status)
        for k, v in {"Content-Type": kind, "Content-Length": str(len(body)), "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **headers}.items():
            self.send_header(k, v)
        self.end_headers()
        self.wfile.write(body)

    def file(self, path):
        file = CONSOLE / (path.removeprefix("/console").lstrip("/") or "index.html")
        if not file.resolve().is_relative_to(CONSOLE.resolve()) or not file.is_file():
            return self.answer(404, b"not here", "text/plain", **COMMON)
        kind = {".js": "text/javascript; charset=utf-8"}.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return self.answer(200, file.read_bytes(), kind, **COMMON)

    def api(self, path):
        target, _, query = path.removeprefix("/api/").partition("?")
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        house = self.house
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        with house.lock:
            house.calls.append((self.command, target))
            if (self.command, target) == ("POST", "session"):
                return self.answer(200, house.post_session(json.loads(raw)))
            if token not in house.sessions:
                raise Refused(401, "Unauthenticated", "Who asks could not be verified.")
            if (self.command, target) == ("DELETE", "session"):
                house.sessions.pop(token)
                return self.answer(200, {})
            me = house.people[house.sessions[token]]
            parameters = dict(p.split("=", 1) for p in query.split("&") if p)
            for method, pattern, name in ROUTES:
                found = pattern.fullmatch(target)
                if method == self.command and found:
                    parameters |= found.groupdict()
                    if method in ("POST", "PATCH"):
                        parameters["body"] = json.loads(raw or b"{}")
                    elif method == "PUT":
                        parameters["body"] = raw
                    said = getattr(house, name)(me, **{k.replace("%3A", ":"): v.replace("%3A", ":") if isinstance(v, str) else v for k, v in parameters.items()})
                    kind = "application/octet-stream" if isinstance(said, bytes) else "application/json"
                    return self.answer(201 if method == "POST" and name.count("_") == 1 else 200, said, kind)
        raise Refused(404, "NotFound", "There is no such address.")

    def do(self):
        try:
            if self.path.startswith("/api/"):
                self.api(self.path)
            elif self.path.startswith("/notebook"):
                self.answer(200, b"<!doctype html><title>Notebook</title><h1>Notebook</h1>", "text/html")
            else:
                self.file(self.path.partition("?")[0])
        except Refused as e:
            self.answer(e.status, e.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do


class Server:
    def __init__(self, port=0):
        self.house = House()
        handler = type("BoundHandler", (Handler,), {"house": self.house})
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.http.daemon_threads = True
        self.house.origin = f"http://127.0.0.1:{self.http.server_port}"
        self.url = f"{self.house.origin}/console"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def stop(self):
        self.http.shutdown()
        self.http.server_close()


if __name__ == "__main__":
    server = Server(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(f"{server.url}/  anybody of {', '.join(data.PEOPLE)}; password {PASSWORD!r}, code {CODE}", flush=True)
    threading.Event().wait()
