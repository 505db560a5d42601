"""One story through the console of a real house: a release, a cell with its notebook, a result that two people look at, and out."""

import hashlib
import os
import pathlib
import subprocess
import time

import pytest
from conftest import TOP
from house import CLI, House, free_port
from test_house import PEOPLE, next_code

PATIENCE_S = 120
TABLE = b"code,patients,mean\n4548-4,120,7.41\n2339-0,145,132.20\n"


def soon(look, what, seconds=PATIENCE_S):
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, f"{what} does not come"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """a house with an approved study and a small hospital's data in its pool"""
    tools = pathlib.Path(os.environ.get("CLOISTER_BUILD", TOP / "build")) / "cell-tools"
    if os.geteuid() != 0 or not tools.is_dir():
        pytest.skip("cells need root, and their tools")
    h = House(cells={"listen": f"127.0.0.1:{free_port()}"}).init().start()
    try:
        h.add_everybody()
        for name, roles in (PEOPLE | {"otto": ["output-checker"], "north": ["feed"]}).items():
            if name not in h.people:
                h.add(name, *roles, service=name == "north")
        h.used = {}
        out = tmp_path_factory.mktemp("hospital")
        subprocess.run([CLI, "synth", "--patients", "60", "--seed", "7", "--format", "fhir", "--out", out], check=True, capture_output=True, timeout=120)
        h.people["north"].client().put_object(Bucket="landing", Key="north/first/bundles.ndjson", Body=(out / "fhir/bundles.ndjson").read_bytes())
        approve(h, tmp_path_factory.mktemp("letter") / "letter")

        def taken_in():
            flow = h.people["alice"].cli("flow")
            return flow["landing"]["newest"] > 0 and flow["landing"]["done"] == flow["landing"]["newest"] and flow["pool"]["patients"] > 0
        soon(taken_in, "the pool")
        yield h
        assert h.stop() == 0, h.log_text()[-4000:]
        assert h.bugs() == []
    finally:
        h.release()


def approve(h, letter):
    letter.write_text("approved")

    def run(who, *words):
        return h.run(*words, "--state", h.state, "--credentials", h.people[who].credentials)
    run("pia", "study", "add", "--title", "Blood sugar", "--protocol", "P-1", "--profile", "safe-harbor", "--cohort", "SELECT patient FROM person", "--person", "rolf")
    run("ines", "study", "basis", "P-1", "--kind", "irb-approval", "--board", "IRB 3", "--number", "26-1", "--document", letter,
        "--expires", time.strftime("%Y-%m-%d", time.gmtime(time.time() + 200 * 86400)))
    for who, review in (("ivo", "it"), ("mona", "management"), ("rhea", "research"), ("sam", "security")):
        run(who, "study", "sign", "P-1", "--review", review, "--comment", "in order")


@pytest.fixture
def at_house(browser, house):
    from conftest import Console
    opened = []

    def make(name, place=""):
        c = Console(browser.page(ignore_https_errors=True), house.url + "/console/")
        opened.append(c)
        c.open(place)
        c.sign_in(name, house.people[name].password, next_code(house, name))
        c.settle()
        return c

    yield make
    for c in opened:
        c.page.context.close()


def work(c):
    """the notebook in a tab of its own, then a result in the outbox"""
    button = c.page.get_by_role("button", name="Open notebook")
    c.page.get_by_text("The release is being put into the cell.").wait_for(state="detached", timeout=PATIENCE_S * 1000)
    with c.page.context.expect_page() as opened:
        button.click()
    tab = opened.value
    tab.wait_for_url("**/lab**", timeout=PATIENCE_S * 1000)
    assert "ticket" not in tab.url
    status = tab.evaluate("""async text => {
        const xsrf = document.cookie.match(/_xsrf=([^;]+)/)?.[1] ?? "";
        const answer = await fetch(location.pathname.replace(/\\/lab.*/, "/api/contents/means.csv"), { method: "PUT",
            headers: { "Content-Type": "application/json", "X-XSRFToken": xsrf }, body: JSON.stringify({ type: "file", format: "text", content: text }) });
        return answer.status;
    }""", TABLE.decode())
    assert status in (200, 201), status
    tab.close()


def test_from_a_release_to_the_outside(at_house, house):
    pia = at_house("pia")
    pia.page.get_by_role("link", name="Blood sugar").first.click()
    place = pia.page.evaluate("() => location.hash.slice(1)")
    pia.page.get_by_role("button", name="Count patients").click()
    pia.page.locator(".count-result").wait_for(timeout=PATIENCE_S * 1000)
    pia.page.get_by_role("button", name="Make a release").click()
    pia.page.get_by_role("row", name="Version 1").get_by_text("Ready").wait_for(timeout=PATIENCE_S * 1000)
    pia.page.get_by_role("link", name="Version 1").click()
    pia.page.get_by_text("parquet/person.parquet", exact=True).wait_for()
    pia.accessible("release")
    pia.innocent()

    rolf = at_house("rolf", place)
    rolf.page.get_by_role("button", name="Open a cell with version 1").click()
    rolf.page.locator("h1", has_text="Cell").or_(rolf.page.get_by_text("cannot build cells")).first.wait_for(timeout=PATIENCE_S * 1000)
    if rolf.page.get_by_text("cannot build cells").count():
        pytest.skip("this machine cannot build cells")
    work(rolf)
    rolf.page.get_by_role("link", name="Ask the airlock").click()
    for label, text in (("Files in the cell", "means.csv"), ("What it is", "Means by code, counts rounded to five."), ("Purpose", "Table of the paper"),
                        ("Recipient", "Journal of Synthetic Results"), ("Recipient's address", "1 Example Road")):
        rolf.page.get_by_label(label, exact=label == "Recipient").fill(text)
    rolf.page.get_by_role("button", name="Hand it to the airlock").click()
    rolf.page.locator("h1", has_text="Table of the paper").wait_for()
    rolf.page.locator(".lead .badge", has_text="Review").wait_for(timeout=PATIENCE_S * 1000)

    for who in ("olga", "otto"):
        c = at_house(who)
        c.page.get_by_role("link", name="Table of the paper").first.click()
        c.page.get_by_role("button", name="Look at this file").click()
        c.page.get_by_text("These bytes have the digest of the request").wait_for(timeout=PATIENCE_S * 1000)
        assert c.page.get_by_role("cell", name="7.41").count() == 1
        assert c.page.get_by_role("heading", name="Reviews").count() == 0, "nothing of the other's view"
        c.page.get_by_label("Approve").check()
        c.page.get_by_role("button", name="Approve this digest").click()
        c.page.get_by_role("heading", name="Your decision").wait_for(state="detached")
        c.accessible("request, decided")
        c.innocent()

    rolf.page.get_by_role("button", name="Release it").click()
    rolf.page.locator(".lead .badge", has_text="Released").wait_for(timeout=PATIENCE_S * 1000)
    rolf.page.get_by_role("button", name="Look at this file").click()
    rolf.page.get_by_text("These bytes have the digest of the request").wait_for(timeout=PATIENCE_S * 1000)
    with rolf.page.expect_download() as download:
        rolf.page.get_by_role("button", name="Download").click()
    assert download.value.path().read_bytes() == TABLE
    acts = {r["act"] for r in house.audit(act="airlock.")}
    assert "airlock.review" in acts and "airlock.release" in acts
    assert hashlib.sha256(TABLE).hexdigest()[:8] in rolf.page.content()
    rolf.innocent()
