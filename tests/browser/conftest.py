"""One portal and one browser for all tests of this folder; they are skipped where there is no Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import chromium, open_browser
from tests.browser.world import World


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))  # one portal, one browser


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    if chromium() is None:
        pytest.skip("no Chromium here: install it to run the tests in a real browser")
    world = World(tmp_path_factory.mktemp("browser"))
    yield world
    world.stop()


@pytest.fixture(scope="session")
def browser(world: World) -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser
