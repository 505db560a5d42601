"""The console as people use it: by keyboard, with bad luck, against somebody who means harm."""

import copy

import fixture
import fixture_data as data
import pytest


def sent(house, method, ending):
    return [c for c in house.calls if c[0] == method and c[1].endswith(ending)]


@pytest.fixture
def bodies(monkeypatch):
    """what the console sends, by route"""
    got = []
    decided = fixture.House.decided
    monkeypatch.setattr(fixture.House, "decided", lambda self, me, request, body: (got.append((me["name"], body)), decided(self, me, request, body))[1])
    return got


# ---- the door ----

def test_keyboard_alone(console, server, bodies):
    """sign in, find the request, look at a file, decide: no mouse"""
    house = server.house
    request = next(iter(house.requests))
    c = console()
    k = c.page.keyboard
    assert c.focused().startswith("Name"), "the first field waits for the name"
    k.type("olga")
    k.press("Tab")
    k.type(fixture.PASSWORD)
    k.press("Tab")
    k.type(fixture.CODE)
    k.press("Enter")
    c.page.get_by_role("button", name="Log off").wait_for()
    c.settle()
    c.tab_to("Table 1, figure 2")
    assert c.page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle") != "none", "the focus is seen"
    k.press("Enter")
    c.page.wait_for_url(f"**#/airlock/{request}")
    c.page.locator("h1", has_text="Table 1").wait_for()
    assert c.focused().startswith("Table 1"), "a new page begins at its heading"
    c.tab_to("table1.csv")
    k.press("ArrowRight")
    assert c.focused().startswith("figure2.png")
    k.press("ArrowLeft")
    c.tab_to("Look at this file")
    k.press("Enter")
    c.page.locator(".preview table").wait_for()
    c.tab_to("Approve")
    k.press("ArrowDown")
    assert c.focused().startswith("Return")
    k.press("ArrowUp")
    k.press("Space")
    c.tab_to("Comment")
    k.type("Fine.")
    c.tab_to("Approve this digest")
    k.press("Enter")
    c.page.get_by_text("Your review is recorded.").wait_for()
    c.go("/airlock")
    c.page.get_by_text("Nothing waits for your decision.").wait_for()
    assert bodies == [("olga", {"decision": "approve", "comment": "Fine.", "digest": house.requests[request]["digest"]})]
    c.innocent()


def test_skip_link(console):
    c = console("adam")
    c.page.get_by_role("link", name="Cloister", exact=True).focus()
    c.page.keyboard.press("Shift+Tab")
    assert c.focused() == "Skip to the content"
    c.page.keyboard.press("Enter")
    assert c.page.evaluate("() => document.activeElement.id") == "main"


def test_the_token_is_in_memory_only(console, server):
    c = console("olga")
    token = next(iter(server.house.sessions))
    kept = c.page.evaluate("() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href, history.state, document.documentElement.outerHTML])")
    assert token not in kept and "cls_" not in kept
    assert c.page.context.cookies() == []
    c.page.reload()
    c.page.get_by_role("heading", name="Sign in").wait_for()


def test_log_off_ends_the_session(console, server):
    c = console("olga")
    c.page.get_by_role("button", name="Log off").click()
    c.page.get_by_text("You are logged off.").wait_for()
    assert server.house.sessions == {}


def test_an_empty_chair_is_logged_off(console, server):
    """views ask every few seconds; that must not keep the session alive"""
    c = console()
    c.page.clock.install()
    c.open().sign_in("olga")
    c.page.clock.fast_forward("27:30")
    assert c.page.locator("dialog[open]").count() == 0
    c.page.clock.fast_forward("01:00")
    dialog = c.page.get_by_role("alertdialog")
    dialog.wait_for()
    c.accessible("session's end")
    dialog.get_by_role("button", name="Stay signed in").click()
    dialog.wait_for(state="hidden")
    c.page.wait_for_load_state("networkidle")  # the answer that says so counts as the moment from which the chair is empty
    c.page.clock.fast_forward("28:30")
    dialog.wait_for()
    c.page.clock.fast_forward("02:00")
    c.page.get_by_text("Your session has ended").wait_for()
    assert server.house.sessions == {}


def test_a_session_that_the_house_ends(console, server):
    c = console("olga")
    server.house.sessions.clear()
    c.go("/airlock")
    c.page.get_by_text("Your session has ended. Please sign in again.").wait_for()


# ---- decisions ----

def test_a_changed_request_is_not_decided(console, server):
    house = server.house
    request = next(iter(house.requests))
    c = console("olga", f"/airlock/{request}")
    c.page.get_by_label("Approve").check()
    stale = c.page.get_by_role("form", name="Decision").locator(".digest code").inner_text().replace("\n", "").replace(" ", "")
    assert stale == house.requests[request]["digest"], "the digest that is shown is the request's, whole"
    with house.lock:
        house.requests[request] = house.requests[request] | {"digest": data.digest("another")}
        c.page.get_by_role("button", name="Approve this digest").click()
    c.page.get_by_role("alert").get_by_text("has changed since you looked").wait_for()
    assert house.requests[request]["reviews"] == []


def test_a_swapped_file_is_noticed(console, server):
    house = server.house
    request = next(iter(house.requests))
    house.content[request, 3] = data.CONTENT["results/model.txt"] + b"one more line\n"
    c = console("olga", f"/airlock/{request}")
    c.page.get_by_role("tab", name="model.txt").click()
    c.page.get_by_role("button", name="Look at this file").click()
    c.page.get_by_text("Other bytes than the request names").wait_for()


def test_reviewers_are_blind(console, server):
    house = server.house
    request = next(iter(house.requests))
    house.requests[request]["reviews"] = [{"who": "otto", "decision": "reject", "comment": "a secret opinion", "at": data.at()}]
    c = console("olga", f"/airlock/{request}")
    assert "secret opinion" not in c.page.content()
    c.page.get_by_label("Approve").check()
    c.page.get_by_role("button", name="Approve this digest").click()
    c.page.get_by_text("secret opinion").wait_for()  # they disagree, so the third sees both
    assert house.requests[request]["state"] == "consolidating"


def test_a_study_from_the_first_word_to_the_approval(console, server):
    house = server.house
    c = console("pia", "/studies/new")
    c.page.get_by_label("Title").fill("Falls at night")
    c.page.get_by_label("Protocol number").fill("IRB-2026-0200")
    c.page.get_by_label("One SELECT").fill("DELETE FROM person")
    c.page.get_by_role("button", name="Save and count").click()
    c.page.get_by_text("A cohort is one SELECT.").first.wait_for()
    c.page.get_by_label("One SELECT").fill("SELECT patient FROM condition")
    c.page.get_by_role("button", name="Save and count").click()
    c.page.get_by_text("1,311 patients").wait_for()
    c.page.get_by_role("button", name="Save study").click()
    c.page.locator("h1", has_text="Falls at night").wait_for()
    study = house.studies[data.ident("Falls at night")]
    assert (study["cohort"], study["pi"]) == ("SELECT patient FROM condition", "pia")
    assert len(sent(house, "POST", "studies")) == 2, "one that was refused, one that was made"

    place = f"/studies/{study['id']}"
    c = console("ines", place)
    c.page.get_by_role("button", name="Record the basis").click()
    c.page.get_by_label("Board").fill("IRB of the synthetic hospital")
    c.page.get_by_label("Number", exact=True).fill("IRB-2026-0200")
    c.page.get_by_label("Valid until").fill("2031-01-31")
    c.page.locator("#basis-file").set_input_files({"name": "letter.pdf", "mimeType": "application/pdf", "buffer": b"approved"})
    c.page.wait_for_function("d => document.querySelector('input[pattern]').value === d", arg=data.digest(b"approved"))
    c.page.get_by_role("form", name="Basis").get_by_role("button", name="Record the basis").click()
    c.page.get_by_role("form", name="Basis").wait_for(state="detached")
    assert house.studies[study["id"]]["basis"]["document_sha256"] == data.digest(b"approved")

    for who in ("ivo", "mona", "rhea", "sam"):
        c = console(who, place)
        c.page.get_by_role("button", name="Approve or refuse" if who == "sam" else "Sign or refuse").click()
        dialog = c.page.get_by_role("dialog")
        assert dialog.locator(".digest code").inner_text().replace("\n", "").replace(" ", "") == study["digest"]
        dialog.get_by_label("Approve" if who == "sam" else "Sign", exact=True).check()
        dialog.get_by_role("button", name="Sign this digest").click()
        dialog.wait_for(state="hidden")
        c.innocent()
    assert house.studies[study["id"]]["state"] == "approved"

    c = console("pia", place)
    c.page.get_by_role("button", name="Make a release").click()
    c.page.get_by_role("link", name="Version 1").wait_for()
    c.page.get_by_role("button", name="Open a cell with version 1").click()
    c.page.locator("h1", has_text="Cell").wait_for()
    assert any(x["study"] == study["id"] for x in house.cells.values())


def test_a_change_says_that_it_clears_signatures(console, server):
    study = next(iter(server.house.studies))
    c = console("pia", f"/studies/{study}/edit")
    c.page.get_by_text("clears them and the approval").wait_for()


# ---- cells ----

def test_the_notebook_opens_in_a_tab_of_its_own(console, server):
    c = console("rolf", f"/cells/{next(iter(server.house.cells))}")
    with c.page.context.expect_page() as opened:
        c.page.get_by_role("button", name="Open notebook").click()
    tab = opened.value
    tab.get_by_role("heading", name="Notebook").wait_for()
    assert tab.evaluate("() => window.opener") is None
    assert "ticket" not in c.page.url


def test_an_address_that_is_no_web_page_is_not_opened(console, server, monkeypatch):
    monkeypatch.setattr(fixture.House, "post_cells_cell_enter", lambda *_, **__: {"url": "javascript:alert(1)", "seconds": 60})
    c = console("rolf", f"/cells/{next(iter(server.house.cells))}")
    c.page.get_by_role("button", name="Open notebook").click()
    c.page.get_by_text("not one of this house").wait_for()


# ---- the airlock's other ways ----

def test_asking_out_and_handing_in(console, server):
    house = server.house
    c = console("rolf", "/airlock/new")
    c.page.get_by_label("Files in the cell").fill("results/table1.csv\nresults/model.txt\n")
    for label, text in (("What it is", "One table"), ("Purpose", "Table for the board"), ("Recipient", "The board"), ("Recipient's address", "1 Example Street")):
        c.page.get_by_label(label, exact=True).fill(text)
    c.page.get_by_role("button", name="Hand it to the airlock").click()
    c.page.locator("h1", has_text="Table for the board").wait_for()
    made = house.requests[data.ident("request Table for the board")]
    assert [f["name"] for f in made["files"]] == ["results/table1.csv", "results/model.txt"]

    c.go("/airlock/new?direction=in")
    c.page.get_by_label("Files of yours").set_input_files({"name": "codes.csv", "mimeType": "text/csv", "buffer": b"code\nA41.9\n"})
    c.page.get_by_text("codes.csv").wait_for()
    for label, text in (("What it is", "A list of codes"), ("Purpose", "Codes to look for")):
        c.page.get_by_label(label, exact=True).fill(text)
    c.page.get_by_role("button", name="Make the request").click()
    c.page.get_by_role("heading", name="Hand in the files").wait_for()
    c.page.get_by_label("codes.csv").set_input_files({"name": "codes.csv", "mimeType": "text/csv", "buffer": b"code\nA41.8\n"})
    c.page.get_by_role("button", name="Hand in").click()
    c.page.get_by_text("is not the file that the request names").wait_for()
    c.page.get_by_label("codes.csv").set_input_files({"name": "codes.csv", "mimeType": "text/csv", "buffer": b"code\nA41.9\n"})
    c.page.get_by_role("button", name="Hand in").click()
    c.page.get_by_text("Checks: done.").or_(c.page.locator(".badge", has_text="Review")).first.wait_for()
    assert house.content[data.ident("request Codes to look for"), 1] == b"code\nA41.9\n"


# ---- the record ----

def test_a_proof_is_computed_here(console, server):
    c = console("audrey", "/ledger/1021")
    c.page.get_by_text("The proof verifies.").first.wait_for()
    assert c.page.locator(".hash-steps > li").count() == 12  # a leaf and eleven levels of 1,187 records
    c.page.get_by_label("Verifier key").fill(server.house.ledger.vkey)
    c.page.get_by_text("The head is signed by this key.").wait_for()
    c.page.get_by_label("Verifier key").fill(data.Ledger([]).vkey)
    c.page.get_by_text("not signed by this key").wait_for()
    with c.page.expect_download() as download:
        c.page.get_by_role("button", name="Proof").click()
    assert download.value.suggested_filename == "record-1021.tlog-proof"
    assert data.tlog_verify.verify_proof(server.house.ledger.vkey, download.value.path().read_text(), server.house.ledger.records[1021]) == 1021
    c.innocent()


@pytest.mark.parametrize("bend", ["record", "path", "root"])
def test_a_bent_proof_is_found(console, server, monkeypatch, bend):
    straight = fixture.House.get_audit_n_proof

    def bent(self, me, n):
        said = copy.deepcopy(straight(self, me, n))
        if bend == "record":
            said["record"] = said["record"].replace('"decision":"allow"', '"decision":"deny"').replace('"act":"', '"act":"x', 1)
        elif bend == "path":
            lines = said["proof"].split("\n")
            lines[4] = lines[4][::-1].lstrip("=")[::-1].swapcase() + "=" * (lines[4].count("="))
            said["proof"] = "\n".join(lines)
        else:
            said["proof"] = said["proof"].replace(self.ledger.head()["root"], data.Ledger([{"act": "x"}]).head()["root"])
        return said
    monkeypatch.setattr(fixture.House, "get_audit_n_proof", bent)
    c = console("audrey", "/ledger/1021")
    c.page.get_by_text("The proof does not verify.").first.wait_for()
    assert c.page.get_by_text("The proof verifies.").count() == 0


def test_a_head_of_another_size_is_not_signed(console, server, monkeypatch):
    """the hashes alone do not say how long the log is; the signature does"""
    straight = fixture.House.get_audit_n_proof

    def longer(self, me, n):
        said = straight(self, me, n)
        return said | {"proof": said["proof"].replace("\n1187\n", "\n1188\n")}
    monkeypatch.setattr(fixture.House, "get_audit_n_proof", longer)
    c = console("audrey", "/ledger/1021")
    c.page.get_by_text("Signature not checked: no key given").wait_for()
    c.page.get_by_label("Verifier key").fill(server.house.ledger.vkey)
    c.page.get_by_text("The signature is wrong").wait_for()


def test_long_lists_are_read_to_their_end(console, server):
    server.house.pages = 1
    c = console("olga", "/studies")
    assert c.page.get_by_role("table", name="Studies").locator("tbody tr").count() == len(server.house.studies)


def test_search(console):
    c = console("audrey", "/ledger")
    c.page.get_by_label("Who").fill("ruth")
    c.page.get_by_role("button", name="Search").click()
    table = c.page.get_by_role("table", name="Records, newest first")
    table.wait_for()
    names = set(table.locator("tbody td:nth-of-type(3)").all_inner_texts())
    assert names == {"Ruth Sample"}
    before = table.locator("tbody tr").count()
    c.page.get_by_role("button", name="Older records").click()
    c.page.wait_for_function("n => document.querySelectorAll('tbody tr').length > n", arg=before)


def test_who_saw_a_patient(console, server):
    c = console("paula", "/patients")
    c.page.get_by_label("Medical record number").fill("MRN-4711")
    c.page.get_by_label("Reason").select_option("The patient asks")
    c.page.get_by_role("button", name="Look up").click()
    c.page.get_by_role("table", name="Accesses to data").wait_for()
    c.page.get_by_role("heading", name="Accounting of disclosures").wait_for()
    assert "MRN-4711" not in c.page.content() and "MRN-4711" not in c.page.url, "the number is not kept"
    assert all("4711" not in u for u in c.page.seen), "nor in an address"
    c.accessible("patient found")
    c.page.emulate_media(media="print")
    assert not c.page.get_by_role("navigation").is_visible() and c.page.get_by_text("45 CFR 164.528").is_visible()
    c.innocent()


# ---- the house ----

def test_lock_down(console, server):
    house = server.house
    c = console("sam", "/lockdown")
    c.page.get_by_role("button", name="Lock down …").click()
    dialog = c.page.get_by_role("alertdialog")
    assert dialog.get_by_role("button", name="Lock down now").is_disabled()
    c.page.keyboard.press("Enter")
    assert not house.locked["locked"]
    dialog.get_by_label("to confirm").fill("lock down")
    c.page.keyboard.press("Enter")
    c.page.get_by_role("heading", name="Sign in").wait_for()
    assert house.locked["locked"]
    for who, said in (("sam", "Your consent is recorded."), ("paula", "The house is open")):
        c = console(who, "/flow")
        c.page.get_by_role("alert").get_by_text("The house is locked down").wait_for()
        assert c.page.locator(".house-name").text_content().startswith("LOCKED DOWN")
        c.go("/lockdown")
        c.page.get_by_role("button", name="Consent to lift it").click()
        c.page.get_by_text(said).first.wait_for()
    assert not house.locked["locked"]


def test_add_and_revoke(console, server):
    house = server.house
    c = console("adam", "/people")
    c.page.get_by_label("Login").fill("newton")
    c.page.get_by_label("Researcher", exact=True).check()
    c.page.get_by_role("button", name="Add", exact=True).click()
    c.page.get_by_text("Shown once.").wait_for()
    assert "only-once-" in c.page.content()
    c.page.get_by_role("button", name="Done, hide them").click()
    assert "only-once-" not in c.page.content()
    c.page.get_by_role("button", name="Revoke newton").click()
    c.page.get_by_role("button", name="Cancel").click()
    assert house.people["newton"]["state"] == "active"
    c.page.get_by_role("button", name="Revoke newton").click()
    c.page.get_by_role("button", name="Revoke now").click()
    c.page.get_by_role("row", name="newton").get_by_text("Revoked").wait_for()
    assert house.people["newton"]["state"] == "revoked"


# ---- somebody who means harm ----

EVIL = "<img src=x onerror='window.harmed=1'><script>window.harmed=1</script>\"'{{7*7}}"


def test_nothing_that_others_wrote_is_run(console, server):
    house = server.house
    study = house.studies[next(iter(house.studies))]
    study.update(title=EVIL, description=EVIL, cohort=EVIL)
    study["signatures"][0]["comment"] = EVIL
    request = next(iter(house.requests))
    r = house.requests[request]
    r.update(context=EVIL, purpose=EVIL, period=EVIL, recipient={"name": EVIL, "address": EVIL})
    for n, content in enumerate((f"{EVIL},{EVIL}\n{EVIL},1\n", f"<svg xmlns='http://www.w3.org/2000/svg' onload='window.harmed=1'>{EVIL}</svg>", f"<html><body>{EVIL}</body></html>")):
        house.content[request, n + 1] = content.encode()
        r["files"][n].update(name=("a.csv", "b.svg", "c.html")[n], type="text/html", findings=[{"check": EVIL, "severity": "warn", "place": EVIL}])
    c = console("olga", f"/airlock/{request}")
    for n in range(3):
        c.page.get_by_role("tab").nth(n).click()
        c.page.get_by_role("button", name="Look at this file").click()
        c.page.locator(".preview").get_by_text("onerror").first.wait_for()
    c.go(f"/studies/{study['id']}")
    c.page.get_by_text("onerror").first.wait_for()
    assert c.page.evaluate("() => window.harmed") is None
    c.innocent()


def test_an_image_is_shown_from_data_only(console, server):
    c = console("olga", f"/airlock/{next(iter(server.house.requests))}")
    c.page.get_by_role("tab", name="figure2.png").click()
    c.page.get_by_role("button", name="Look at this file").click()
    image = c.page.get_by_alt_text("Content of results/figure2.png")
    image.wait_for()
    assert image.evaluate("i => [i.src.slice(0, 22), i.naturalWidth]") == ["data:image/png;base64,", 640]
    c.innocent()


def test_no_answer_and_nonsense(console, server):
    """the network goes, the house answers nonsense: said, and no more"""
    c = console("adam", "/health")
    c.page.route("**/api/status", lambda route: route.fulfill(status=500, body="<h1>oops</h1>"))
    c.page.get_by_role("alert").get_by_text("status 500").wait_for()
    c.page.unroute("**/api/status")
    c.page.route("**/api/status", lambda route: route.abort())
    c.page.get_by_role("alert").get_by_text("does not answer").wait_for()
    c.page.unroute("**/api/status")
    c.page.get_by_role("alert").wait_for(state="detached")
