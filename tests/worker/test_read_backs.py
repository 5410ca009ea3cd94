"""What was accepted is read back until it is known to be there; a lost lease is a doubt. On every engine."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from portal.exchange.port import Delivered
from portal.exchange.schedule import MAX_ATTEMPTS
from portal.exchange.tables import OutboxMessage
from portal.journey import delivery
from portal.journey.delivery import claim_deliveries
from portal.journey.delivery_outcomes import record_outcomes
from portal.journey.delivery_read_backs import is_given_up
from portal.kernel.clock import RealClock
from portal.kernel.crypto import init_vault
from portal.kernel.database import db
from portal.worker.port import Duties
from portal.worker.sending import Senders
from providers import make_adapters
from providers.transports.http import HttpDoor
from tests.exchange.stub_provider import Call, StubProvider
from tests.worker.parts import add_provider, row_of, run_engine, send, wire_now


@pytest.fixture
def app(bare_app: Flask, tmp_path: Path) -> Flask:
    init_vault(bare_app, tmp_path)
    return bare_app


@pytest.fixture
def work(app: Flask, engine: str) -> Callable[..., None]:
    """Run the worker until a condition holds, then stop it."""

    def until(condition: Callable[[], bool], *, scale: float = 1e-4) -> None:
        duties = Duties(make_adapters(HttpDoor(timeout_s=2)), {}, RealClock(), "worker-1", scale, send_threads=8)
        run_engine(engine, app, duties, condition, timeout_s=20.0)

    return until


def test_an_accepted_message_is_read_back_until_it_is_known_to_be_there(app, work):
    reads = []

    def script(call: Call, _count: int):
        if call.method == "POST":
            return 202, {}, b""
        reads.append(call.path)
        return (503, {}, b"") if len(reads) < 4 else (200, {}, b'{"task_id": "%s", "revision": 1}' % (b"t" * 32))

    with StubProvider(script) as stub:
        add_provider("w1", stub.url, level="two_way")
        name = send("w1", task_id="t" * 32)
        later = send("w1", task_id="t" * 32, revision=1)  # what is only to be read back holds up nothing
        work(lambda: {row_of(name).read_back, row_of(later).read_back} == {"match"})
        assert [call.method for call in stub.calls].count("POST") == 2  # read again, never sent again
    assert row_of(name).state == "delivered"
    assert troubled() == set()


def test_what_is_read_back_wrong_or_never_needs_a_person(app, work):
    def script(call: Call, _count: int):
        if call.method == "POST":
            return 202, {}, b""
        return (404, {}, b"") if "bbbb" in call.path else (200, {}, b'{"task_id": "other", "revision": 1}')

    with StubProvider(script) as stub:
        add_provider("w1", stub.url, level="two_way")
        wrong = send("w1", task_id="a" * 32)
        never = send("w1", task_id="b" * 32)
        work(lambda: troubled() == {wrong, never}, scale=1e-6)
    assert row_of(wrong).read_back == "mismatch"
    assert (row_of(never).read_back, row_of(never).attempts) == ("unread", MAX_ATTEMPTS)


def troubled() -> set[str]:
    db.session.remove()
    wrong = (OutboxMessage.read_back == "mismatch") | is_given_up()
    return set(db.session.scalars(select(OutboxMessage.message_id).where(wrong)))


def test_a_lost_lease_is_a_doubt_and_who_might_act_twice_is_not_sent_to(app):
    add_provider("w1", "http://127.0.0.1:9/")
    name = send("w1")
    claim_deliveries(limit=1, owner="killed", wire_at=wire_now())
    delivery.reclaim_deliveries(owner="killed", wire_at=wire_now())
    (message,) = claim_deliveries(limit=1, owner="worker-1", wire_at=wire_now())
    assert message.in_doubt
    blind = Blind()
    attempt = Senders({"provider:water": blind}, RealClock(), 0, lambda: None)._attempt(message)
    assert blind.sent == 0
    record_outcomes([attempt], owner="worker-1", wire_at=wire_now(), retry_scale=1, jitter=lambda: 0)
    assert row_of(name).state == "unknown"


class Blind:
    """It acts at every sending and cannot be asked."""

    repetition = "blind"
    sent = 0

    def deliver(self, _message):
        self.sent += 1
        return Delivered(200)
