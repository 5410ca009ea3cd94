"""Whoever hangs, drips, asks for a rest or is throttled takes nothing from the others."""

from __future__ import annotations

import datetime as dt
import socket
import threading
import time

from portal.exchange.port import Delivered, Refused
from portal.exchange.tables import ProviderAccess
from portal.exchange.trouble_tables import OutboxTry
from portal.journey.delivery import claim_deliveries, next_delivery_at
from portal.journey.delivery_outcomes import Attempt, record_outcomes
from portal.kernel.database import db, transaction
from providers.transports.http import HttpDoor, NoAnswer
from tests.exchange.stub_provider import StubProvider
from tests.worker.parts import add_provider, row_of, send, wire_now

HANG_S = 5.0


def test_hanging_providers_do_not_hold_up_the_others(app, work):
    """Three that hang could take every thread; everything for the fourth arrives before the first of them is back."""
    with StubProvider(delay_s=HANG_S) as hanging, StubProvider() as well:
        for code in ("h1", "h2", "h3"):
            add_provider(code, hanging.url)
            for _ in range(20):
                send(code)
        add_provider("well", well.url)
        names = [send("well") for _ in range(20)]
        begun = time.monotonic()
        work(lambda: len(well.effects) == 20)
        assert set(well.effects) == set(names)
        assert time.monotonic() - begun < HANG_S + 20  # the drain waits for what had begun
        assert not hanging.effects or max(well.arrived_s) < min(hanging.arrived_s)


def test_an_answer_that_drips_ends_at_the_deadline():
    server = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def drip() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 1000:
                if stop.wait(0.2):
                    return
                try:
                    connection.send(bytes([byte]))
                except OSError:
                    return

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    begun = time.monotonic()
    try:
        HttpDoor(timeout_s=1).call("POST", f"http://127.0.0.1:{server.getsockname()[1]}/", {}, b"{}")
    except NoAnswer:
        pass
    else:
        raise AssertionError("a dripping answer is no answer")
    finally:
        stop.set()
        server.close()
    assert time.monotonic() - begun < 60  # not the three minutes its 1 000 bytes would take
    thread.join(5)


def record(messages, outcome, at):
    attempts = [Attempt(message, outcome) for message in messages]
    record_outcomes(attempts, owner="me", wire_at=at, retry_scale=1.0, jitter=lambda: 0.0)


def test_a_rest_asked_for_holds_everything_to_that_provider(app):
    add_provider("w1", "http://127.0.0.1:9/")
    add_provider("w2", "http://127.0.0.1:9/")
    now = wire_now()
    first = send("w1", wire_at=now)
    record(claim_deliveries(limit=9, owner="me", wire_at=now), Refused(503, "HTTP 503", retry_after_s=120.0), now)
    send("w1", wire_at=now)
    send("w2", wire_at=now)
    assert [m.destination for m in claim_deliveries(limit=9, owner="me", wire_at=now)] == ["provider:w2"]
    end = now + dt.timedelta(seconds=120)
    assert next_delivery_at(now) == end
    assert claim_deliveries(limit=9, owner="me", wire_at=end - dt.timedelta(seconds=1)) == []
    assert len(claim_deliveries(limit=9, owner="me", wire_at=end)) == 2
    tried = db.session.query(OutboxTry).one()
    assert (tried.message_id, tried.attempt, tried.status, tried.retry_after_s) == (first, 1, 503, 120.0)


def test_a_provider_gets_no_more_than_its_rate(app):
    add_provider("w1", "http://127.0.0.1:9/")
    add_provider("w2", "http://127.0.0.1:9/")
    with transaction() as session:
        access = session.get_one(ProviderAccess, "w1")
        access.rate_per_minute, access.burst = 60, 3
    now = wire_now()
    for _ in range(10):
        send("w1", wire_at=now)
    send("w2", wire_at=now)
    found = claim_deliveries(limit=50, owner="me", wire_at=now)
    assert sorted(m.destination for m in found) == ["provider:w1"] * 3 + ["provider:w2"]
    record(found, Delivered(200), now)
    assert claim_deliveries(limit=50, owner="me", wire_at=now) == []
    assert len(claim_deliveries(limit=50, owner="me", wire_at=now + dt.timedelta(seconds=2))) == 2


def test_every_failed_try_is_kept_with_what_was_answered(app, work):
    answers = [(500, {}, b'{"detail": "no room"}'), (404, {}, b""), (200, {}, b"thanks")]
    with StubProvider(lambda _call, count: answers[min(count, 3) - 1]) as stub:
        add_provider("w1", stub.url)
        name = send("w1")
        work(lambda: row_of(name).state == "delivered")
    tries = db.session.query(OutboxTry).order_by(OutboxTry.seq).all()
    assert [(t.attempt, t.outcome, t.status) for t in tries] == [(1, "refused", 500), (2, "refused", 404)]
    assert "no room" in tries[0].error
    assert row_of(name).response == b"thanks"
