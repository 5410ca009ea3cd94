"""The protocol page, sentence by sentence, as a provider's own system meets it over HTTP."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import time
import uuid

import pytest
import requests

from tests.outside.program.calls import Portal, Signer

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("stack")]
POWER = "power-bayannur"


class Caller:
    """One provider at the wire, with nothing between."""

    def __init__(self, running, code: str = POWER) -> None:
        self.url, self.own = running.url, running.credentials[code]
        self.signer = Signer(self.own.secret)
        self.portal = Portal(self.url, self.own.key, self.signer)

    def get(self, path: str, **options) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.own.key}"} | options.pop("headers", {})
        return requests.get(self.url + path, headers=headers, timeout=40, **options)

    def post(self, path: str, body: object, *, name: str | None = None, spoiled: dict | None = None, **options):
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": options.pop("media_type", "application/json")}
        headers |= {"Authorization": f"Bearer {self.own.key}", **self.signer.headers(name or uuid.uuid4().hex, raw)}
        headers = {key: value for key, value in (headers | (spoiled or {})).items() if value is not None}
        return requests.post(self.url + path, data=raw, headers=headers, timeout=40)


@pytest.fixture
def power(played) -> Caller:
    return Caller(played[0])


def problem(answer: requests.Response, status: int, code: str | None = None) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    body = answer.json()
    assert {"type", "title", "status", "detail", "code"} <= set(body)
    assert body["status"] == status
    assert code in (None, body["code"]), body
    return body


def a_report(task: dict, kind: str = "received", **fields) -> dict:
    return {"kind": kind, "occurred_at": "2026-11-23T09:00:00+08:00", "revision": task["revision"], **fields}


def a_task(caller: Caller) -> dict:
    return caller.get("/api/v1/tasks?stage=connection").json()["items"][0]


def test_the_task_document_has_every_field_of_the_page(power):
    task = a_task(power)
    wanted = "task_id revision case_no stage provider utility state issued_at due_at light paused applicant project \
site part shared_facts materials expects account_holder invoice"
    assert set(wanted.split()) <= set(task)
    assert set(task["applicant"]) >= {"name", "kind", "contact", "site_contact"}
    assert set(task["site"]) >= {"division", "address", "location", "boundary"}
    assert set(task["shared_facts"]) >= {"utilities", "visit", "trench"}
    for name in ("issued_at", "due_at"):
        assert dt.datetime.fromisoformat(task[name]).tzinfo is not None
    assert task == power.get(f"/api/v1/tasks/{task['task_id']}").json()
    assert "water" not in json.dumps(task["part"])


def test_the_served_description_names_every_field_that_is_served(power):
    described = power.get("/api/v1/openapi.json").json()["components"]["schemas"]["TaskDocument"]["properties"]
    assert set(a_task(power)) <= set(described)


def test_the_cursor_gives_each_task_once_and_the_filters_hold(power):
    page = power.get("/api/v1/tasks?state=&stage=&after=&wait=0").json()
    assert len(page["items"]) == 6
    assert power.get(f"/api/v1/tasks?after={page['next']}").json() == {"items": [], "next": page["next"]}
    assert {task["stage"] for task in power.get("/api/v1/tasks?stage=reply,works").json()["items"]} == {
        "reply",
        "works",
    }
    assert power.get("/api/v1/tasks?state=issued").json()["items"] == []
    for query in ("state=nonsense", "stage=x", "after=abc", "wait=31"):
        assert problem(power.get(f"/api/v1/tasks?{query}"), 422)["errors"][0]["field"] == query.partition("=")[0]


def test_a_long_poll_waits_as_long_as_asked(power):
    last = power.get("/api/v1/tasks").json()["next"]
    begun = time.monotonic()
    assert power.get(f"/api/v1/tasks?after={last}&wait=1").json()["items"] == []
    assert 0.9 < time.monotonic() - begun < 10


def test_papers_are_read_by_their_own_provider_only(played, power):
    review = power.get("/api/v1/tasks?stage=review").json()["items"][0]
    assert review["materials"]
    for named in (*review["materials"], *review["drawings"]):
        answer = power.get(named["url"])
        assert (answer.status_code, hashlib.sha256(answer.content).hexdigest()) == (200, named["sha256"])
    paper = review["drawings"][0]
    water = Caller(played[0], "water-wuyuan")
    problem(water.get(paper["url"]), 404)
    problem(power.get("/api/v1/materials/nosuch"), 404)
    problem(water.get(f"/api/v1/tasks/{a_task(power)['task_id']}"), 404)


def test_lookups(power):
    ping = power.get("/api/v1/ping").json()
    assert dt.datetime.fromisoformat(ping["at"]).tzinfo is not None
    items = power.get("/api/v1/fee-items?on=2026-11-23").json()["items"]
    assert items
    assert set(items[0]) >= {"code", "unit", "price_fen", "basis", "version"}
    assert problem(power.get("/api/v1/fee-items?on=23.11.2026"), 422)["errors"][0]["field"] == "on"
    groups = {row["group"] for row in power.get("/api/v1/codes").json()["items"]}
    assert {"reason", "question", "pause", "condition"} <= groups
    assert isinstance(power.get("/api/v1/settlements").json()["items"], list)
    problem(power.get("/api/v1/settlements/nosuch"), 404)


def test_every_call_needs_a_good_key(power):
    for headers in ({"Authorization": "Bearer nosuch.key"}, {"Authorization": ""}, {"Authorization": "Basic x"}):
        for path in ("/api/v1/tasks", "/api/v1/ping", "/api/v1/materials/x", "/api/v1/settlements", "/api/v1/codes"):
            problem(requests.get(power.url + path, headers=headers, timeout=20), 401)


@pytest.mark.parametrize(
    "spoiled",
    [
        {"webhook-id": None},
        {"webhook-timestamp": None},
        {"webhook-signature": None},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-timestamp": str(int(time.time()) - 1000)},
        {"webhook-id": "with.dot"},
    ],
)
def test_what_changes_something_is_signed(power, spoiled):
    path = f"/api/v1/tasks/{a_task(power)['task_id']}/reports"
    problem(power.post(path, a_report(a_task(power)), spoiled=spoiled), 401, "bad_signature")


def test_the_refusals_of_a_report_say_what_is_expected_instead(power):
    task = a_task(power)
    path = f"/api/v1/tasks/{task['task_id']}/reports"
    wrong = problem(power.post(path, a_report(task)), 409, "not_expected")
    assert wrong["expects"] == task["expects"]
    rectified = power.get("/api/v1/tasks?stage=acceptance").json()["items"][0]
    stale = a_report(rectified) | {"revision": 1}
    answer = problem(power.post(f"/api/v1/tasks/{rectified['task_id']}/reports", stale), 409, "stale_revision")
    assert answer["task"] == rectified
    errors = problem(power.post(path, a_report(task) | {"new_field": 1}), 422)["errors"]
    assert [error["field"] for error in errors] == ["new_field"]
    errors = problem(power.post(path, a_report(task, "nonsense")), 422)["errors"]
    assert [error["field"] for error in errors] == ["kind"]
    problem(power.post(path, b"not json"), 422)


def test_an_id_stands_for_one_body_and_one_path(power):
    task = a_task(power)
    path, name = f"/api/v1/tasks/{task['task_id']}/reports", uuid.uuid4().hex
    first = power.post(path, a_report(task), name=name)
    assert power.post(path, a_report(task), name=name).text == first.text
    problem(power.post(path, a_report(task, note="x"), name=name), 422, "idempotency_mismatch")
    other = power.get("/api/v1/tasks?stage=works").json()["items"][0]
    elsewhere = f"/api/v1/tasks/{other['task_id']}/reports"
    problem(power.post(elsewhere, a_report(task), name=name), 422, "idempotency_mismatch")


def test_a_hall_files_with_signed_calls_and_its_own_task_is_born_received(played, power):
    running = played[0]
    body = json.loads(running.path.read_text("utf-8"))
    body.pop("channel")
    body |= {"origin_ref": "DL-2026-000017"}
    name = uuid.uuid4().hex
    problem(power.post("/api/v1/applications", body, spoiled={"webhook-signature": "v1,AAAA"}), 401, "bad_signature")
    problem(power.post("/api/v1/applications", body, spoiled={"webhook-signature": None}), 401, "bad_signature")
    filed = power.post("/api/v1/applications", body, name=name)
    assert filed.status_code == 201, filed.text
    assert power.post("/api/v1/applications", body, name=name).json() == filed.json()
    problem(power.post("/api/v1/applications", {**body, "origin_ref": "x"}, name=name), 422, "idempotency_mismatch")
    assert power.get(filed.json()["status_url"]).json()["state"] == "filed"
    case_no = running.accept(filed.json()["application_no"])
    tasks = [task for task in power.get("/api/v1/tasks").json()["items"] if task["case_no"] == case_no]
    assert [task["state"] for task in tasks] != ["issued"]
    assert any(note["is_new"] for note in running.outside[POWER].notes("event"))


def test_a_hall_hands_in_papers_with_signed_calls(power):
    from providers.simulator.sample_pdf import sample_pdf

    content, name = sample_pdf("Lease", "A"), uuid.uuid4().hex
    options = {"media_type": "application/pdf", "spoiled": {"X-File-Name": "lease.pdf"}}
    stored = power.post("/api/v1/materials?kind=lease", content, name=name, **options)
    assert stored.status_code == 201, stored.text
    assert power.post("/api/v1/materials?kind=lease", content, name=name, **options).json() == stored.json()
    unsigned = {**options, "spoiled": {"X-File-Name": "lease.pdf", "webhook-signature": None}}
    problem(power.post("/api/v1/materials?kind=lease", content, **unsigned), 401, "bad_signature")
