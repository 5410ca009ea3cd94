"""Hand-overs that need a person: raised once, with owner and clock in working time, resolved by what happens."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from sqlalchemy import select

from portal.cases.tables import Task
from portal.exchange.port import Delivered, Refused
from portal.exchange.schedule import MAX_ATTEMPTS
from portal.exchange.tables import OutboxMessage, ProviderAccess
from portal.exchange.trouble_tables import HandOverAlarm
from portal.exchange.troubles import LATE_AFTER, late_after
from portal.journey import hand_over_alarms, levels
from portal.journey.delivery import claim_deliveries
from portal.journey.delivery_outcomes import Attempt, record_outcomes
from portal.journey.hand_overs import close_alarm
from portal.journey.task_documents import task_document
from portal.kernel.database import db, transaction
from portal.kernel.policy import Actor
from tests.conftest import AT
from tests.web.staff_world import WATER, WIRE, Town
from tests.worker.parts import add_provider

MINUTE = dt.timedelta(minutes=1)
ADMIN = Actor(kind="person", id="a1", name="运维", roles=frozenset({"admin"}))


@pytest.fixture
def town(tmp_path):
    made = Town(tmp_path)
    with made.app.app_context():
        made.start()
        add_provider(WATER, "http://127.0.0.1:9/")
        made.open_case("03")
        yield made
        db.session.remove()
        db.engine.dispose()


def watch(at: dt.datetime) -> None:
    hand_over_alarms.watch(at=at, wire_at=WIRE)
    db.session.remove()


def alarms(reason: str) -> list[HandOverAlarm]:
    db.session.remove()
    return list(db.session.scalars(select(HandOverAlarm).where(HandOverAlarm.reason == reason)))


def message() -> OutboxMessage:
    db.session.remove()
    query = select(OutboxMessage).where(OutboxMessage.destination == f"provider:{WATER}")
    return db.session.scalars(query.order_by(OutboxMessage.seq)).first()


def notices() -> list[dict[str, str]]:
    db.session.remove()
    rows = db.session.scalars(select(OutboxMessage).where(OutboxMessage.destination == "duty"))
    return [json.loads(row.body) for row in rows]


def outcome(what, *, times: int = 1) -> None:
    wire_at = WIRE
    for _ in range(times):
        found = [m for m in claim_deliveries(limit=50, owner="me", wire_at=wire_at) if m.destination != "duty"]
        attempts = [Attempt(m, what) for m in found]
        record_outcomes(attempts, owner="me", wire_at=wire_at, retry_scale=0.0, jitter=lambda: 0.0)
        wire_at += dt.timedelta(hours=1)


def test_thirty_working_minutes_without_an_answer_are_red_and_ring_the_duty_phone(town):
    watch(AT + 29 * MINUTE)
    assert alarms("late") == []
    watch(AT + 30 * MINUTE)
    [alarm] = alarms("late")
    assert (alarm.subject, alarm.provider, alarm.owner) == (message().message_id, WATER, "provider")
    assert alarm.act_until == AT + dt.timedelta(hours=2, minutes=30)
    assert [notice["provider"] for notice in notices()] == [WATER]
    watch(AT + 31 * MINUTE)
    assert len(notices()) == 1, "told once, not at every look"


def test_nights_and_rest_days_do_not_count(town):
    with transaction() as session:
        row = session.scalars(select(OutboxMessage).where(OutboxMessage.destination == f"provider:{WATER}")).first()
        row.at = dt.datetime(2026, 11, 27, 9, 25, tzinfo=dt.UTC)  # Friday 17:25 in Shanghai, five minutes before close
    watch(dt.datetime(2026, 11, 30, 0, 54, tzinfo=dt.UTC))  # Monday 08:54
    assert alarms("late") == []
    watch(dt.datetime(2026, 11, 30, 0, 55, tzinfo=dt.UTC))
    assert len(alarms("late")) == 1


def test_a_fifth_of_a_short_limit_comes_first():
    assert late_after(dt.timedelta(hours=1)) == 12 * MINUTE
    assert late_after(dt.timedelta(days=3)) == LATE_AFTER
    assert late_after(None) == LATE_AFTER


def test_the_outage_runs_on_the_providers_clock(town):
    task = town.task(WATER, "survey")
    watch(AT + 30 * MINUTE)
    assert task_document(db.session(), task.id, at=task.due_at + MINUTE)["light"] == "red"
    assert db.session.get(Task, task.id).due_at == task.due_at


def test_what_arrives_after_all_needs_nobody(town):
    watch(AT + 30 * MINUTE)
    outcome(Delivered(200))
    watch(AT + 40 * MINUTE)
    [alarm] = alarms("late")
    assert (alarm.resolution, alarm.resolved_at) == ("delivered", AT + 40 * MINUTE)


def test_the_last_try_asks_an_operator_and_the_desk_takes_over(town):
    with transaction() as session:
        for row in session.scalars(select(OutboxMessage).where(OutboxMessage.destination == f"provider:{WATER}")):
            row.attempts = 9
    outcome(Refused(500, "HTTP 500"))
    assert message().state == "dead"
    watch(AT + MINUTE)
    [alarm] = alarms("dead")
    assert (alarm.owner, alarm.act_until) == ("portal", AT + 61 * MINUTE)
    levels.give_to_desk(ADMIN, message_id=message().message_id, at=AT)
    watch(AT + 2 * MINUTE)
    assert alarms("dead")[0].resolution == "desk"


def test_an_endpoint_that_is_gone_is_one_alarm_until_it_is_back(town):
    outcome(Refused(410, "HTTP 410", gone=True))
    watch(AT + MINUTE)
    watch(AT + 2 * MINUTE)
    [alarm] = alarms("gone")
    assert (alarm.subject_kind, alarm.subject) == ("endpoint", WATER)
    assert len(notices()) == 1
    levels.switch_level(ADMIN, provider=WATER, level="push", at=AT, wire_at=WIRE)
    watch(AT + 3 * MINUTE)
    assert alarms("gone")[0].resolution == "enabled"
    outcome(Refused(410, "HTTP 410", gone=True))
    db.session.remove()
    assert db.session.get(ProviderAccess, WATER).disabled_at is not None
    watch(AT + 4 * MINUTE)
    assert alarms("gone")[0].resolved_at is None, "the same thing again is open again"


@pytest.mark.parametrize("read_back", ["mismatch", "unread"])
def test_what_was_read_back_wrong_or_never_is_an_alarm_that_only_a_person_closes(town, read_back):
    outcome(Delivered(200, b"", read_back))
    with transaction() as session:  # the schedule of reading back is over
        session.query(OutboxMessage).filter_by(read_back=read_back).update({"attempts": MAX_ATTEMPTS})
    watch(AT + MINUTE)
    watch(AT + 2 * MINUTE)
    [alarm] = alarms(read_back)
    assert alarm.resolved_at is None
    close_alarm(ADMIN, alarm_id=alarm.id, note="电话核对无误", at=AT)
    watch(AT + 3 * MINUTE)
    assert alarms(read_back)[0].resolved_by == "运维"
