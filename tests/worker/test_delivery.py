"""The worker against a real HTTP server: everything arrives once, in order, whatever the other side does."""

import datetime as dt
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from portal.exchange.breaker import THRESHOLD
from portal.exchange.outbox import enqueue
from portal.exchange.port import Delivered, Unknown
from portal.exchange.tables import DestinationHealth, OutboxMessage, ProviderAccess
from portal.journey import delivery
from portal.journey.delivery import claim_deliveries
from portal.journey.delivery_outcomes import Attempt, record_outcomes
from portal.journey.hand_overs import replay_hand_over
from portal.kernel.clock import RealClock
from portal.kernel.crypto import init_vault
from portal.kernel.database import db, transaction
from portal.kernel.errors import Conflict
from portal.kernel.policy import Actor
from portal.worker.bells import open_bell
from portal.worker.engines import ENGINES
from portal.worker.port import AlreadyRunning, Duties
from providers import make_adapters
from providers.transports.http import HttpDoor
from tests.exchange.stub_provider import Call, StubProvider
from tests.worker.parts import AT, add_provider, row_of, run_engine, send, wire_now

ADMIN = Actor(kind="person", id="a1", name="运维", roles=frozenset({"admin"}))


@pytest.fixture
def app(bare_app: Flask, tmp_path: Path) -> Flask:
    init_vault(bare_app, tmp_path)
    return bare_app


@pytest.fixture
def work(app: Flask, engine: str) -> Callable[..., None]:
    """Run the worker until a condition holds, then stop it and wait for its end."""

    def until(condition: Callable[[], bool], *, timeout_s: float = 20.0, scale: float = 1e-4) -> None:
        duties = Duties(make_adapters(HttpDoor(timeout_s=2)), {}, RealClock(), "worker-1", scale, send_threads=8)
        run_engine(engine, app, duties, condition, timeout_s=timeout_s)

    return until


def test_every_message_arrives_once_with_its_exact_bytes(app, work):
    with StubProvider() as stub:
        add_provider("w1", stub.url + "/hook")
        sent = [send("w1") for _ in range(60)]
        work(lambda: len(stub.effects) == 60)
    assert set(stub.effects) == set(sent)
    assert len(stub.calls) == 60
    assert {row_of(name).state for name in sent} == {"delivered"}
    assert stub.effects[sent[0]] == row_of(sent[0]).body
    assert {call.path for call in stub.calls} == {"/hook"}


def test_failures_are_tried_again_under_the_same_id(app, work):
    def script(_call: Call, count: int):
        return (
            [(500, {}, b""), (302, {"Location": "/x"}, b""), (429, {"Retry-After": "0"}, b"")][count - 1]
            if (count < 4)
            else (200, {}, b"{}")
        )

    with StubProvider(script) as stub:
        add_provider("w1", stub.url)
        name = send("w1")
        work(lambda: name in stub.effects)
        assert stub.tries[name] == 4
        assert {call.path for call in stub.calls} == {"/"}  # the redirect was not followed
        assert len({call.body for call in stub.calls}) == 1
    assert row_of(name).attempts == 4


def test_messages_about_one_task_stay_in_order(app, work):
    def script(call: Call, count: int):
        return (500, {}, b"") if b'"revision": 1' in call.body and count < 3 else (200, {}, b"{}")

    with StubProvider(script) as stub:
        add_provider("w1", stub.url)
        names = [send("w1", task_id="t" * 32, revision=revision) for revision in (1, 2, 3)]
        work(lambda: len(stub.effects) == 3)
        assert list(stub.effects) == names


def test_a_message_for_a_sick_provider_does_not_hold_up_another(app, work):
    with StubProvider(lambda _c, _n: (500, {}, b"")) as sick, StubProvider() as well:
        add_provider("sick", sick.url)
        add_provider("well", well.url)
        for _ in range(40):
            send("sick")
        names = [send("well") for _ in range(5)]
        work(lambda: len(well.effects) == 5)
        assert set(well.effects) == set(names)


def test_gone_disables_the_endpoint_and_keeps_the_messages(app, work):
    with StubProvider(lambda _c, _n: (410, {}, b"")) as stub:
        add_provider("w1", stub.url)
        first = send("w1", task_id="a" * 32)
        second = send("w1", task_id="a" * 32)
        work(lambda: row_of(second).state == "gone")
    assert row_of(first).state == "gone"
    assert stub.tries[second] == 0
    db.session.remove()
    assert db.session.get(ProviderAccess, "w1").disabled_at is not None
    later = send("w1")
    assert row_of(later).state == "kept"


def test_after_the_last_try_a_person_is_asked_and_can_send_again(app, work):
    answers = {"status": 500}
    with StubProvider(lambda _c, _n: (answers["status"], {}, b"")) as stub:
        add_provider("w1", stub.url)
        name = send("w1")
        work(lambda: row_of(name).state == "dead", scale=1e-6)
        assert stub.tries[name] == 10
        replay_hand_over(ADMIN, message_id=name, at=AT, wire_at=wire_now())
        assert row_of(name).state == "pending"
        with pytest.raises(Conflict):
            replay_hand_over(ADMIN, message_id=name, at=AT, wire_at=wire_now())


def test_what_a_person_sends_again_is_no_longer_in_doubt(app):
    add_provider("w1", "http://127.0.0.1:9/")
    name, now = send("w1"), wire_now()
    with transaction() as session:
        row = session.query(OutboxMessage).filter_by(message_id=name).one()
        row.state, row.in_doubt = "dead", True
    replay_hand_over(ADMIN, message_id=name, at=AT, wire_at=now)
    assert (row_of(name).state, row_of(name).in_doubt) == ("pending", False)


def test_the_breaker_opens_after_five_failures_and_lets_one_probe_through(app):
    add_provider("w1", "http://127.0.0.1:9/")
    now = wire_now()
    for _ in range(THRESHOLD * 3):
        send("w1", wire_at=now)
    claimed = claim_deliveries(limit=THRESHOLD, owner="me", wire_at=now)
    record(claimed, Unknown("down"), now)
    assert claim_deliveries(limit=50, owner="me", wire_at=now) == []
    opened = db.session.get(DestinationHealth, "provider:w1").opened_until
    probe = claim_deliveries(limit=50, owner="me", wire_at=opened)
    assert len(probe) == 1
    assert claim_deliveries(limit=50, owner="me", wire_at=opened) == []
    record(probe, Delivered(200), opened)
    assert len(claim_deliveries(limit=50, owner="me", wire_at=opened)) > 1


def record(messages, outcome, at, repetition="idempotent"):
    attempts = [Attempt(message, outcome, repetition) for message in messages]
    record_outcomes(attempts, owner="me", wire_at=at, retry_scale=1.0, jitter=lambda: 0.0)


def test_a_blind_destination_is_never_sent_to_twice_by_itself(app):
    add_provider("w1", "http://127.0.0.1:9/")
    name = send("w1")
    record(claim_deliveries(limit=5, owner="me", wire_at=wire_now()), Unknown("timeout"), wire_now(), "blind")
    assert row_of(name).state == "unknown"


def test_a_provider_without_endpoint_keeps_its_messages_for_the_desk(app):
    name = send("nobody")
    assert row_of(name).state == "kept"
    assert claim_deliveries(limit=5, owner="me", wire_at=wire_now()) == []


def test_two_workers_never_hold_the_same_message(app):
    add_provider("w1", "http://127.0.0.1:9/")
    for _ in range(20):
        send("w1")
    held: list[str] = []
    lock = threading.Lock()

    def claim(owner: str) -> None:
        with app.app_context():
            for _ in range(10):
                found = claim_deliveries(limit=3, owner=owner, wire_at=wire_now(), per_destination=100)
                with lock:
                    held.extend(message.id for message in found)

    threads = [threading.Thread(target=claim, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(held) == len(set(held)) == 20


def test_a_commit_wakes_the_worker(app, wake_port):
    bell = open_bell(app, "worker-1", wake_port)
    try:
        add_provider("w1", "http://127.0.0.1:9/")
        bell.wait(0.2)
        begun = time.monotonic()
        later = threading.Timer(0.1, lambda: _in_context(app, lambda: send("w1")))
        later.start()
        bell.wait(5)
        assert time.monotonic() - begun < 2
        later.join()
    finally:
        bell.close()


def test_a_rolled_back_transaction_wakes_nobody_and_sends_nothing(app, wake_port):
    def send_and_fail() -> None:
        with transaction() as session:
            enqueue(session, destination="provider:w1", kind="x", body=b"{}", at=AT, wire_at=wire_now())
            raise RuntimeError

    bell = open_bell(app, "worker-1", wake_port)
    try:
        with pytest.raises(RuntimeError):
            send_and_fail()
        begun = time.monotonic()
        bell.wait(0.5)
        assert time.monotonic() - begun >= 0.45
    finally:
        bell.close()
    assert db.session.query(OutboxMessage).count() == 0


def _in_context(app: Flask, act: Callable[[], object]) -> None:
    with app.app_context():
        act()
        db.session.remove()


def test_a_second_worker_of_the_same_name_refuses_to_start(app, engine, wake_port):
    bell = open_bell(app, "worker-1", wake_port)
    try:
        with pytest.raises(AlreadyRunning, match="already"):
            ENGINES[engine](app, Duties({}, {}, RealClock(), "worker-1"), port=wake_port, stop_event=threading.Event())
    finally:
        bell.close()
    open_bell(app, "worker-1", wake_port).close()


def test_a_lease_is_renewed_only_for_its_owner(app):
    add_provider("w1", "http://127.0.0.1:9/")
    name, now = send("w1"), wire_now()
    short = dt.timedelta(seconds=1)
    claim_deliveries(limit=5, owner="me", wire_at=now, lease=short)
    later = now + dt.timedelta(seconds=2)
    delivery.renew_deliveries([name], owner="other", wire_at=later, lease=short)
    assert row_of(name).lease_until == now + short
    delivery.renew_deliveries([name], owner="me", wire_at=later, lease=short)
    assert delivery.sweep_deliveries(wire_at=later) == 0
    assert delivery.sweep_deliveries(wire_at=later + dt.timedelta(seconds=2)) == 1


def test_what_is_sent_slowly_is_not_sent_twice_while_its_worker_lives(app, engine):
    with StubProvider(delay_s=2.0) as stub:
        add_provider("w1", stub.url)
        name = send("w1")
        lease = dt.timedelta(seconds=0.6)
        duties = Duties(make_adapters(HttpDoor()), {}, RealClock(), "worker-1", lease=lease, send_threads=4)
        run_engine(engine, app, duties, lambda: row_of(name).state == "delivered")
        assert len(stub.calls) == 1
