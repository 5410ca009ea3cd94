"""The system's Chromium, one tab a person, and what axe-core finds on a page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.fonts import browser_environment
from tests.web.staff_world import PASSWORD

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
WIDTHS = (1440, 390)
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str | None:
    """Where the browser is, if there is one."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def open_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright, TemporaryDirectory() as folder:
        environment: dict[str, str | float | bool] = dict(browser_environment(Path(folder)))
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS), env=environment)
        yield browser
        browser.close()


def new_page(browser: Browser, url: str, *, width: int = 1440, has_script: bool = True) -> Page:
    """A fresh window of this width, signed in as nobody."""
    context = browser.new_context(
        base_url=url, viewport={"width": width, "height": 900}, locale="zh-CN", java_script_enabled=has_script
    )
    return context.new_page()


def sign_in(page: Page, login: str) -> None:
    page.goto("/sign-in")
    page.fill("[name=login]", login)
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(lambda address: not address.endswith("/sign-in"))


def violations(page: Page) -> list[str]:
    """What axe-core objects to (WCAG 2.2 AA and best practices), each with one example."""
    page.evaluate(AXE.read_text("utf-8"))  # evaluated by the debugger, so the page's own policy stays as it is
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {rule['help']} ({len(rule['nodes'])}) {rule['nodes'][0]['html'][:160]}"
        for rule in found["violations"]
    ]


def is_scrolling_sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def small_targets(page: Page) -> list[str]:
    """Buttons and fields under 24 pixels high (WCAG 2.2, 2.5.8)."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('button, select, input:not([type=hidden]), summary')]
        .filter(e => e.checkVisibility() && !e.closest('.govuk-visually-hidden') && e.tabIndex >= 0)
        .filter(e => !['checkbox', 'radio'].includes(e.type))
        .filter(e => e.getBoundingClientRect().height < 24)
        .map(e => e.outerHTML.slice(0, 120))"""
    )
    return found
