"""`python -m tests.browser.screenshots`: every page at 1440 and 390 pixels into `out/screenshots/`, to be looked at."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from tests.browser.chromium import WIDTHS, new_page, open_browser, sign_in
from tests.browser.world import World

OUT = Path(__file__).parents[2] / "out" / "screenshots"


def take(browser: Browser, world: World, width: int) -> None:
    for login in dict.fromkeys(look.login for look in world.looks):
        page = new_page(browser, world.url, width=width)
        if login:
            sign_in(page, login)
        for look in (look for look in world.looks if look.login == login):
            page.goto(look.path)
            page.screenshot(path=OUT / f"{look.name}-{width}.png", full_page=True)
        page.context.close()


def main() -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        try:
            with open_browser() as browser:
                for width in WIDTHS:
                    take(browser, world, width)
        finally:
            world.stop()
    print(f"{2 * len(world.looks)} pictures in {OUT}")  # noqa: T201 - the command line prints


if __name__ == "__main__":
    main()
