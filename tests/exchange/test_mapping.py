"""A provider's own dialect: a system that speaks it is joined without code; what is unmapped is shown and waits."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest
from sqlalchemy import select

from portal.cases.tables import CaseEvent, Pause
from portal.catalog.reading import CITIES
from portal.exchange import access
from portal.exchange.mapping import Unmapped, load_mapping, render, report_of
from portal.exchange.tables import InboxMessage, OutboxMessage
from portal.exchange.wire import parse_report
from portal.journey import hand_over_alarms, hand_overs, mappings, statuses
from portal.journey.delivery import claim_deliveries
from portal.journey.delivery_outcomes import Attempt, record_outcomes
from portal.kernel.database import db, transaction
from providers.transports.http import HttpDoor
from providers.water import WaterAdapter
from tests.conftest import AT
from tests.exchange.stub_provider import StubProvider
from tests.exchange.test_alarms import ADMIN
from tests.web.staff_world import WATER, WIRE, Town
from tests.worker.parts import add_provider

DIALECT = load_mapping(CITIES / "150800" / "mappings" / "approval_form14.toml")


def status(code: str, task_id: str = "t1", **more: str) -> dict[str, str]:
    return {"field1": task_id, "status": code, "time": "2026-11-23 10:00:00", "serial": f"s-{code}", **more}


def test_every_code_of_the_field_system_has_its_meaning():
    expected = {"1": "received", "4": "declined", "6": "pause", "7": "resume", "9": "pause", "10": "resume"}
    more = {"opinion": "缺图", "basis": "规程", "wouldChange": "扩建", "alternative": "临时"}
    for code, kind in expected.items():
        report = report_of(DIALECT, status(code, **more), stage="works", revision=2, at=AT)
        assert (report["kind"], report["revision"]) == (kind, 2)
        assert report["occurred_at"] == "2026-11-23T02:00:00+00:00"
        parse_report(json.dumps(report).encode())
    for code in ("2", "8"):
        assert report_of(DIALECT, status(code), stage="works", revision=1, at=AT) is None
    done = report_of(DIALECT, status("11", lineLength="0", accessPlace="井3"), stage="survey", revision=1, at=AT)
    assert parse_report(json.dumps(done).encode()).kind == "findings"


@pytest.mark.parametrize(
    ("message", "what"),
    [
        (status("5"), "code:5@works"),
        (status("11"), "code:11@works"),
        (status("6"), "field:opinion"),
        (status("1") | {"time": "yesterday"}, "field:time"),
        ({"status": "1", "time": "2026-11-23 10:00:00"}, "field:field1"),
    ],
)
def test_what_nobody_mapped_is_named_and_not_guessed(message, what):
    with pytest.raises(Unmapped) as caught:
        report_of(DIALECT, message, stage="works", revision=1, at=AT)
    assert caught.value.what == what


def test_an_event_without_a_place_there_is_left_to_the_desk_or_named():
    assert render(DIALECT, {"type": "task.reminded", "data": {}}) is None
    with pytest.raises(Unmapped, match=r"event:task\.new"):
        render(DIALECT, {"type": "task.new", "data": {}})
    with pytest.raises(Unmapped, match=r"value:data\.utility=steam"):
        render(
            DIALECT,
            {"type": "task.issued", "data": {"task_id": "t", "case_no": "c", "stage": "works", "utility": "steam"}},
        )


@pytest.fixture
def town(tmp_path):
    made = Town(tmp_path)
    with made.app.app_context():
        made.start()
        yield made
        db.session.remove()
        db.engine.dispose()


def join(town: Town, url: str) -> str:
    """The water provider's system speaks the dialect from now on; answers its key. Then a case is opened."""
    add_provider(WATER, url)
    mappings.put_mapping(ADMIN, provider=WATER, mapping=DIALECT, note="test", at=AT)
    with transaction() as session:
        key = access.issue_key(
            session,
            holder_kind="provider",
            holder=WATER,
            name="水务",
            scopes=("reports",),
            at=WIRE,
            expires_at=WIRE.replace(year=2027),
        )
    town.open_case("03")
    return key


def deliver() -> None:
    adapter = WaterAdapter(HttpDoor(timeout_s=5))
    found = [m for m in claim_deliveries(limit=50, owner="me", wire_at=WIRE) if m.destination.endswith(WATER)]
    attempts = [Attempt(message, adapter.deliver(message)) for message in found]
    record_outcomes(attempts, owner="me", wire_at=WIRE, retry_scale=0.0, jitter=lambda: 0.0)


def say(town: Town, key: str, message: dict[str, str]) -> dict[str, str]:
    """The system reports as it does to everybody: a form, its key, no signature. Then the job runs."""
    db.session.remove()
    with town.app.app_context():
        answer = town.app.test_client().post(
            "/api/v1/statuses", data=message, headers={"Authorization": f"Bearer {key}"}
        )
    assert answer.status_code == 200, answer.text
    query = select(InboxMessage.id).where(InboxMessage.kind == "status", InboxMessage.state == "stored")
    for inbox_id in db.session.scalars(query).all():
        statuses.apply_status(inbox_id, at=AT, wire_at=WIRE)
    db.session.remove()
    return answer.json


def states() -> dict[str, str]:
    db.session.remove()
    rows = db.session.scalars(select(InboxMessage).where(InboxMessage.kind == "status"))
    return {row.message_id: row.state for row in rows}


def test_a_field_system_is_joined_without_code(town):
    with StubProvider(lambda _call, _count: (200, {}, b'{"code":"0"}')) as system:
        key = join(town, system.url)
        deliver()
        [call] = system.calls
        assert call.path == "/apply"
        form = {name: values[0] for name, values in parse_qs(call.body.decode()).items()}
    task = town.task(WATER, "survey")
    assert (form["field1"], form["field3"], form["field4"], form["field14"]) == (task.id, "01", "1", "一口办")
    assert say(town, key, status("1", task.id)) == {"code": "0", "msg": "ok"}
    assert town.task(WATER, "survey").state == "received"
    say(town, key, status("2", task.id))
    say(town, key, status("9", task.id, opinion="专家评审通知〔2026〕3号"))
    pause = db.session.scalars(select(Pause)).one()
    assert (pause.reason, pause.end_at) == ("expert_review", None), "a pause arrives as a pause"
    assert town.task(WATER, "survey").state == "paused"
    say(town, key, status("10", task.id))
    db.session.remove()
    assert db.session.scalars(select(Pause)).one().end_at is not None
    assert set(states().values()) == {"applied"}
    noted = db.session.scalars(select(CaseEvent.kind).where(CaseEvent.kind == "status_noted")).all()
    assert len(noted) == 1


def test_duplicates_count_once_and_what_came_too_early_is_applied_when_its_turn_comes(town):
    key = join(town, "http://127.0.0.1:9/")
    task = town.task(WATER, "survey")
    say(town, key, status("1", task.id))
    say(town, key, status("7", task.id))
    assert states()["s-7"] == "refused"
    say(town, key, status("6", task.id, opinion="缺红线图"))
    say(town, key, status("6", task.id, opinion="缺红线图"))
    assert states() == {"s-1": "applied", "s-6": "applied", "s-7": "applied"}
    assert len(db.session.scalars(select(Pause)).all()) == 1


def test_an_unknown_code_waits_in_the_inbox_until_somebody_maps_it(town):
    key = join(town, "http://127.0.0.1:9/")
    task = town.task(WATER, "survey")
    say(town, key, status("1", task.id))
    say(town, key, status("12", task.id, opinion="等待检测"))
    hand_over_alarms.watch(at=AT, wire_at=WIRE)
    admin = town.sign_in("admin")
    row = db.session.scalars(select(InboxMessage).where(InboxMessage.state == "unmapped")).one()
    assert row.unmapped == "code:12@survey"
    page = admin.page(f"/hand-overs/mappings/{WATER}")
    assert "code:12@survey：1 条消息在等" in page.text
    given = {
        "code": "12",
        "title": "检测",
        "stage": "",
        "report": "pause",
        "reason_code": "testing",
        "evidence": "opinion",
    }
    assert "第 2 版" in admin.send(page.forms_for("map")[0], given).text
    page = admin.page(f"/hand-overs/inbox/{row.id}")
    admin.send(page.forms_for("replay")[0], {})
    assert states()["s-12"] == "applied"
    db.session.remove()
    assert db.session.scalars(select(Pause)).one().reason == "testing"


def test_a_no_in_the_body_of_a_200_is_a_no(town):
    with StubProvider(lambda _call, _count: (200, {}, b'{"code":"500","msg":"full"}')) as system:
        join(town, system.url)
        deliver()
    row = db.session.scalars(select(OutboxMessage).where(OutboxMessage.destination.endswith(WATER))).first()
    assert row.state == "pending"
    assert "full" in row.last_error


def test_a_message_that_cannot_be_said_waits_and_is_made_again_under_the_mended_mapping(town):
    add_provider(WATER, "http://127.0.0.1:9/")
    lacking = DIALECT.model_copy(update={"paths": {}})
    mappings.put_mapping(ADMIN, provider=WATER, mapping=lacking, note="lacking", at=AT)
    town.open_case("03")
    query = select(OutboxMessage).where(OutboxMessage.destination == f"provider:{WATER}")
    row = db.session.scalars(query).one()
    assert (row.state, row.last_error) == ("dead", "没有对应：event:task.issued")
    mappings.put_mapping(ADMIN, provider=WATER, mapping=DIALECT, note="mended", at=AT)
    mappings.remap_and_replay(ADMIN, message_id=row.message_id, at=AT, wire_at=WIRE)
    db.session.remove()
    row = db.session.scalars(query).one()
    assert (row.state, row.path, row.body[:7]) == ("pending", "/apply", b"field1=")


def test_a_foreign_system_moves_nobody_elses_task(town):
    key = join(town, "http://127.0.0.1:9/")
    foreign = next(
        task_id
        for task_id in db.session.scalars(select(OutboxMessage.task_id)).all()
        if task_id and task_id != town.task(WATER, "survey").id
    )
    say(town, key, status("1", foreign))
    row = db.session.scalars(select(InboxMessage)).one()
    assert (row.state, row.reason, row.task_id) == ("refused", "没有找到该任务。", None)
    assert hand_overs.RESENDABLE
