"""The console with the real house behind it: real log-in, real decisions, real records."""

import hashlib
import re
import time

import pytest
from conftest import Console
from house import House

PEOPLE = {"pia": ["principal-investigator"], "rolf": ["researcher"], "ivo": ["it-reviewer"], "mona": ["management-reviewer"], "rhea": ["research-reviewer"],
          "ines": ["irb-member"], "olga": ["output-checker"], "audrey": ["auditor"], "sam": ["security-officer"], "paula": ["privacy-officer"], "dana": ["data-steward"]}
STEP_S = 30


@pytest.fixture(scope="module")
def house():
    h = House().init().start()
    try:
        h.add_everybody()
        for name, roles in PEOPLE.items():
            if name not in h.people:
                h.add(name, *roles)
        h.used = {}
        yield h
        assert h.stop() == 0, h.log_text()[-4000:]
        assert h.bugs() == []
    finally:
        h.release()


def next_code(house, name):
    """a code is good once, and may be one step ahead of the clock"""
    wanted = max(house.used.get(name, 0) + 1, int(time.time()) // STEP_S - 1)
    end = time.monotonic() + 4 * STEP_S
    while wanted > int(time.time()) // STEP_S + 1:
        assert time.monotonic() < end
        time.sleep(0.2)
    house.used[name] = wanted
    return house.people[name].code_now(wanted - int(time.time()) // STEP_S)


@pytest.fixture
def at_house(browser, house):
    opened = []

    def make(name=None, place=""):
        c = Console(browser.page(ignore_https_errors=True), house.url + "/console/")
        opened.append(c)
        c.open(place)
        if name:
            c.sign_in(name, house.people[name].password, next_code(house, name))
            c.settle()
        return c

    yield make
    for c in opened:
        c.page.context.close()


def test_the_door(at_house, house):
    c = at_house()
    assert re.search(r"default-src 'none'", house.http("GET", "/console/").headers["content-security-policy"])
    c.page.get_by_label("Name").fill("olga")
    c.page.get_by_label("Password").fill(house.people["olga"].password)
    c.page.get_by_label("One-time code").fill("000000")
    c.page.keyboard.press("Enter")
    c.page.get_by_role("alert").get_by_text("not right").wait_for()
    c.page.complaints.clear()  # the browser notes the refusal
    code = next_code(house, "olga")
    c.sign_in("olga", house.people["olga"].password, code)
    c.page.get_by_role("button", name="Log off").click()
    c.page.get_by_text("You are logged off.").wait_for()
    c.page.get_by_label("Name").fill("olga")
    c.page.get_by_label("Password").fill(house.people["olga"].password)
    c.page.get_by_label("One-time code").fill(code)
    c.page.keyboard.press("Enter")
    c.page.get_by_role("alert").get_by_text("A code is good once").wait_for()


@pytest.mark.parametrize("name", ["admin", "pia", "rolf", "olga", "audrey", "sam", "paula", "dana", "ines", "ivo"])
def test_each_menu(at_house, name):
    """every view that a role is offered opens, accessible, and without an error of the house"""
    c = at_house(name)
    for link in c.page.get_by_role("navigation").get_by_role("link").all():
        place = link.get_attribute("href").removeprefix("#")
        c.go(place)
        c.page.wait_for_load_state("networkidle") if place not in ("/", "/flow", "/feeds", "/health") else None
        assert c.page.get_by_role("alert").all_inner_texts() == [], f"{name} at {place}"
        assert c.page.get_by_text("Not for your roles.").count() == 0, f"{name} at {place}"
    c.accessible(name)
    c.innocent()


def test_a_study_to_its_approval(at_house, house):
    c = at_house("pia", "/studies/new")
    for label, text in (("Title", "Falls at night"), ("Protocol number", "IRB-2026-0200"), ("People", "rolf"), ("Sponsor", "The synthetic hospital"), ("Contact", "+1 555 0100")):
        c.page.get_by_label(label).fill(text)
    c.page.get_by_role("button", name="Save study").click()
    c.page.locator("h1", has_text="Falls at night").wait_for()
    c.page.get_by_text("Missing: a basis, the IT signature").wait_for()
    place = c.page.evaluate("() => location.hash.slice(1)")
    c.innocent()

    c = at_house("ines", place)
    c.page.get_by_role("button", name="Record the basis").click()
    form = c.page.get_by_role("form", name="Basis")
    form.get_by_label("Board").fill("IRB of the synthetic hospital")
    form.get_by_label("Number", exact=True).fill("IRB-2026-0200")
    form.get_by_label("Valid until").fill(time.strftime("%Y-%m-%d", time.gmtime(time.time() + 200 * 86400)))
    c.page.locator("#basis-file").set_input_files({"name": "letter.pdf", "mimeType": "application/pdf", "buffer": b"approved"})
    c.page.wait_for_function("d => document.querySelector('input[pattern]').value === d", arg=hashlib.sha256(b"approved").hexdigest())
    form.get_by_role("button", name="Record the basis").click()
    form.wait_for(state="detached")

    for who in ("ivo", "mona", "rhea", "sam"):
        c = at_house(who)
        c.page.get_by_role("link", name="Falls at night").click()  # what waits for him is on his first page
        c.page.get_by_role("button", name="Approve or refuse" if who == "sam" else "Sign or refuse").click()
        dialog = c.page.get_by_role("dialog")
        digest = re.sub(r"\s", "", dialog.locator(".digest code").inner_text())
        dialog.get_by_label("Approve" if who == "sam" else "Sign", exact=True).check()
        dialog.get_by_label("Comment").fill("As discussed.")
        dialog.get_by_role("button", name="Sign this digest").click()
        dialog.wait_for(state="hidden")
        c.innocent()
    c.page.get_by_text("May see data").wait_for()
    signed = [r for r in house.audit(act="study.sign") if r["decision"] == "allow"]
    assert {r["digest"] for r in signed} == {digest}, "what was shown is what was signed"
    assert {r["who"] for r in signed} == {house.people[n].id for n in ("ivo", "mona", "rhea", "sam")}

    c = at_house("pia", place + "/edit")
    c.page.get_by_text("clears them and the approval").wait_for()
    c.page.get_by_label("One SELECT").fill("SELECT patient FROM condition WHERE code = 'W06'")
    c.page.get_by_role("button", name="Save study").click()
    c.page.get_by_text("Missing: the IT signature").wait_for()


def test_a_record_is_proved(at_house, house):
    n = house.audit(act="session.login")[-1]["n"]
    c = at_house("audrey", "/ledger")
    c.page.get_by_label("Act").fill("session.")
    c.page.get_by_role("button", name="Search").click()
    c.page.get_by_role("table", name="Records, newest first").wait_for()
    c.go(f"/ledger/{n}")
    c.page.get_by_text("The proof verifies.").first.wait_for()
    c.page.get_by_label("Verifier key").fill(house.vkey)
    c.page.get_by_text("The head is signed by this key.").wait_for()
    assert '"act":"session.login"' in c.page.locator(".record").inner_text()
    c.innocent()


def test_people(at_house, house):
    c = at_house("admin", "/people")
    c.page.get_by_label("Login").fill("newton")
    c.page.get_by_label("Researcher", exact=True).check()
    c.page.get_by_role("button", name="Add", exact=True).click()
    c.page.get_by_text("Shown once.").wait_for()
    c.page.get_by_role("button", name="Done, hide them").click()
    c.page.get_by_role("button", name="Revoke newton").click()
    c.page.get_by_role("button", name="Revoke now").click()
    c.page.get_by_role("row", name="newton").get_by_text("Revoked").wait_for()
    assert any(r["act"] == "user.revoke" for r in house.audit(act="user."))
    c.innocent()


def test_lock_down(at_house, house):
    """last in this file: everybody has to sign in again"""
    c = at_house("sam", "/lockdown")
    c.page.get_by_role("button", name="Lock down …").click()
    c.page.get_by_label("to confirm").fill("lock down")
    c.page.get_by_role("button", name="Lock down now").click()
    c.page.get_by_role("heading", name="Sign in").wait_for()
    for who, said in (("sam", "Your consent is recorded."), ("paula", "The house is open")):
        c = at_house(who, "/lockdown")
        c.page.get_by_role("heading", name="The house is locked down").wait_for()
        c.page.get_by_role("button", name="Consent to lift it").click()
        c.page.get_by_text(said).first.wait_for()
