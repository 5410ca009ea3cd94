"""The hand-over pages: everything is there, nothing personal, everybody sees what is theirs; and the acts work."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from portal.exchange.port import Refused
from portal.exchange.tables import InboxMessage, OutboxMessage
from portal.exchange.trouble_tables import HandOverAlarm
from portal.journey import hand_over_alarms, reports
from portal.journey.delivery import claim_deliveries
from portal.journey.delivery_outcomes import Attempt, record_outcomes
from portal.kernel.audit import AuditRecord
from portal.kernel.database import db, transaction
from portal.kernel.policy import Actor
from tests.conftest import AT
from tests.web.staff_world import WATER, WIRE, Town
from tests.web.test_staff_pages import count_statements
from tests.worker.parts import add_provider

SYSTEM = Actor(kind="provider", id=WATER, provider_code=WATER, scopes=frozenset({"reports"}))
OTHER = "power-bayannur"


@pytest.fixture
def town(tmp_path):
    made = Town(tmp_path)
    with made.app.app_context():
        made.start()
        yield made
        db.session.remove()
        db.engine.dispose()


def broken_case(town: Town) -> OutboxMessage:
    """A case whose message to the water provider has failed for good."""
    add_provider(WATER, "http://127.0.0.1:9/")
    town.open_case("03")
    with transaction() as session:
        for row in session.scalars(select(OutboxMessage).where(OutboxMessage.destination == f"provider:{WATER}")):
            row.attempts = 9
    found = claim_deliveries(limit=50, owner="me", wire_at=WIRE)
    said = Refused(500, "HTTP 500: call 13812345678")
    attempts = [Attempt(message, said) for message in found]
    record_outcomes(attempts, owner="me", wire_at=WIRE, retry_scale=1.0, jitter=lambda: 0.0)
    hand_over_alarms.watch(at=AT, wire_at=WIRE)
    db.session.remove()
    return db.session.scalars(select(OutboxMessage).where(OutboxMessage.state == "dead")).one()


def test_a_failed_message_shows_payload_tries_and_what_to_do(town):
    row = broken_case(town)
    admin = town.sign_in("admin")
    page = admin.page("/hand-overs?state=trouble")
    assert "多次失败" in page.text
    page = admin.page(f"/hand-overs/messages/{row.message_id}")
    contact = json.loads(row.body)["data"]["applicant"]["contact"]["mobile"]
    assert contact not in page.text
    assert "13812345678" not in page.text
    assert "138****5678" in page.text
    assert "HTTP 500" in page.text
    assert "task.issued" in page.text
    page = admin.send(page.forms_for("replay")[0], {})
    assert "等待投递" in page.text
    db.session.remove()
    assert db.session.get(OutboxMessage, row.seq).state == "pending"
    acts = db.session.scalars(select(AuditRecord.action).where(AuditRecord.subject == row.message_id)).all()
    assert acts == ["exchange.replayed"]


def test_a_message_is_given_to_the_desk(town):
    row = broken_case(town)
    admin = town.sign_in("admin")
    page = admin.page(f"/hand-overs/messages/{row.message_id}")
    page = admin.send(page.forms_for("desk")[0], {})
    assert "留在工作台" in page.text


def test_health_names_owner_and_clock_of_dead_letters(town):
    broken_case(town)
    page = town.sign_in("admin").page("/health")
    assert "多次投递失败" in page.text
    assert "平台运维须在" in page.text


def test_a_provider_sees_its_own_and_nobody_elses(town):
    row = broken_case(town)
    own, foreign = town.desk(WATER), town.desk(OTHER)
    assert row.message_id in own.page("/hand-overs").text
    assert row.message_id not in foreign.page("/hand-overs").text
    path = f"/hand-overs/messages/{row.message_id}"
    assert own.page(path).forms_for("replay", "desk") == []
    assert foreign.get(path).status_code == foreign.get("/hand-overs/messages/nosuch").status_code == 404
    assert town.sign_in("clerk").get("/hand-overs").status_code == 403


def test_the_list_asks_the_database_as_often_for_many_as_for_one(town):
    broken_case(town)
    admin = town.sign_in("admin")
    admin.page("/hand-overs")
    once = count_statements(lambda: admin.page("/hand-overs"))
    for _ in range(3):
        town.open_case("03")
    db.session.remove()
    assert count_statements(lambda: admin.page("/hand-overs")) == once


def test_a_refused_report_is_shown_with_its_reason_and_applied_again(town):
    town.open_case("03")
    task = town.task(WATER, "survey")
    report = {"kind": "received", "occurred_at": "2026-11-23T09:30:00+08:00", "revision": 7}
    given = {"task_id": task.id, "message_id": "m-1", "path": "/p", "raw": json.dumps(report).encode()}
    assert reports.submit_report(SYSTEM, **given, at=AT, wire_at=WIRE).status == 409
    admin = town.sign_in("admin")
    row = db.session.scalars(select(InboxMessage)).one()
    assert "请按最新内容填报" in admin.page("/hand-overs/inbox").text
    page = admin.page(f"/hand-overs/inbox/{row.id}")
    page = admin.send(page.forms_for("replay")[0], {})
    assert "仍未能办理" in page.text
    with transaction() as session:
        session.get_one(type(task), task.id).revision = 7
    page = admin.send(page.forms_for("replay")[0], {})
    assert "已办理" in page.text
    assert town.task(WATER, "survey").state == "received"
    assert reports.submit_report(SYSTEM, **given, at=AT, wire_at=WIRE).status == 200, "its sender is told so too"
    db.session.remove()
    assert db.session.scalars(select(InboxMessage.raw)).one() is None, "what was applied is not kept twice"


def test_an_alarm_is_closed_with_a_word_about_how(town):
    row = broken_case(town)
    admin = town.sign_in("admin")
    page = admin.page(f"/hand-overs/messages/{row.message_id}")
    admin.send(page.forms_for("close")[0], {"note": "已电话告知"})
    db.session.remove()
    alarm = db.session.scalars(select(HandOverAlarm).where(HandOverAlarm.reason == "dead")).one()
    assert alarm.resolution == "closed"
