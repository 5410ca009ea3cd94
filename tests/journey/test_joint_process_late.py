"""Late providers: the ready ones go on without them, by name, and what comes later becomes a numbered supplement."""

from __future__ import annotations

import datetime as dt

from flask import Flask

from portal.documents.tables import Document
from portal.journey import case_files, clocks
from portal.kernel.database import db
from tests.journey.players import HOSPITAL, MILL, RESTAURANT, CaseWalk

LATE = "heat-linhe"


def wait_for(walk: CaseWalk, stage: str) -> dt.datetime:
    """Until when the ready providers of a stage wait for the late one."""
    file = case_files.load_case(db.session(), case_no=walk.case_no, lock=False)
    return next(until for name, _, until in clocks.joint_waits(db.session(), file) if name == stage)


def pass_by(walk: CaseWalk, stage: str) -> list[str]:
    """Nobody is passed by a moment too early; at the moment itself the late ones are."""
    walk.at = wait_for(walk, stage) - dt.timedelta(minutes=1)
    assert walk.release_late() == []
    walk.at += dt.timedelta(minutes=1)
    return walk.release_late()


def test_a_late_reply_becomes_a_supplement_and_is_confirmed_by_itself(bare_app: Flask):
    walk = CaseWalk(RESTAURANT).open()
    walk.provide("reply", but=(LATE,))
    assert not walk.replies()
    assert pass_by(walk, "reply") == [LATE]
    assert walk.release_late() == []
    (part,) = walk.replies()
    assert LATE not in part.content["provider_codes"]
    assert [row["provider"] for row in part.content["late"]] == [LATE]
    paper = db.session.get_one(Document, part.document_id)
    assert len(paper.values["late"]) == 1
    walk.confirm()
    walk.sign()
    assert walk.tasks("connection")
    walk.provide("reply", "acceptance", "connection")
    _first, second = walk.replies()
    assert (second.part, second.content["provider_codes"]) == (2, [LATE])
    assert second.number.endswith("-DF2")
    assert "connection" not in walk.stages(LATE)
    walk.confirm()
    assert walk.sign() == 1
    walk.play("connection")
    for task in walk.tasks("connection"):
        if task.state == "waiting_applicant":
            walk.confirm_flow(task)
    assert walk.case.state == "closed"
    record = walk.record()
    assert record["joint"]["supplements"] == 1
    assert len(record["bill"]["numbers"]) == 2


def test_a_supplement_before_confirmation_is_confirmed_with_the_rest(bare_app: Flask):
    walk = CaseWalk(RESTAURANT).open()
    walk.provide("reply", but=(LATE,))
    pass_by(walk, "reply")
    walk.provide("reply")
    assert [part.part for part in walk.replies()] == [1, 2]
    walk.confirm()
    assert walk.sign() == len(walk.tracks())


def test_a_late_survey_does_not_hold_up_the_reply_of_the_others(bare_app: Flask):
    walk = CaseWalk(MILL, outside_line_m=140).open()
    late = "water-wuyuan" if "water-wuyuan" in walk.tracks() else next(p for p in walk.tracks() if "water" in p)
    for task in walk.tasks("survey"):
        walk.report(task, "availability")
    walk.provide("survey", but=(late,))
    assert pass_by(walk, "survey") == [late]
    walk.provide("reply")
    (part,) = walk.replies()
    assert set(part.content["provider_codes"]) == set(walk.tracks()) - {late}
    assert [row["provider"] for row in part.content["late"]] == [late]
    walk.confirm()
    walk.sign()
    for stage in ("review", "permits", "works", "acceptance"):
        walk.play(stage, but=(late,))
    on_time = set(walk.tracks()) - {late}
    assert {task.provider for task in walk.tasks("connection")} == on_time
    walk.provide("survey", "reply")
    assert walk.replies()[-1].content["provider_codes"] == [late]
    walk.confirm()
    walk.sign()
    for stage in ("review", "works", "acceptance", "connection"):
        walk.play(stage)
    assert walk.case.state == "closed"


def test_who_offers_no_time_does_not_keep_the_others_from_the_visit(bare_app: Flask):
    walk = CaseWalk(HOSPITAL, outside_line_m=860).open()
    late = next(p for p in walk.tracks() if p.startswith("heat"))
    walk.provide("survey", but=(late,))
    assert not walk.visits()
    assert pass_by(walk, "survey") == [late]
    (visit,) = walk.visits()
    assert late not in visit.providers
    walk.provide("survey", but=(late,))
    assert {task.provider for task in walk.tasks("reply")} == set(walk.tracks()) - {late}
    # It comes later by itself: its own slots, its own findings, and then its reply.
    walk.provide("survey", "reply")
    assert [part.part for part in walk.replies()] == [1, 2] or len(walk.replies()) == 1
    assert walk.task(late, "reply").state == "done"


def test_two_late_in_a_row(bare_app: Flask):
    """One is late with its survey, another with its reply: the rest still gets its answer."""
    walk = CaseWalk(HOSPITAL, outside_line_m=860).open()
    slow = next(p for p in walk.tracks() if p.startswith("heat"))
    slower = next(p for p in walk.tracks() if p.startswith("gas"))
    for task in walk.tasks("survey"):
        walk.report(task, "availability")
    walk.provide("survey", but=(slow,))
    assert pass_by(walk, "survey") == [slow]
    walk.provide("reply", but=(slower,))
    assert pass_by(walk, "reply") == [slower]
    (part,) = walk.replies()
    assert {row["provider"] for row in part.content["late"]} == {slow, slower}
