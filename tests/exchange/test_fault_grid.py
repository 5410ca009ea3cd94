"""The fault grid in virtual time: 0 lost, 0 doubled at the provider, the others unaffected, an end for each message.

Rows: tasks at push and two-way level, the read-back, reports. Wire time is an argument, so days pass at once.
"""

from __future__ import annotations

import datetime as dt

import pytest

from portal.exchange.tables import OutboxMessage
from portal.journey.delivery import claim_deliveries, reclaim_deliveries
from portal.journey.delivery_outcomes import Attempt, record_outcomes
from portal.kernel.database import db
from providers.transports.http import HttpDoor
from providers.water import WaterAdapter
from tests.exchange.faulty_provider import FaultyProvider
from tests.exchange.stub_provider import StubProvider
from tests.worker.parts import add_provider, row_of, send, wire_now

TASK_FAULTS = (
    *("refused", "hang", "drip", "500", "503 retry-after", "302", "garbage 200", "wrong schema", "truncated"),
    *("reset after commit", "duplicate"),
)
DOOR = HttpDoor(timeout_s=0.6)


def pump(wire_at: dt.datetime, *, lose_outcomes: bool = False) -> int:
    """One round at `wire_at`: claim what is due, send it, write down what became of it; answers how many."""
    adapter = WaterAdapter(DOOR)
    found = claim_deliveries(limit=50, owner="me", wire_at=wire_at)
    attempts = [Attempt(message, adapter.deliver(message)) for message in found]
    if lose_outcomes:
        reclaim_deliveries(owner="me", wire_at=wire_at)  # killed after sending, before writing it down
    else:
        record_outcomes(attempts, owner="me", wire_at=wire_at, retry_scale=1.0, jitter=lambda: 0.0)
    return len(found)


def run(names: list[str], begun: dt.datetime, *, until: tuple[str, ...] = ("delivered",)) -> dt.datetime:
    """Go from due time to due time until all are at an end; answers the virtual time it took."""
    now = begun
    for _ in range(60):
        rows = [row_of(name) for name in names]
        waiting = [row.next_at for row in rows if row.state not in until]
        if not waiting:
            return now
        now = max(now, *waiting)
        if not pump(now):
            now += dt.timedelta(minutes=11)  # its breaker is open for at most ten minutes
    raise AssertionError([(row_of(name).state, row_of(name).last_error) for name in names])


@pytest.fixture
def neighbour():
    with StubProvider() as stub:
        yield stub


@pytest.mark.parametrize("level", ["push", "two_way"])
@pytest.mark.parametrize("fault", TASK_FAULTS)
def test_a_task_arrives_once_whatever_happens(app, neighbour, fault, level):
    provider = FaultyProvider(fault)
    add_provider("bad", provider.url, level=level)
    add_provider("well", neighbour.url)
    begun = wire_now()
    names = [send("bad", wire_at=begun) for _ in range(2)]
    others = [send("well", wire_at=begun) for _ in range(3)]
    try:
        pump(begun, lose_outcomes=fault == "duplicate")
        if fault != "duplicate":
            assert {row_of(name).state for name in others} == {"delivered"}, "the others do not wait for it"
        run([*names, *others], begun)
    finally:
        provider.close()
    assert set(provider.effects) == set(names), "0 lost, 0 doubled: effects are counted by id at the provider"
    assert all(provider.effects[name] == row_of(name).body for name in names), "the same bytes on every try"
    assert set(neighbour.effects) == set(others)
    if fault == "503 retry-after":
        assert row_of(names[0]).delivered_at >= begun + dt.timedelta(seconds=90)


@pytest.mark.parametrize("fault", ["hang", "drip", "500", "302", "garbage 200", "wrong schema", "truncated", "refused"])
def test_a_read_back_that_fails_is_never_taken_for_a_match(app, fault):
    provider = FaultyProvider(fault, method="GET")
    add_provider("bad", provider.url, level="two_way")
    begun = wire_now()
    name = send("bad", wire_at=begun)
    try:
        run([name], begun)
    finally:
        provider.close()
    assert row_of(name).read_back == ("mismatch" if fault in ("garbage 200", "wrong schema") else "unread")
    assert provider.tries[name] == 1, "it was taken: a failed look at it is no reason to send it again"


def test_seventy_two_hours_late_is_still_once(app):
    """The schedule reaches beyond three days: what comes back then gets everything, in order and once."""
    provider = FaultyProvider("500", times=10**6)
    add_provider("bad", provider.url)
    begun = now = wire_now()
    name = send("bad", wire_at=begun)
    try:
        while now < begun + dt.timedelta(hours=72):
            row = row_of(name)
            if row.state == "dead":
                break
            now = max(now + dt.timedelta(minutes=11), row.next_at)
            if now >= begun + dt.timedelta(hours=72):
                break
            pump(now)
        assert row_of(name).state == "pending", "ten tries take longer than three days"
        provider.faults_left = 0
        run([name], begun + dt.timedelta(hours=72))
    finally:
        provider.close()
    assert list(provider.effects) == [name]


def test_a_provider_that_never_comes_back_ends_with_a_person(app):
    provider = FaultyProvider("500", times=10**6)
    add_provider("bad", provider.url)
    begun = wire_now()
    name = send("bad", wire_at=begun)
    try:
        run([name], begun, until=("delivered", "dead"))
    finally:
        provider.close()
    assert row_of(name).state == "dead"
    assert provider.tries[name] == 10
    assert db.session.query(OutboxMessage).count() == 1
