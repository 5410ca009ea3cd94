"""The provider servers against a real counterpart: every stage, doubled, lost and re-ordered messages, signatures."""

from __future__ import annotations

import json
import uuid

import pytest
import requests

from providers.simulator.config import UTILITIES
from tests.simulator.stand_in import signed_headers

PARTS = {
    "water": {"use": "industrial", "daily_m3": 1800, "pipe_dn_mm": 200, "meters": 2},
    "power": {"added_kva": 2000, "voltage": "10kV", "sources": "dual"},
    "gas": {"use": "industrial", "peak_m3_h": 1450, "pressure": "medium_a"},
    "heating": {"use": "public", "heated_area_m2": 26000, "heat_load_kw": 1430},
    "network": {"service": "leased_line", "bandwidth_mbps": 500, "fibre_cores": 24},
}


def reports_of(portal, task_id, *kinds):
    return [r for t, r in portal.reports if t == task_id and (not kinds or r["kind"] in kinds)]


@pytest.mark.parametrize("utility", UTILITIES)
@pytest.mark.parametrize("stage", ["survey", "reply", "works", "acceptance", "connection"])
def test_every_stage_is_reported_as_the_protocol_says(world, portal, utility, stage):
    task = portal.issue(stage, f"{utility}-linhe", utility, PARTS[utility])
    assert portal.push(world.url(utility), task) == 202
    world.settle()
    assert reports_of(portal, task["task_id"], "received")
    if stage == "survey":
        assert reports_of(portal, task["task_id"], "availability")
        visit = {"start_at": "2026-11-25T09:00:00+08:00", "end_at": "2026-11-25T10:00:00+08:00"}
        task = portal.tasks[task["task_id"]]
        task["shared_facts"]["visit"] = visit
        task["expects"] = ["findings", "declined"]
        portal.push(world.url(utility), task, "visit.fixed", occurred_at="2026-11-23T09:30:00+08:00")
    world.run_until_quiet()
    state = portal.tasks[task["task_id"]]["state"]
    asks_first = utility == "heating" and stage == "reply"
    assert state == ("waiting_applicant" if stage == "connection" or asks_first else "done")
    assert portal.wrong == []
    assert world.errors() == []


def test_water_asks_for_rework_once_and_passes_the_new_version(world, portal):
    task = portal.issue("review", "water-linhe", "water", PARTS["water"])
    portal.push(world.url("water"), task)
    world.run_until_quiet()
    assert not reports_of(portal, task["task_id"], "review"), "there is nothing to review yet"
    for version, revision in ((1, 1), (2, 2)):
        drawing = {"kind": "design_drawing", "version": version, "sha256": f"{version}" * 64, "url": "/x"}
        task = dict(portal.tasks[task["task_id"]], revision=revision, state="working", expects=["review"])
        task["drawings"] = [*task["drawings"], drawing]
        portal.tasks[task["task_id"]] = task
        portal.push(world.url("water"), task, "drawing.uploaded", occurred_at=f"2026-11-2{3 + version}T10:00:00+08:00")
        world.run_until_quiet()
    reviews = reports_of(portal, task["task_id"], "review")
    assert [(r["verdict"], r["round"]) for r in reviews] == [("rework", 1), ("pass", 2)]
    assert reviews[1]["drawings"] == [{"sha256": "2" * 64, "version": 2}]
    assert portal.wrong == []


def test_gas_is_rectified_once_then_passes_on_site(world, portal):
    task = portal.issue("acceptance", "gas-linhe", "gas", PARTS["gas"])
    portal.push(world.url("gas"), task)
    world.run_until_quiet()
    verdicts = [(r["verdict"], r["mode"], r["revision"]) for r in reports_of(portal, task["task_id"], "acceptance")]
    assert verdicts == [("rectify", "site", 1), ("pass", "site", 2)]


def test_a_question_waits_for_the_answer(world, portal):
    task = portal.issue("reply", "heating-linhe", "heating", PARTS["heating"])
    portal.push(world.url("heating"), task)
    world.run_until_quiet()
    assert [r["kind"] for r in reports_of(portal, task["task_id"])] == ["received", "question"]
    assert reports_of(portal, task["task_id"], "question")[0]["items"][0]["code"] == "heat_load_note"
    answered = dict(portal.tasks[task["task_id"]], state="working", expects=["reply"],
                    questions=[{"code": "heat_load", "state": "answered"}])  # fmt: skip
    portal.tasks[task["task_id"]] = answered
    portal.push(world.url("heating"), answered, "task.changed", occurred_at="2026-11-26T10:00:00+08:00")
    world.run_until_quiet()
    assert reports_of(portal, task["task_id"])[-1]["kind"] == "reply"


def test_line_check_comes_before_the_reply(world, portal):
    task = portal.issue("reply", "power-linhe", "power", {"added_kva": 45, "voltage": "380V"})
    task["expects"] = ["received", "line_check", "reply"]
    portal.push(world.url("power"), task)
    world.run_until_quiet()
    kinds = [r["kind"] for r in reports_of(portal, task["task_id"])]
    assert kinds == ["received", "line_check", "reply"]
    assert reports_of(portal, task["task_id"], "line_check")[0]["outside_line_m"] == 0


def test_zero_investment_charges_the_user_nothing(world, portal):
    level = {"code": "three-zeros", "title": "三零", "zero_investment": True}
    task = portal.issue("reply", "power-linhe", "power", {"added_kva": 45, "voltage": "380V"}, service_level=level)
    portal.push(world.url("power"), task)
    world.run_until_quiet()
    lines = reports_of(portal, task["task_id"], "reply")[0]["options"][0]["quote"]
    assert lines
    assert all(line["payer"] == "provider" for line in lines)


def test_doubled_pushes_are_counted_and_have_one_effect(world, portal):
    task = portal.issue("connection", "network-linhe", "network", PARTS["network"])
    for _ in range(3):
        assert portal.push(world.url("network"), task, message_id="same-id") == 202
    world.run_until_quiet()
    state = requests.get(world.url("network") + "/sim/state", timeout=5).json()
    assert state["effects"]["same-id"] == 3
    assert state["applied"]["same-id"] == 1
    assert [r["kind"] for r in reports_of(portal, task["task_id"])] == ["received", "connected"]


def test_an_old_event_after_a_new_one_changes_nothing(world, portal):
    old = portal.issue("acceptance", "water-linhe", "water", PARTS["water"])
    new = dict(old, revision=2)
    portal.tasks[old["task_id"]] = new
    portal.push(world.url("water"), new, "task.changed", occurred_at="2026-11-23T10:00:00+08:00")
    world.settle()
    portal.push(world.url("water"), old, "task.issued")
    world.run_until_quiet()
    assert {r["revision"] for r in reports_of(portal, old["task_id"])} == {2}
    assert world.errors() == []


def test_a_stale_report_is_made_again_for_the_current_document(world, portal):
    task = portal.issue("works", "power-linhe", "power", PARTS["power"])
    portal.tasks[task["task_id"]] = dict(task, revision=3)
    portal.push(world.url("power"), task)
    world.run_until_quiet()
    statuses = [r["status"] for r in reports_of(portal, task["task_id"], "works")]
    assert statuses == ["planned", "started", "finished"]
    assert {r["revision"] for r in reports_of(portal, task["task_id"])} == {3}


def test_a_busy_portal_gets_the_same_report_again(world, portal):
    portal.fail_next = 3
    task = portal.issue("connection", "water-linhe", "water", PARTS["water"])
    portal.push(world.url("water"), task)
    world.run_until_quiet()
    assert [r["kind"] for r in reports_of(portal, task["task_id"])] == ["received", "connected"]


@pytest.mark.parametrize("code", ["in_flight", "changed_meanwhile"])
def test_a_report_that_met_another_is_sent_again(world, portal, code):
    portal.busy_with = code
    task = portal.issue("connection", "water-linhe", "water", PARTS["water"])
    portal.push(world.url("water"), task)
    world.run_until_quiet()
    assert [r["kind"] for r in reports_of(portal, task["task_id"])] == ["received", "connected"]
    assert portal.busy_with is None


def test_a_refused_report_is_recorded_loudly(world, portal):
    portal.refuse_with = (422, {"code": "fee_not_published", "errors": [{"field": "options.0", "message": "x"}]})
    portal.push(world.url("water"), portal.issue("works", "water-linhe", "water", PARTS["water"]))
    world.settle()
    errors = requests.get(world.url("water") + "/sim/errors", timeout=5).json()["errors"]
    assert errors[0]["answer"]["code"] == "fee_not_published"


def test_withdrawn_tasks_are_left_alone(world, portal):
    task = portal.issue("works", "gas-linhe", "gas", PARTS["gas"], state="withdrawn", expects=[])
    portal.push(world.url("gas"), task, "task.withdrawn")
    world.run_until_quiet()
    assert portal.reports == []


def test_unsigned_tampered_or_late_pushes_are_refused(world, portal):
    task = portal.issue("works", "gas-linhe", "gas", PARTS["gas"])
    url = world.url("gas") + "/p/gas-linhe/events"
    event = {"type": "task.issued", "id": "m1", "occurred_at": portal.now, "data": task}
    body = json.dumps(event).encode()
    good = signed_headers("m1", body)
    for headers, sent in (
        ({}, body),
        (good, body + b" "),
        (signed_headers("m1", body, at=1_000_000), body),
        (good | {"webhook-id": "m.1"}, body),
    ):
        assert requests.post(url, data=sent, headers=headers, timeout=5).status_code == 401
    assert requests.post(url, data=b"[]", headers=signed_headers("m2", b"[]"), timeout=5).status_code == 422
    assert requests.post(world.url("gas") + "/p/other/events", data=body, headers=good, timeout=5).status_code == 404
    assert portal.reports == []


def test_read_back_shows_the_accepted_document_to_the_signed_portal_only(world, portal):
    task = portal.issue("works", "power-linhe", "power", PARTS["power"])
    portal.push(world.url("power"), task)
    url = f"{world.url('power')}/p/power-linhe/tasks/{task['task_id']}"
    assert requests.get(url, timeout=5).status_code == 401
    answer = requests.get(url, headers=signed_headers(uuid.uuid4().hex, b""), timeout=5)
    assert answer.json()["task_id"] == task["task_id"]
    assert answer.json()["revision"] == 1
    missing = requests.get(url + "0", headers=signed_headers(uuid.uuid4().hex, b""), timeout=5)
    assert missing.status_code == 404


def test_a_provider_catches_up_after_its_own_outage(world, portal):
    task = portal.issue("connection", "water-linhe", "water", PARTS["water"])
    requests.post(world.url("water") + "/sim/catch-up", json={}, timeout=5)
    world.run_until_quiet()
    assert [r["kind"] for r in reports_of(portal, task["task_id"])] == ["received", "connected"]
