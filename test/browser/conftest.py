"""Fixtures: one Chromium for all, a fixture server for each test, a page that must be innocent at its end."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

import fixture  # noqa: E402
from browser import Browser  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parents[2]
AXE = TOP / "console" / "node_modules" / "axe-core" / "axe.min.js"
WATCH = """
	window.violations = [];
	document.addEventListener("securitypolicyviolation", e => violations.push(`${e.violatedDirective} ${e.blockedURI}`));
	window.shift = 0;
	new PerformanceObserver(l => { for (const e of l.getEntries()) if (!e.hadRecentInput) shift += e.value }).observe({ type: "layout-shift", buffered: true });
"""


@pytest.fixture(scope="session")
def browser():
    with Browser() as b:
        yield b


@pytest.fixture
def server():
    s = fixture.Server()
    s.house.grows = False
    yield s
    s.stop()


class Console:
    """a page at the console's door, with the hands of a person"""

    def __init__(self, page, url):
        self.page, self.url = page, url
        page.add_init_script(WATCH)

    def open(self, place=""):
        self.page.goto(f"{self.url}{'#' + place if place else ''}")
        return self

    def sign_in(self, name, password=fixture.PASSWORD, code=fixture.CODE):
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_label("One-time code").fill(code)
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        self.page.get_by_role("button", name="Log off").wait_for()
        return self

    def go(self, place):
        self.page.evaluate("to => { if (location.hash !== '#' + to) window.shift = 0; location.hash = to }", place)
        self.page.wait_for_function("to => location.hash === '#' + to", arg=place)
        self.settle()

    def settle(self):
        """a heading stands there and nothing loads any more"""
        self.page.locator("h1").wait_for()
        self.page.wait_for_function("() => !document.querySelector('[aria-busy=true]')")

    def focused(self):
        """what a person hears of the element that has the focus"""
        return self.page.evaluate("() => { const e = document.activeElement; return e.getAttribute('aria-label') || e.labels?.[0]?.textContent || e.textContent }").strip()

    def tab_to(self, name, most=60):
        for _ in range(most):
            self.page.keyboard.press("Tab")
            if self.focused().startswith(name):
                return
        raise AssertionError(f"{name!r} is not reached by Tab")

    def innocent(self):
        """nothing left the origin, no policy was broken, no error was logged"""
        outside = [u for u in self.page.seen if not u.startswith((self.url.removesuffix("console/"), "data:", "blob:", "about:"))]
        assert outside == []
        assert self.page.evaluate("() => window.violations") == []
        assert self.page.complaints == []

    def accessible(self, what):
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(AXE.read_text())
        self.page.evaluate("() => Promise.allSettled(document.getAnimations().map(a => a.finished)).then(() => 0)")  # a colour on its way is no colour
        found = self.page.evaluate("""async () => (await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }))
            .violations.map(v => `${v.id}: ${v.nodes.slice(0, 3).map(n => n.target.join(" ") + " " + n.html.slice(0, 140)).join(" | ")}`)""")
        assert found == [], f"{what}: " + "\n".join(found)


@pytest.fixture
def console(browser, server):
    opened = []

    def make(name=None, place="", **page):
        c = Console(browser.page(**page), server.url + "/")
        opened.append(c)
        c.open(place)
        if name:
            c.sign_in(name)
            c.settle()
        return c

    yield make
    for c in opened:
        c.page.context.close()
