"""The fault grid, reports: whatever happens on the way, one takes effect once, or not at all and says so."""

from __future__ import annotations

import json

import pytest
from flask import Flask

from portal.api import register_api
from portal.cases.tables import TaskReport
from portal.exchange.signatures import new_secret, sign
from portal.exchange.tables import InboxMessage
from portal.kernel.crypto import init_vault
from portal.kernel.database import db
from tests.api.provider_world import Provider, StillClock, make_provider, open_case, report_bytes
from tests.worker.parts import wire_now

SLOT = {"start_at": "2026-11-25T09:00:00+08:00", "end_at": "2026-11-25T11:00:00+08:00"}


@pytest.fixture
def water(bare_app: Flask, tmp_path) -> Provider:
    init_vault(bare_app, tmp_path)
    register_api(bare_app, StillClock())
    provider = make_provider(bare_app, "water-linhe")
    open_case()
    return provider


def effects() -> list[str]:
    db.session.remove()
    return [row.kind for row in db.session.query(TaskReport).order_by(TaskReport.applied_at)]


def path(water: Provider) -> str:
    return f"/api/v1/tasks/{water.task().id}/reports"


def test_duplicate_or_sent_again_after_a_reset_counts_once(water):
    raw = report_bytes(water.task(), "received")
    answers = [water.post(path(water), raw, message_id="r-1") for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.data for answer in answers}) == 1, "the answer that was lost is given again"
    assert effects() == ["received"]


def test_out_of_order_the_later_one_implies_the_earlier(water):
    task = water.task()
    assert water.report(task, "availability", slots=[SLOT], people=[]).status_code == 200
    late = water.report(task, "received")
    assert late.status_code == 409
    assert json.loads(late.data)["code"] == "not_expected"
    assert effects() == ["availability"]
    assert db.session.query(InboxMessage).filter_by(state="refused").one().raw is not None, "kept for a person"


@pytest.mark.parametrize(
    "spoil",
    [b"", b"\x00\xff<x>", b'{"kind": "received", "occ', b'{"task_id": 7}', b'{"kind": "nosuch"}', b"[]"],
    ids=["empty", "garbage", "truncated", "wrong schema", "unknown kind", "no object"],
)
def test_what_cannot_be_read_is_refused_with_its_fields_and_changes_nothing(water, spoil):
    answer = water.post(path(water), spoil)
    assert answer.status_code == 422
    assert json.loads(answer.data)["errors"]
    assert effects() == []
    assert water.task().state == "issued"


def test_a_wrong_signature_and_one_72_hours_old_are_refused_and_the_report_resent_is_taken(water):
    task = water.task()
    raw, wire_at = report_bytes(task, "received"), wire_now()
    bearer = {"Authorization": f"Bearer {water.key}"}
    stale = sign((water.secret,), "r-2", wire_at.replace(year=wire_at.year - 1), raw)
    wrong = sign((new_secret(),), "r-2", wire_at, raw)
    for headers in (stale, wrong):
        answer = water.client.post(path(water), data=raw, headers={**bearer, **headers})
        assert answer.status_code == 401
    assert effects() == []
    assert water.post(path(water), raw, message_id="r-2").status_code == 200, "signed anew under the same id"
    assert effects() == ["received"]
