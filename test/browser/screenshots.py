"""Pictures of the console for the README, doc/images/*.png, small; each view light and dark.

    screenshots.py          from the fixture server
    screenshots.py STATE    from the demo's house, which serves: STATE is its folder, STATE-keys beside it has its people

CLOISTER_IMAGES names another folder to write to. Inter is the typeface if the machine has it (Debian: fonts-inter).
"""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import pathlib
import struct
import subprocess
import sys
import time

from browser import Browser
from PIL import Image

TOP = pathlib.Path(__file__).resolve().parents[2]
CLI = pathlib.Path(os.environ.get("CLOISTER_BUILD", TOP / "build")) / "src" / "bin" / "cloister"
OUT = pathlib.Path(os.environ.get("CLOISTER_IMAGES", TOP / "doc" / "images"))
SIZE = {"width": 1360, "height": 900}
STEP_S = 30


def totp(secret):
    """a code is good once: the first of a step"""
    digest = hmac.new(base64.b32decode(secret + "=" * (-len(secret) % 8)), struct.pack(">Q", int(time.time()) // STEP_S), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def of_fixture():
    """address, {role: (name, password, code)}, study, request, record, verifier key"""
    import fixture
    server = fixture.Server()
    house = server.house
    people = {role: (name, fixture.PASSWORD, lambda: fixture.CODE)
              for role, name in (("investigator", "pia"), ("checker", "olga"), ("auditor", "audrey"), ("administrator", "adam"))}
    return f"{server.url}/", people, list(house.studies)[1], next(iter(house.requests)), 1_021, house.ledger.vkey


def of_demo(state):
    keys = state.parent / (state.name + "-keys")

    def ask(who, *words):
        done = subprocess.run([CLI, *words, "--json", "--state", state, "--credentials", keys / f"{who}.json"], capture_output=True, text=True, check=True)
        lines = done.stdout.strip()
        return json.loads(lines) if lines.startswith("[") else [json.loads(line) for line in lines.splitlines()]
    people = {}
    for role, name in (("investigator", "pia"), ("checker", "olga"), ("auditor", "audrey"), ("administrator", "admin")):
        file = keys / (f"{name}.login.json" if name != "admin" else "admin.json")
        login = json.loads(file.read_text())
        people[role] = (login.get("name", name), login["password"], lambda secret=login["totp_secret"]: totp(secret))
    requests = ask("olga", "airlock", "list")
    request = next((r for r in requests if r["state"] == "review"), None) or next((r for r in requests if r["state"] == "released"), requests[0])
    record = ask("audrey", "audit", "show", "--act", "airlock.", "--limit", "1")[0]["n"]
    url = json.loads((keys / "admin.json").read_text())["endpoint"].rstrip("/") + "/console/"
    return url, people, ask("pia", "study", "list")[0]["id"], request["id"], record, (state / "ledger.vkey").read_text().strip()


# ---- what has to be done before a picture ----

def diagram(page):
    page.locator("svg.diagram").wait_for()
    with contextlib.suppress(Exception):  # a house at rest is shown at rest
        page.wait_for_function("() => document.querySelectorAll('.particle[visibility=visible]').length > 4", timeout=6000)


def study(page):
    page.get_by_role("heading", name="Signatures").wait_for()


def review(page):
    page.get_by_role("heading", name="Where it stands").wait_for()
    if page.get_by_role("button", name="Look at this file").count():
        page.get_by_role("button", name="Look at this file").click()
        page.locator(".preview:not(.closed)").wait_for()
    if page.get_by_label("Approve").count():
        page.get_by_label("Approve").check()


def proof(vkey):
    def prepare(page):
        page.get_by_text("The proof verifies.").first.wait_for()
        page.get_by_label("Verifier key").fill(vkey)
        page.get_by_text("signed by this key").wait_for()
        page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0) }")
    return prepare


def sign_in(page, url, name, password, code):
    page.goto(url)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_label("One-time code").fill(code())
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Log off").wait_for()


def smaller(path):
    """few colours are enough for a page; about a third of the bytes"""
    with Image.open(path) as image:
        image.convert("RGB").quantize(160, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(path, optimize=True)


def main(state=None):
    url, people, study_id, request, record, vkey = of_demo(pathlib.Path(state).resolve()) if state else of_fixture()
    OUT.mkdir(parents=True, exist_ok=True)
    with Browser() as browser:
        for name, role, place, prepare in (
            ("console-flow", "administrator", "/flow", diagram), ("console-study", "investigator", f"/studies/{study_id}", study),
            ("console-airlock", "checker", f"/airlock/{request}", review), ("console-proof", "auditor", f"/ledger/{record}", proof(vkey)),
        ):
            page = browser.page(viewport=SIZE, scale=1.25, ignore_https_errors=True)
            sign_in(page, url, *people[role])
            page.evaluate("to => { location.hash = to }", place)
            prepare(page)
            for theme, suffix in (("light", ""), ("dark", "-dark")):
                page.emulate_media(color_scheme=theme)
                page.wait_for_timeout(300)  # colours change softly
                if prepare is diagram:
                    diagram(page)
                path = OUT / f"{name}{suffix}.png"
                page.screenshot(path=path)
                smaller(path)
                print(f"{path.name} {path.stat().st_size // 1024} KiB", flush=True)
            page.context.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
