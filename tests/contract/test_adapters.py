"""The contract, once for each utility. A sixth utility is one subclass more."""

from typing import ClassVar

from portal.exchange.conformance.promises import PROMISES
from providers import ADAPTERS
from tests.contract.adapter_contract import AdapterContract


class TestWater(AdapterContract):
    utility = "water"
    part: ClassVar = {"use": "industrial", "daily_m3": 1800, "pipe_dn_mm": 200}


class TestPower(AdapterContract):
    utility = "power"
    part: ClassVar = {"load_class": "large_industrial", "added_kva": 2000, "voltage": "10kV"}


class TestGas(AdapterContract):
    utility = "gas"
    part: ClassVar = {"use": "industrial", "peak_m3_h": 1450, "appliances": [{"name": "锅炉", "kw": 7000, "count": 2}]}


class TestHeating(AdapterContract):
    utility = "heating"
    part: ClassVar = {"use": "public", "heated_area_m2": 4200}


class TestNetwork(AdapterContract):
    utility = "network"
    part: ClassVar = {"service": "leased_line", "bandwidth_mbps": 500}


def test_every_adapter_is_under_contract():
    tested = {suite.utility for suite in AdapterContract.__subclasses__()}
    assert tested == set(ADAPTERS)


def test_the_contract_holds_our_side_of_every_promise_about_messages():
    held = {promise for test in vars(AdapterContract).values() for promise in getattr(test, "promises", ())}
    assert held == {promise.id for promise in PROMISES if promise.side in ("takes", "holds")}
