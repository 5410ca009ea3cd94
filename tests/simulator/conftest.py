"""One stand-in portal and one server per utility, over real loopback HTTP."""

from __future__ import annotations

import datetime as dt
import time

import pytest

from providers.simulator.config import UTILITIES, parse_config
from providers.simulator.server import UtilityServer
from tests.simulator.stand_in import SECRET, StandIn


@pytest.fixture
def portal():
    portal = StandIn()
    yield portal
    portal.stop()


class World:
    """The five servers and what tests do with them."""

    def __init__(self, portal):
        providers = [
            {"code": f"{u}-linhe", "utility": u, "name": u, "key": "key-1", "secret": SECRET} for u in UTILITIES
        ]
        config = parse_config({"portal_url": portal.url, "providers": providers, "ports": dict.fromkeys(UTILITIES, 0)})
        self.portal = portal
        self.servers = {u: UtilityServer(config, u) for u in UTILITIES}
        for server in self.servers.values():
            server.start()
        self.set_clock(portal.now)

    def url(self, utility):
        return self.servers[utility].url

    def set_clock(self, now):
        for server in self.servers.values():
            server.set_clock(dt.datetime.fromisoformat(now).astimezone(dt.UTC))

    def settle(self, limit_s=10):
        """Wait until nobody is busy."""
        end = time.monotonic() + limit_s
        while any(server.state()["busy"] for server in self.servers.values()):
            assert time.monotonic() < end, [server.state() for server in self.servers.values()]
            time.sleep(0.01)

    def run_until_quiet(self, steps=60):
        """Move business time from action to action until nothing is planned."""
        for _ in range(steps):
            self.settle()
            times = [s.state()["next_action_at"] for s in self.servers.values()]
            if not any(times):
                return
            self.set_clock(min(at for at in times if at))
        raise AssertionError("there is always something planned")

    def errors(self):
        return [error for server in self.servers.values() for error in server.state()["errors"]]


@pytest.fixture
def world(portal):
    world = World(portal)
    yield world
    for server in world.servers.values():
        server.stop()
