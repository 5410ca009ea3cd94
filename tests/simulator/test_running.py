"""The command line hosts the servers; the follower keeps everybody on the portal's time."""

from __future__ import annotations

import datetime as dt
import json
import signal
import subprocess
import sys
import threading
import time

import requests

from providers.simulator.config import UTILITIES
from providers.simulator.demo_config import DemoConfig, SignIn
from providers.simulator.fault_mix import GATEWAY_FAULTS
from providers.simulator.follow import follow_clock
from providers.simulator.gateway.faults import Faults as GatewayFaults
from tests.simulator.site import Site
from tests.simulator.stand_in import SECRET


def test_one_command_hosts_all_five_servers(portal, tmp_path):
    providers = [{"code": f"{u}-1", "utility": u, "name": u, "key": "key-1", "secret": SECRET} for u in UTILITIES]
    config = {"portal_url": portal.url, "providers": providers, "ports": dict.fromkeys(UTILITIES, 0)}
    path = tmp_path / "simulators.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-m", "providers.simulator", "--config", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        urls = dict(process.stdout.readline().split() for _ in UTILITIES)
        assert set(urls) == set(UTILITIES)
        for utility, url in urls.items():
            assert requests.get(url + "/healthz", timeout=5).json()["utility"] == utility
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        process.stdout.close()


def test_a_wrong_configuration_file_is_told_and_stops(tmp_path):
    path = tmp_path / "simulators.json"
    path.write_text('{"portal_url": "nowhere"}', encoding="utf-8")
    command = [sys.executable, "-m", "providers.simulator", "--config", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "portal_url" in done.stderr


def test_the_follower_tells_the_simulators_when_the_portals_time_changes(world):
    site, stop = Site(), threading.Event()
    config = DemoConfig(
        portal_url=site.url,
        simulator_urls={"water": world.url("water")},
        gateway_url=site.gateway_url,
        people=(SignIn("clerk", "clerk", "right"),),
        gov_portal_key="",
        applications=(),
    )
    follower = threading.Thread(target=follow_clock, args=(config, stop))
    follower.start()
    try:
        site.now = dt.datetime(2026, 12, 1, 1, 0, tzinfo=dt.UTC)
        end = time.monotonic() + 10
        while world.servers["water"].state()["now"] != site.now.isoformat():
            assert time.monotonic() < end
            time.sleep(0.05)
        site.now, site.advance_requested = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC), True
        while site.now.day == 23:
            assert time.monotonic() < end
            time.sleep(0.05)
        assert site.now == dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC)
    finally:
        stop.set()
        follower.join()
        site.stop()


def test_the_gateway_knows_every_switch_of_the_demo_mix():
    faults = GatewayFaults()
    faults.set(GATEWAY_FAULTS)
    assert faults.duplicate_notify
