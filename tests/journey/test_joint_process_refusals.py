"""What a provider refuses, declines or fails goes to the lead agency first; the joint reply gives its reasons."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.documents.tables import Document
from portal.kernel.database import db
from portal.kernel.errors import Conflict, Invalid
from tests.journey.players import MILL, RESTAURANT, CaseWalk

GAS = "gas-linhe"
WHY: dict[str, Any] = {
    "reason_code": "capacity_short",
    "basis": "公司业扩报装规定第三条",
    "would_change": "上级管网扩容后可以接入",
    "alternative": "先用瓶装气过渡",
}


@pytest.fixture
def walk(bare_app: Flask) -> CaseWalk:
    return CaseWalk(RESTAURANT).open()


def test_a_refusal_goes_to_the_lead_agency_and_the_others_go_on(walk: CaseWalk):
    task = walk.task(GAS, "reply")
    walk.report(task, "reply", verdict="refuse", options=[], **WHY)
    walk.provide("reply", but=(GAS,))
    assert not walk.replies()
    (decision,) = walk.decisions()
    assert (decision.kind, decision.state, decision.facts["reason_code"]) == ("refusal", "open", "capacity_short")
    with pytest.raises(Conflict) as waits:
        walk.report(task, "reply")
    assert waits.value.code == "decision_open"
    walk.decide("confirm")
    assert walk.tracks()[GAS].state == "declined"
    (part,) = walk.replies()
    verdicts = {row["provider"]: row["verdict"] for row in part.content["providers"]}
    assert verdicts[GAS] == "refuse"
    assert len(verdicts) == len(walk.tracks())
    for stage in ("confirm", "acceptance", "connection"):
        walk.play(stage)
    assert walk.case.state == "closed"
    assert walk.stages(GAS) == {"reply"}


def test_a_rejected_refusal_comes_back_as_a_new_revision(walk: CaseWalk):
    walk.report(walk.task(GAS, "reply"), "reply", verdict="refuse", options=[], **WHY)
    with pytest.raises(Invalid):
        walk.decide("reject")
    walk.decide("reject", "该处已有管网，请重新答复。")
    task = walk.task(GAS, "reply")
    assert (task.state, task.revision) == ("issued", 2)
    assert len(walk.messages("task.changed")) == 1
    walk.provide("reply")
    assert walk.replies()[0].content["state"] == "all_approved"


@pytest.mark.parametrize("stage", ["survey", "reply"])
def test_a_declined_task_drops_the_track_once_confirmed(bare_app: Flask, stage: str):
    walk = CaseWalk(MILL, outside_line_m=140).open().walk_to(stage)
    (leaving,) = [p for p, track in walk.tracks().items() if track.utility == "network"]
    walk.report(walk.task(leaving, stage), "declined", **WHY)
    assert walk.tracks()[leaving].state == "open"
    walk.provide("survey", but=(leaving,))
    walk.decide("confirm")
    assert walk.task(leaving, stage).state == "declined"
    assert walk.tracks()[leaving].state == "declined"
    for rest in ("survey", "reply"):
        walk.play(rest)
    (part,) = walk.replies()
    assert set(part.content["provider_codes"]) == set(walk.tracks())
    (row,) = [row for row in part.content["providers"] if row["provider"] == leaving]
    assert (row["verdict"], {name: row[name] for name in WHY}) == ("refuse", WHY)
    assert walk.record()["reply"]["verdicts"][leaving] == "refuse"
    (paper,) = [d for d in db.session.scalars(select(Document)) if d.kind == "joint_reply"]
    assert [refused["would_change"] for refused in paper.values["refused"]] == [WHY["would_change"]]
    for rest in ("confirm", "review", "permits", "works", "acceptance", "connection"):
        walk.play(rest)
    assert walk.case.state == "closed"


def fail_acceptance(walk: CaseWalk) -> None:
    walk.walk_to("acceptance")
    bad = [{"code": "tightness", "ok": False, "measured": "漏气"}]
    walk.report(walk.task(GAS, "acceptance"), "acceptance", verdict="fail", items=bad)
    assert walk.task(GAS, "acceptance").state not in ("done", "failed")
    walk.provide("acceptance")
    with pytest.raises(Invalid) as refused:
        walk.decide("confirm")
    assert refused.value.errors[0].field == "note"


def test_a_failed_acceptance_goes_back_to_rectification_when_the_agency_says_so(walk: CaseWalk):
    fail_acceptance(walk)
    walk.decide("reject", "整改后请重新验收。")
    task = walk.task(GAS, "acceptance")
    assert (task.state, task.revision) == ("issued", 2)
    assert walk.record()["joint"]["rectifications"] == 1
    assert not [event for event in walk.events("stage_closed") if event.facts["stage"] == "acceptance"]
    for stage in ("acceptance", "connection"):
        walk.play(stage)
    assert walk.case.state == "closed"
    assert walk.tracks()[GAS].state == "done"


def test_a_failed_acceptance_ends_one_part_only_by_the_agencys_word(walk: CaseWalk):
    fail_acceptance(walk)
    walk.play("connection")
    assert walk.case.state == "open"  # the failed part keeps the case open as long as nobody has decided
    walk.decide("confirm", "管道无法整改，终止。")
    assert (walk.task(GAS, "acceptance").state, walk.tracks()[GAS].state) == ("failed", "declined")
    assert [event.facts["provider"] for event in walk.events("acceptance_ended")] == [GAS]
    assert "connection" not in walk.stages(GAS)
    assert walk.case.state == "closed"


def test_a_case_that_everybody_declines_still_gets_its_joint_reply(bare_app: Flask):
    walk = CaseWalk(MILL, outside_line_m=140).open()
    for task in walk.tasks("survey"):
        walk.report(task, "declined", **WHY)
        walk.decide("confirm")
    (part,) = walk.replies()
    assert {row["verdict"] for row in part.content["providers"]} == {"refuse"}
    assert walk.case.state == "closed"
