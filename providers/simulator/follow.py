"""`make run`: the simulated world keeps the portal's business time, and moves it on when somebody asks for it."""

from __future__ import annotations

import datetime as dt
import threading

import requests

from providers.simulator.clocks import Clocks, Look
from providers.simulator.demo_config import DemoConfig

POLL_S = 0.5
IDLE_LIMIT_S = 20


def follow_clock(config: DemoConfig, stop: threading.Event) -> None:
    """Until `stop`: tell simulators and gateway the portal's business time whenever it changes.

    When the clock page was asked to go on (`advance_requested`), wait until nothing is under way and move everybody
    to the next time at which something happens. A portal that does not answer is asked again.
    """
    clocks = Clocks(config.portal_url, config.simulator_urls.values(), config.gateway_url)
    told: dt.datetime | None = None
    while not stop.wait(POLL_S):
        try:
            told = _follow_once(clocks, told)
        except requests.RequestException:
            told = None


def _follow_once(clocks: Clocks, told: dt.datetime | None) -> dt.datetime:
    look: Look = clocks.look()
    if look.now != told:
        clocks.tell(look.now)
        return look.now
    if look.advance_requested:
        next_at = clocks.wait_idle(IDLE_LIMIT_S).next_time()
        if next_at is not None:
            clocks.move_to(next_at)
            return next_at
    return look.now
