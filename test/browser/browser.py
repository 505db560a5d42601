"""Debian's Chromium, driven by Playwright; each page notes what a console must never do."""

import os
import pathlib
import shutil

from playwright.sync_api import sync_playwright

ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--disable-dev-shm-usage", "--force-color-profile=srgb"]
CHROMIUM = os.environ.get("CHROMIUM") or ("/usr/bin/chromium" if pathlib.Path("/usr/bin/chromium").exists() else shutil.which("chromium"))


class Browser:
    def __enter__(self):
        self.playwright = sync_playwright().start()
        self.chromium = self.playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        return self

    def __exit__(self, *_):
        self.chromium.close()
        self.playwright.stop()

    def page(self, theme="light", viewport=None, scale=1, motion="no-preference", **more):
        """a page of its own context; page.seen has requests, page.complaints what the browser said"""
        context = self.chromium.new_context(color_scheme=theme, viewport=viewport or {"width": 1280, "height": 860}, device_scale_factor=scale, locale="en-US",
                                            timezone_id="UTC", reduced_motion=motion, **more)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.seen, page.complaints = [], []
        page.on("request", lambda r: page.seen.append(r.url))
        page.on("console", lambda m: page.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: page.complaints.append(f"exception: {e}"))
        return page
