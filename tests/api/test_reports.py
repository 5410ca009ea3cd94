"""Reports and the task feed as a provider's system meets them, over the whole portal with a real case."""

import json
import threading
import time
from pathlib import Path

import pytest
from flask import Flask

from portal.api import register_api
from portal.cases.tables import Application, Drawing, MaterialFile, Task, TaskReport
from portal.exchange.signatures import new_secret
from portal.exchange.tables import InboxMessage
from portal.journey.events import send_task_event
from portal.kernel.crypto import init_vault
from portal.kernel.database import db, transaction
from portal.kernel.ids import new_id
from tests.api.provider_world import Provider, StillClock, make_provider, open_case, report_bytes
from tests.conftest import AT
from tests.worker.parts import wire_now

AVAILABLE = {"slots": [{"start_at": "2026-11-24T09:00:00+08:00", "end_at": "2026-11-24T11:30:00+08:00"}]}


@pytest.fixture
def app(bare_app: Flask, tmp_path: Path) -> Flask:
    init_vault(bare_app, tmp_path)
    register_api(bare_app, StillClock())
    return bare_app


@pytest.fixture
def water(app: Flask) -> Provider:
    provider = make_provider(app, "water-linhe")
    open_case()
    return provider


@pytest.fixture
def gas(app: Flask, water: Provider) -> Provider:
    return make_provider(app, "gas-linhe")


def problem(answer, status: int) -> dict:
    assert answer.status_code == status, answer.data
    assert answer.content_type == "application/problem+json"
    return json.loads(answer.data)


def counts() -> tuple[int, int]:
    db.session.remove()
    return db.session.query(TaskReport).count(), db.session.query(InboxMessage).count()


def test_a_report_is_applied_and_answered_with_the_task(water):
    answer = water.report(water.task(), "received", operator="李工", provider_ref="W-7")
    assert answer.status_code == 200
    body = json.loads(answer.data)
    assert body["task"]["state"] == "received"
    assert body["task"]["task_id"] == water.task().id
    assert db.session.get(TaskReport, body["report_id"]).operator == "李工"


def test_the_same_message_is_answered_the_same_way_and_applied_once(water):
    task = water.task()
    first = water.report(task, "received", message_id="m1")
    water.report(task, "availability", **AVAILABLE)
    again = water.report(task, "received", message_id="m1")
    assert again.status_code == 200
    assert json.loads(again.data) == json.loads(first.data)
    assert counts() == (2, 2)


def test_the_same_id_with_another_body_or_task_is_refused(water, gas):
    water.report(water.task(), "received", message_id="m1")
    other = water.report(water.task(), "received", message_id="m1", operator="x")
    assert problem(other, 422)["code"] == "idempotency_mismatch"
    raw = report_bytes(water.task(), "received")
    elsewhere = water.post(f"/api/v1/tasks/{gas.task().id}/reports", raw, message_id="m1")
    assert problem(elsewhere, 422)["code"] == "idempotency_mismatch"


@pytest.mark.parametrize(
    "spoiled",
    [
        {"secret": new_secret()},
        {"sent": b"{}"},
        {"headers": {"webhook-signature": None}},
        {"headers": {"webhook-id": None}},
        {"headers": {"webhook-timestamp": "1"}},
        {"headers": {"webhook-id": "other"}},
    ],
)
def test_what_is_not_signed_by_this_provider_changes_nothing(water, spoiled):
    answer = water.report(water.task(), "received", **spoiled)
    assert problem(answer, 401)["code"] == "bad_signature"
    assert counts() == (0, 0)


def test_anothers_secret_does_not_sign_for_me(water, gas):
    assert water.report(water.task(), "received", secret=gas.secret).status_code == 401


def test_anothers_task_looks_absent(water, gas):
    foreign = gas.post(f"/api/v1/tasks/{water.task().id}/reports", report_bytes(water.task(), "received"))
    absent = gas.post(f"/api/v1/tasks/{new_id()}/reports", report_bytes(water.task(), "received"))
    assert foreign.data == absent.data
    problem(foreign, 404)
    assert gas.get(f"/api/v1/tasks/{water.task().id}").data == gas.get(f"/api/v1/tasks/{new_id()}").data
    assert water.task().state == "issued"


def test_a_stale_revision_gets_the_current_document(water):
    task = water.task()
    raw = json.loads(report_bytes(task, "received")) | {"revision": 7}
    body = problem(water.post(f"/api/v1/tasks/{task.id}/reports", json.dumps(raw).encode()), 409)
    assert body["code"] == "stale_revision"
    assert body["task"]["revision"] == 1


def test_what_the_state_does_not_allow_says_what_it_expects(water):
    connected = {"connected_at": "2026-11-23T09:00:00+08:00", "points": [{"account_no": "1", "meter_no": "2"}]}
    body = problem(water.report(water.task(), "connected", **connected), 409)
    assert body["code"] == "not_expected"
    assert "availability" in body["expects"]


def test_all_wrong_fields_are_told_and_the_refusal_is_kept(water):
    answer = water.report(water.task(), "pause", reason_code="tea", message_id="m1", state="done")
    body = problem(answer, 422)
    assert {error["field"] for error in body["errors"]} == {"reason_code", "evidence", "state"}
    assert counts() == (0, 1)
    again = water.report(water.task(), "pause", reason_code="tea", message_id="m1", state="done")
    assert json.loads(again.data) == body


def test_a_body_beyond_the_limit_is_not_read(water):
    raw = b'{"kind": "' + b"x" * 1_048_576 + b'"}'
    assert problem(water.post(f"/api/v1/tasks/{water.task().id}/reports", raw), 413)["code"] == "too_large"


def test_many_providers_reports_at_once_all_count(app, water, gas):
    jobs = [(water, water.task()), (gas, gas.task())]
    answers: list[int] = []

    def one(provider, task):
        with app.app_context():
            answer = Provider(app.test_client(), provider.code, provider.key, provider.secret).report(task, "received")
            answers.append(answer.status_code)

    threads = [threading.Thread(target=one, args=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200, 200]


def test_the_feed_gives_own_tasks_once_and_again_when_they_change(water, gas):
    page = water.tasks()
    assert [item["task_id"] for item in page["items"]] == [water.task().id]
    assert page["items"][0] == json.loads(water.get(f"/api/v1/tasks/{water.task().id}").data)
    assert water.tasks(f"?after={page['next']}") == {"items": [], "next": page["next"]}
    say_again(water)
    assert len(water.tasks(f"?after={page['next']}")["items"]) == 1
    assert water.tasks("?stage=reply")["items"] == []
    assert len(water.tasks("?state=issued,received")["items"]) == 1


def say_again(provider: Provider) -> None:
    with transaction() as session:
        task = session.query(Task).filter_by(provider=provider.code).one()
        send_task_event(session, task, "task.reminded", at=AT, wire_at=wire_now())


def test_a_long_poll_ends_when_something_is_said(app, water):
    cursor = water.tasks()["next"]
    begun = time.monotonic()
    assert water.tasks(f"?after={cursor}&wait=1")["items"] == []
    assert 1 <= time.monotonic() - begun < 3

    def later():
        time.sleep(0.5)
        with app.app_context():
            say_again(water)

    thread = threading.Thread(target=later)
    thread.start()
    begun = time.monotonic()
    assert len(water.tasks(f"?after={cursor}&wait=20")["items"]) == 1
    assert time.monotonic() - begun < 6
    thread.join()


@pytest.mark.parametrize(
    "query", ["?after=x", "?after=-1", "?wait=31", "?wait=1.5", "?state=mine", "?stage=x", "?after=" + "9" * 30]
)
def test_a_wrong_query_names_its_field(water, query):
    (error,) = problem(water.get(f"/api/v1/tasks{query}"), 422)["errors"]
    assert error["field"] == query[1:].split("=")[0]


def store_paper(kind: str | None) -> str:
    with transaction() as session:
        application = session.query(Application).one()
        paper = MaterialFile(
            id=new_id(),
            owner_id="s1",
            application_id=application.id,
            kind=kind,
            name="图.pdf",
            media_type="application/pdf",
            sha256="a" * 64,
            content=b"%PDF-1.7 paper",
            uploaded_at=AT,
        )
        session.add(paper)
        return paper.id


def test_a_paper_of_the_own_allowlist_can_be_read_and_others_look_absent(water, gas):
    mine, shared, secret = store_paper("hydraulic_calculation"), store_paper("red_line_map"), store_paper("id_card")
    answer = water.get(f"/api/v1/materials/{mine}")
    assert answer.status_code == 200
    assert answer.data == b"%PDF-1.7 paper"
    assert answer.headers["Content-Disposition"] == "attachment"
    assert gas.get(f"/api/v1/materials/{shared}").status_code == 200
    absent = gas.get(f"/api/v1/materials/{new_id()}")
    for path in (mine, secret):
        assert gas.get(f"/api/v1/materials/{path}").data == absent.data
    assert {item["kind"] for item in json.loads(water.get(f"/api/v1/tasks/{water.task().id}").data)["materials"]} == {
        "hydraulic_calculation",
        "red_line_map",
    }


def test_a_drawing_is_for_the_provider_it_was_handed_in_to(water, gas):
    paper = store_paper(None)
    with transaction() as session:
        case_id = session.query(Task).first().case_id
        session.add(
            Drawing(
                id=new_id(),
                case_id=case_id,
                provider="water-linhe",
                kind="plan",
                version=1,
                sha256="a" * 64,
                material_id=paper,
                uploaded_at=AT,
            )
        )
    assert water.get(f"/api/v1/materials/{paper}").status_code == 200
    assert gas.get(f"/api/v1/materials/{paper}").status_code == 404


def test_reference_data_is_there(water):
    codes = json.loads(water.get("/api/v1/codes").data)["items"]
    assert codes
    items = json.loads(water.get("/api/v1/fee-items?on=2026-11-23").data)["items"]
    assert items
    assert all(isinstance(item["price_fen"], int | None) for item in items)
    assert json.loads(water.get("/api/v1/settlements").data) == {"items": []}
    assert water.get(f"/api/v1/settlements/{new_id()}").status_code == 404
    assert problem(water.get("/api/v1/fee-items?on=today"), 422)["errors"][0]["field"] == "on"
