"""How a provider is reached can be changed by one act; nothing is lost on the way and nothing arrives twice."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from portal.exchange.port import Delivered, Refused, Unknown
from portal.exchange.tables import OutboxMessage, ProviderAccess
from portal.journey.delivery import claim_deliveries
from portal.journey.delivery_outcomes import Attempt, record_outcomes
from portal.journey.levels import give_to_desk, resolve_unknown, switch_level
from portal.kernel.audit import AuditRecord
from portal.kernel.clock import RealClock
from portal.kernel.crypto import init_vault
from portal.kernel.database import db
from portal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.kernel.policy import Actor
from portal.worker.sending import Senders
from tests.conftest import AT
from tests.journey.players import RESTAURANT, CaseWalk
from tests.worker.parts import add_provider, wire_now

ADMIN = Actor(kind="person", id="a1", name="管理员", roles=frozenset({"admin"}))
CLERK = Actor(kind="person", id="c1", name="窗口", roles=frozenset({"clerk"}))
GAS, URL = "gas-linhe", "http://127.0.0.1:9/"


@pytest.fixture
def walk(bare_app: Flask, tmp_path: Path) -> CaseWalk:
    """The restaurant's case, all its providers at desk level."""
    init_vault(bare_app, tmp_path)
    return CaseWalk(RESTAURANT).open()


def states(provider: str = GAS) -> Counter[str]:
    db.session.remove()
    return Counter(row.state for row in messages(provider))


def messages(provider: str = GAS) -> list[OutboxMessage]:
    query = select(OutboxMessage).where(OutboxMessage.destination == f"provider:{provider}")
    return list(db.session.scalars(query.order_by(OutboxMessage.seq)))


def switch(level: str, **more) -> int:
    return switch_level(ADMIN, provider=GAS, level=level, at=AT, wire_at=wire_now(), **more)


def record(found, outcome, repetition="idempotent") -> None:
    attempts = [Attempt(message, outcome, repetition) for message in found]
    record_outcomes(attempts, owner="me", wire_at=wire_now(), retry_scale=1.0, jitter=lambda: 0.0)


def claim() -> list:
    return claim_deliveries(limit=50, owner="me", wire_at=wire_now())


def test_what_waits_at_a_desk_is_sent_once_the_provider_has_a_system(walk):
    add_provider(GAS, URL, utility="gas", level="desk")
    assert set(states()) == {"kept"}
    assert switch("push", push_url=URL) == sum(states().values())
    sent = claim()
    assert [m.destination for m in sent] == [f"provider:{GAS}"]  # one task: one after the other
    record(sent, Delivered(200))
    assert switch("two_way") == states()["pending"]  # what has arrived is not repeated
    assert states()["delivered"] == 1


def test_what_could_not_be_sent_waits_at_the_desk(walk):
    add_provider(GAS, URL, utility="gas", level="desk")
    switch("push", push_url=URL)
    held = claim()
    assert switch("desk") == states()["kept"]
    record(held, Refused(500, "HTTP 500"))  # it was on its way when the level changed
    assert claim_deliveries(limit=50, owner="me", wire_at=wire_now() + dt.timedelta(minutes=1)) == []
    assert set(states()) == {"kept"}


def test_the_old_ways_failures_do_not_hold_up_the_new_one(walk):
    add_provider(GAS, URL, utility="gas", level="desk")
    switch("push", push_url=URL)
    for _ in range(5):
        record(claim() or [], Unknown("down"))
        switch("push")
    assert claim()


def test_tasks_that_have_ended_are_not_sent_again(walk):
    add_provider(GAS, URL, utility="gas", level="desk")
    walk.walk_to("closed")
    assert switch("push", push_url=URL) == 0


def test_only_an_administrator_may_and_it_is_written_down(walk):
    add_provider(GAS, URL, utility="gas", level="desk")
    with pytest.raises(NotAllowed):
        switch_level(CLERK, provider=GAS, level="pull", at=AT, wire_at=wire_now())
    with pytest.raises(NotFound):
        switch_level(ADMIN, provider="nobody", level="pull", at=AT, wire_at=wire_now())
    with pytest.raises(Invalid):
        switch("telepathy")
    switch("pull")
    assert db.session.get(ProviderAccess, GAS).level == "pull"
    row = db.session.scalars(select(AuditRecord).where(AuditRecord.action == "exchange.level_switched")).one()
    assert (row.subject, row.detail) == (GAS, {"from": "desk", "to": "pull"})


def test_a_level_that_sends_needs_an_address(walk):
    add_provider(GAS, "", utility="gas", level="desk")
    with pytest.raises(Invalid) as wrong:
        switch("two_way")
    assert [error.field for error in wrong.value.errors] == ["push_url"]


def test_one_hand_over_is_given_to_the_desk(walk):
    add_provider(GAS, URL, utility="gas", level="desk")
    switch("push", push_url=URL)
    first = messages()[0].message_id
    assert give_to_desk(ADMIN, message_id=first, at=AT) == states()["kept"] > 0
    assert claim() == []
    switch("push")
    held = claim()
    with pytest.raises(Conflict):
        give_to_desk(ADMIN, message_id=held[0].id, at=AT)
    with pytest.raises(NotFound):
        give_to_desk(ADMIN, message_id="nothing", at=AT)


def test_a_person_decides_about_what_nobody_knows(walk):
    add_provider(GAS, URL, utility="gas", level="desk")
    switch("push", push_url=URL)
    record(claim(), Unknown("timeout"), "blind")
    assert states()["unknown"] == 1
    name = next(row.message_id for row in messages() if row.state == "unknown")
    decide = {"message_id": name, "at": AT, "wire_at": wire_now()}
    with pytest.raises(Invalid):
        resolve_unknown(ADMIN, decision="arrived", note=" ", **decide)
    resolve_unknown(ADMIN, decision="send_again", note="对方未收到", **decide)
    record(claim(), Unknown("timeout"), "blind")
    resolve_unknown(ADMIN, decision="arrived", note="对方已收到", **decide)
    assert next(row.state for row in messages() if row.message_id == name) == "delivered"
    with pytest.raises(Conflict):
        resolve_unknown(ADMIN, decision="arrived", note="再次", **decide)


class Asked:
    """A receiver that can be asked whether it has a message."""

    repetition = "queryable"

    def __init__(self, known: object) -> None:
        self.known, self.calls = known, []

    def ask(self, message):
        self.calls.append("ask")
        return self.known

    def deliver(self, message):
        self.calls.append("deliver")
        return Delivered(200)


@pytest.mark.parametrize(
    ("known", "calls"),
    [
        (Delivered(200), ["deliver", "ask"]),
        (Refused(404, "not there"), ["deliver", "ask", "deliver"]),
        (Unknown("nobody knows"), ["deliver", "ask"]),
    ],
)
def test_who_can_be_asked_is_asked_before_a_second_sending(walk, known, calls):
    add_provider(GAS, URL, utility="gas", level="desk")
    switch("push", push_url=URL)
    (message,) = claim()
    receiver = Asked(known)
    senders = Senders({"provider:gas": receiver}, RealClock(), 0, lambda: None)
    senders._attempt(message)
    record([message], Unknown("timeout"), "queryable")
    assert states()["pending"] >= 1  # it comes again by itself
    senders._attempt(replace(message, attempt=2))
    assert receiver.calls == calls
