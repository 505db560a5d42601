"""Pictures of the console for the README: doc/images/*.png, small.

    screenshots.py                      from the fixture server
    screenshots.py URL STORY.json       from a house: STORY.json has {"people": {"olga": {"password", "totp"}}, "study", "request", "record", "vkey"}

STORY's names of people are roles: pi, checker, auditor, administrator.
"""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import struct
import sys
import time

from browser import Browser

TOP = pathlib.Path(__file__).resolve().parents[2]
OUT = pathlib.Path(os.environ.get("CLOISTER_IMAGES", TOP / "doc" / "images"))
SIZE = {"width": 1360, "height": 900}


def totp(secret):
    digest = hmac.new(base64.b32decode(secret + "=" * (-len(secret) % 8)), struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def fixture_story():
    import fixture
    server = fixture.Server()
    login = {"password": fixture.PASSWORD, "code": fixture.CODE}
    house = server.house
    return server.url, {"people": {"pi": login | {"name": "pia"}, "checker": login | {"name": "olga"}, "auditor": login | {"name": "audrey"}, "administrator": login | {"name": "adam"}},
                        "study": list(house.studies)[1], "request": next(iter(house.requests)), "record": 1_021, "vkey": house.ledger.vkey}


def shoot(browser, url, story, role, name, place, prepare=None, theme="light", size=None, full=False):
    person = story["people"][role]
    page = browser.page(theme=theme, viewport=size or SIZE, scale=1.25)
    page.goto(url)
    page.get_by_label("Name").fill(person.get("name", role))
    page.get_by_label("Password").fill(person["password"])
    page.get_by_label("One-time code").fill(person.get("code") or totp(person["totp"]))
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Log off").wait_for()
    page.evaluate("to => { location.hash = to }", place)
    page.wait_for_timeout(400)
    if prepare:
        prepare(page)
    OUT.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=OUT / f"{name}.png", full_page=full, animations="disabled")
    page.context.close()
    smaller(OUT / f"{name}.png")


def smaller(path):
    """few colours are enough for a page; about a third of the bytes"""
    from PIL import Image
    with Image.open(path) as image:
        image.convert("RGB").quantize(160, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(path, optimize=True)


def diagram(page):
    page.locator("svg.diagram").wait_for()
    page.wait_for_timeout(4600)  # so that something moves in the picture


def review(page):
    page.get_by_role("button", name="Look at this file").click()
    page.locator(".preview table").wait_for()
    page.get_by_label("Approve").check()


def proof(vkey):
    def prepare(page):
        page.get_by_text("The proof verifies.").first.wait_for()
        page.get_by_label("Verifier key").fill(vkey)
        page.get_by_text("signed by this key").wait_for()
        page.evaluate("scrollTo(0, 0)")
    return prepare


def main(url=None, file=None):
    story = json.loads(pathlib.Path(file).read_text()) if file else None
    if not story:
        url, story = fixture_story()
    only = set(filter(None, os.environ.get("ONLY", "").split(",")))
    with Browser() as browser:
        for name, role, place, prepare, more in (
            ("console-flow", "administrator", "/flow", diagram, {}), ("console-flow-dark", "administrator", "/flow", diagram, {"theme": "dark"}),
            ("console-study", "pi", f"/studies/{story['study']}", None, {}), ("console-study-dark", "pi", f"/studies/{story['study']}", None, {"theme": "dark"}),
            ("console-airlock", "checker", f"/airlock/{story['request']}", review, {}), ("console-airlock-dark", "checker", f"/airlock/{story['request']}", review, {"theme": "dark"}),
            ("console-proof", "auditor", f"/ledger/{story['record']}", proof(story["vkey"]), {}), ("console-proof-dark", "auditor", f"/ledger/{story['record']}", proof(story["vkey"]), {"theme": "dark"}),
        ):
            if not only or name in only:
                shoot(browser, url, story, role, name, place, prepare, **more)
                print(f"{name}.png {(OUT / f'{name}.png').stat().st_size // 1024} KiB", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
