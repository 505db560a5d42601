"""Every view, as each role sees it, in both themes and on a small screen: accessible, within its policy, calm."""

import gzip

import fixture
import pytest


def views(house):
    """{name: (who, address)}"""
    study, other = list(house.studies)[:2]
    request, disputed, released, blocked = house.requests
    return {
        "home of the investigator": ("pia", "/"), "home of the checker": ("olga", "/"), "home of the officer": ("sam", "/"), "home of the administrator": ("adam", "/"),
        "home of the auditor": ("audrey", "/"), "the house": ("adam", "/flow"), "feeds": ("dana", "/feeds"), "health": ("adam", "/health"), "studies": ("pia", "/studies"),
        "study": ("pia", f"/studies/{study}"), "study to sign": ("sam", f"/studies/{other}"), "study for the IRB": ("ines", f"/studies/{list(house.studies)[3]}"),
        "new study": ("pia", "/studies/new"), "change a study": ("pia", f"/studies/{study}/edit"), "release": ("pia", f"/releases/{list(house.releases)[1]}"),
        "cells": ("rolf", "/cells"), "cell": ("rolf", f"/cells/{next(iter(house.cells))}"), "airlock": ("olga", "/airlock"), "request": ("olga", f"/airlock/{request}"),
        "disputed request": ("paula", f"/airlock/{disputed}"), "released request": ("rolf", f"/airlock/{released}"), "blocked request": ("rolf", f"/airlock/{blocked}"),
        "new request": ("rolf", "/airlock/new"), "new request inwards": ("rolf", "/airlock/new?direction=in"), "ledger": ("audrey", "/ledger"), "proof": ("audrey", "/ledger/700"),
        "patients": ("paula", "/patients"), "people": ("adam", "/people"), "lock-down": ("sam", "/lockdown"), "account": ("rolf", "/account"), "nowhere": ("rolf", "/people"),
    }


NAMES = list(views(fixture.House()))


@pytest.mark.parametrize("name", NAMES)
def test_view(console, server, name):
    who, place = views(server.house)[name]
    c = console(who)
    c.go(place)
    for theme in ("light", "dark"):
        c.page.emulate_media(color_scheme=theme)
        c.accessible(f"{name}, {theme}")
    assert c.page.title().endswith("· Cloister")
    assert c.page.locator("h1").count() == 1
    assert c.page.evaluate("() => document.querySelectorAll('[style]').length") == 0
    assert c.page.evaluate("() => window.shift") < 0.1
    c.page.set_viewport_size({"width": 360, "height": 740})
    c.page.wait_for_timeout(50)
    assert c.page.evaluate("() => document.documentElement.scrollWidth") <= 360, "wider than a small screen"
    c.accessible(f"{name}, small")
    c.innocent()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_door(console, theme):
    c = console(theme=theme)
    c.accessible("sign in")
    c.page.get_by_label("Name").fill("pia")
    c.page.get_by_label("Password").fill("wrong")
    c.page.get_by_label("One-time code").fill("111111")
    c.page.keyboard.press("Enter")
    c.page.get_by_role("alert").get_by_text("not right").wait_for()
    assert c.page.get_by_label("One-time code").input_value() == "", "a used code is no good"
    c.accessible("sign in, refused")


def test_theme_switch(console):
    c = console("pia")
    ground = "() => getComputedStyle(document.body).backgroundColor"
    before = c.page.evaluate(ground)
    c.page.get_by_role("button", name="Switch to the dark theme").click()
    assert c.page.evaluate(ground) != before
    c.page.reload()
    c.page.locator("h1").wait_for()
    assert c.page.evaluate(ground) != before, "the choice is kept"


def test_dialogs(console, server):
    """what opens above a view is accessible as well"""
    house = server.house
    c = console("sam", f"/studies/{list(house.studies)[1]}")
    c.page.get_by_role("button", name="Approve or refuse").click()
    for theme in ("light", "dark"):
        c.page.emulate_media(color_scheme=theme)
        c.accessible("signature")
    c.page.keyboard.press("Escape")
    assert c.page.locator("dialog[open]").count() == 0
    c.go("/lockdown")
    c.page.get_by_role("button", name="Lock down").click()
    c.accessible("lock-down")


def test_the_drawing_moves(console, server):
    c = console("adam", "/flow")
    assert c.page.locator(".diagram .particle").count() == 0, "an idle house is still"
    server.house.grows = True
    c.page.wait_for_function("() => document.querySelector('.diagram .particle[visibility=visible]')")
    count = c.page.locator(".ledger-count")
    first = count.text_content()
    c.page.wait_for_function("was => document.querySelector('.ledger-count').textContent !== was", arg=first)
    c.page.get_by_text("The same as a table").click()
    assert "12,468 patients" in c.page.get_by_role("table", name="The house in numbers").inner_text()


def test_the_drawing_respects_reduced_motion(console, server):
    c = console("adam", "/flow", motion="reduce")
    server.house.grows = True
    c.page.evaluate("() => { window.moved = 0; new MutationObserver(l => { for (const m of l) for (const n of m.addedNodes) if (n.classList?.contains('particle')) moved++ })"
                    ".observe(document.querySelector('.diagram'), { childList: true, subtree: true }) }")
    first = c.page.locator(".ledger-count").text_content()
    for _ in range(2):
        c.page.wait_for_function("was => document.querySelector('.ledger-count').textContent !== was", arg=first)
        first = c.page.locator(".ledger-count").text_content()
    assert c.page.evaluate("() => window.moved") == 0


def test_small():
    """all of it, compressed, within 150 KB"""
    files = [f for f in fixture.CONSOLE.rglob("*") if f.is_file()]
    assert {f.suffix for f in files} <= {".html", ".js", ".css", ".svg"}
    assert sum(len(gzip.compress(f.read_bytes(), 9)) for f in files) < 150_000


def test_no_address_outside():
    """the bundle names no other host: nothing to ask there"""
    for file in fixture.CONSOLE.rglob("*"):
        text = file.read_text().replace("http://www.w3.org/", "")
        assert "http://" not in text and "https://" not in text and "//cdn" not in text, file.name
