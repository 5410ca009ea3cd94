"""The sandbox's use cases on both databases: a whole walk, a flood, an address out of reach; apart from real cases."""

from __future__ import annotations

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.catalog.reading import load_catalog
from portal.exchange.conformance.stand_in import Call
from portal.exchange.conformance.tables import Sandbox
from portal.exchange.signatures import sign
from portal.journey import badges, sandbox, sandbox_checks
from portal.journey.setting_up import set_up_city
from portal.kernel.attestation import init_attestation
from portal.kernel.clock import RealClock
from portal.kernel.crypto import init_vault
from portal.kernel.database import db
from portal.kernel.errors import Conflict, NotAllowed, NotSignedIn
from portal.kernel.policy import Actor
from providers.conformance.prober import Prober
from providers.transports.http import HttpDoor
from tests.architecture.source import imported, name_of, python_files
from tests.conftest import AT
from tests.contract.test_judging import Caller
from tests.journey.players import CITY, CLERK, staff_of

ENGINEER = staff_of("water-linhe")


@pytest.fixture
def app(bare_app, tmp_path):
    init_vault(bare_app, tmp_path)
    init_attestation(bare_app, tmp_path)
    set_up_city(load_catalog(CITY), at=AT)
    return bare_app


class System(Caller):
    """A provider's system at the sandbox's use case."""

    def __init__(self, made: sandbox.Credentials) -> None:
        super().__init__()
        self.made = made

    def call(self, method, path, raw=b"", headers=None, **query):
        self.now += dt.timedelta(seconds=1)
        answer = sandbox.take_call(self.made.key, Call(method, path, query, headers or {}, raw), wire_at=self.now)
        self.now += dt.timedelta(seconds=answer.delay_s)
        return answer

    def sign(self, _secret, name, raw):
        return sign(self.made.secret, name or f"m{self.count}", self.now, raw)


def opened(level: str = "pull", url: str = "", actor: Actor = ENGINEER) -> System:
    return System(sandbox.open_sandbox(actor, level=level, push_url=url, at=AT, wire_at=AT))


def row() -> Sandbox:
    db.session.remove()
    return db.session.query(Sandbox).one()


def test_a_whole_walk_ends_with_a_badge(app):
    system = opened()
    system.work()
    db.session.remove()
    view = badges.view_sandbox(ENGINEER, wire_at=system.now)
    assert view.is_worthy
    assert view.kept == len(view.trials)
    db.session.remove()
    code = badges.give_badge(ENGINEER, base_url="http://x", at=AT, wire_at=system.now)
    assert badges.read_badge(code)["verify_url"] == f"http://x/badges/{code}"


def test_no_badge_before_and_none_for_those_who_are_no_provider(app):
    opened()
    with pytest.raises(Conflict, match="没有通过"):
        badges.give_badge(ENGINEER, base_url="http://x", at=AT, wire_at=AT)
    with pytest.raises(NotAllowed):
        sandbox.open_sandbox(CLERK, level="pull", push_url="", at=AT, wire_at=AT)
    with pytest.raises(NotSignedIn):
        System(sandbox.Credentials("sandbox-x.y", "")).call("GET", "/tasks")


def test_calls_at_the_same_time_are_all_written_down(app):
    system = opened()

    def ping(_number: int) -> int:
        with app.app_context():
            return sandbox.take_call(system.made.key, Call("GET", "/ping", {}, {}, b""), wire_at=AT).status

    db.session.remove()
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ping, range(24))) == {200}
    assert len(row().state["calls"]) == 24


def test_a_replay_gets_the_very_bytes_of_the_first_answer(app):
    system = opened()
    task = system.call("GET", "/tasks").body["items"][0]
    first, again = (json.dumps(system.report(task, "received", name="one").body) for _ in range(2))
    assert first == again


def test_a_flood_is_answered_without_being_written_down(app):
    system = opened()
    held = row()
    calls = [{"at": "2026-11-23T09:00:00+08:00", "method": "GET", "path": "/ping", "status": 200, "code": None}]
    held.state = {**held.state, "calls": calls * sandbox.MAX_A_MINUTE}
    db.session.commit()
    refused = sandbox.take_call(system.made.key, Call("GET", "/ping", {}, {}, b""), wire_at=AT)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "60")
    assert len(row().state["calls"]) == sandbox.MAX_A_MINUTE
    later = AT + dt.timedelta(minutes=2)
    assert sandbox.take_call(system.made.key, Call("GET", "/ping", {}, {}, b""), wire_at=later).status == 200


def test_an_address_that_may_not_be_called_fails_its_cases_and_harms_nobody(app):
    sandbox_checks.PROBERS[:] = [Prober(HttpDoor(()), RealClock().wire_now)]
    opened("push", "http://127.0.0.1:9/")
    sandbox.start_checks(ENGINEER, wire_at=AT)
    payload = {"sandbox_id": row().id}
    sandbox_checks.run_checks(payload, AT, AT)
    sandbox_checks.push_events(payload, AT, AT)
    held = row()
    assert held.probing is False
    assert "outside the allowed networks" in held.findings["takes_a_signed_event"][1]
    assert len(held.state["outgoing"]) == 4  # they wait for the next run
    assert not badges.view_sandbox(ENGINEER, wire_at=AT).is_worthy


def test_the_sandbox_and_the_real_cases_know_nothing_of_each_other():
    own = {"portal/journey/sandbox.py", "portal/journey/sandbox_checks.py", "portal/journey/badges.py"}
    readers = {name_of(p) for p in python_files("portal") if "portal.exchange.conformance.tables" in imported(p)}
    assert readers == own | {"portal/tables.py"}
    real = ("portal.cases", "portal.billing", "portal.documents", "portal.exchange.outbox", "portal.exchange.tables")
    for path in python_files("portal"):
        if name_of(path) in own or name_of(path).startswith("portal/exchange/conformance/"):
            assert [name for name in imported(path) if name.startswith(real)] == [], name_of(path)
