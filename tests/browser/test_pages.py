"""Every page in a real browser, wide and narrow: accessible, not scrolling sideways, nothing the policy forbids."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chromium import WIDTHS, is_scrolling_sideways, new_page, sign_in, small_targets, violations
from tests.browser.world import World

NAMES = {
    *("start", "fees", "progress", "verify", "api", "sign-in", "not-found", "works", "password", "badge"),
    *("application-new", "application-new-counter", "application", "cases"),
    *("case-survey", "case-visit", "case-conflict", "case-reply", "case-bill"),
    *("counter", "counter-application", "desk", "desk-task", "desk-crews", "desk-sandbox", "desk-line"),
    *("agency", "oversight", "finance", "health", "hand-overs", "hand-over", "hand-overs-inbox", "hand-overs-own"),
}
_pages: dict[tuple[str | None, int], Page] = {}


@pytest.fixture(scope="module", autouse=True)
def close_pages():
    yield
    for page in _pages.values():
        page.context.close()
    _pages.clear()


def page_of(browser: Browser, world: World, login: str | None, width: int) -> Page:
    """One window a person and width: signing in once is enough."""
    if (login, width) not in _pages:
        page = _pages[login, width] = new_page(browser, world.url, width=width)
        if login:
            sign_in(page, login)
    return _pages[login, width]


def listen(page: Page, url: str) -> tuple[list[str], list[str]]:
    """What the page's own policy forbids, and requests that leave for another address, from now on."""
    forbidden: list[str] = []
    elsewhere: list[str] = []
    page.on("console", lambda message: forbidden.append(message.text) if "Content Security" in message.text else None)
    page.on("request", lambda sent: None if sent.url.startswith((url, "data:")) else elsewhere.append(sent.url))
    return forbidden, elsewhere


def test_every_page_of_the_world_is_looked_at(world):
    assert sorted(look.name for look in world.looks) == sorted(NAMES)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_page_is_accessible_and_fits(browser, world, name, width):
    look = next(look for look in world.looks if look.name == name)
    page = page_of(browser, world, look.login, width)
    forbidden, elsewhere = listen(page, world.url)
    answer = page.goto(look.path)
    assert answer is not None
    assert answer.status == (404 if name in ("verify", "not-found") else 200)
    assert violations(page) == []
    assert not is_scrolling_sideways(page)
    assert small_targets(page) == []
    assert forbidden == []
    assert elsewhere == []


@pytest.mark.parametrize("name", ["start", "sign-in", "application-new", "case-reply", "case-bill", "counter", "desk"])
def test_text_twice_as_large_still_fits(browser, world, name):
    look = next(look for look in world.looks if look.name == name)
    page = page_of(browser, world, look.login, 1440)
    page.goto(look.path)
    page.set_viewport_size({"width": 720, "height": 450})  # what zooming to 200 % leaves of the window
    try:
        assert not is_scrolling_sideways(page)
        assert violations(page) == []
    finally:
        page.set_viewport_size({"width": 1440, "height": 900})
