"""What a report may not do and what comes back: revisions, replays, foreign tasks, refusals, questions, rework."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.cases.tables import Pause, Question, Task
from portal.journey import questions
from portal.journey.reports import submit_desk_report
from portal.kernel.database import db
from portal.kernel.errors import Conflict, Invalid, NotFound
from tests.journey.players import MILL, RESTAURANT, CaseWalk, staff_of, system_of

GAS, WATER = "gas-linhe", "water-linhe"
ASK = {"code": "lease_unclear", "text": "请补充租赁期限", "field": "materials.2", "why": "合同需要"}


@pytest.fixture
def walk(bare_app: Flask) -> CaseWalk:
    return CaseWalk(RESTAURANT).open()


def pauses_of(task: Task) -> list[Pause]:
    return list(db.session.scalars(select(Pause).where(Pause.task_id == task.id)))


def answer_all(walk: CaseWalk) -> None:
    query = select(Question.id).where(Question.case_id == walk.case.id, Question.state == "asked")
    for question_id in list(db.session.scalars(query)):
        db.session.remove()
        walk.pass_time()
        questions.answer_question(
            walk.applicant,
            case_no=walk.case_no,
            question_id=question_id,
            answer="三年",
            material_id=None,
            at=walk.at,
            wire_at=walk.at,
        )


def test_a_stale_revision_is_told_the_task_as_it_is(walk: CaseWalk):
    task = walk.task(GAS, "reply")
    with pytest.raises(Conflict) as refused:
        walk.report(task, "reply", revision=7)
    assert refused.value.code == "stale_revision"
    document: Any = refused.value.facts["task"]
    assert (document["task_id"], document["revision"]) == (task.id, 1)
    answer = walk.send(system_of(GAS), task, walk.report_body(task, "reply", revision=7))
    assert (answer.status, answer.body["code"]) == (409, "stale_revision")
    assert answer.body["task"]["revision"] == 1


def test_what_is_not_expected_is_told_what_is(walk: CaseWalk):
    task = walk.task(GAS, "reply")
    body = walk.report_body(task, "acceptance")
    answer = walk.send(system_of(GAS), task, body)
    assert (answer.status, answer.body["code"]) == (409, "not_expected")
    assert "reply" in answer.body["expects"]
    assert walk.task(GAS, "reply").state == "issued"


def test_a_replay_gets_the_first_answer_and_changes_nothing(walk: CaseWalk):
    task = walk.task(GAS, "reply")
    body = walk.report_body(task, "reply")
    first = walk.send(system_of(GAS), task, body, message_id="m-1")
    assert first.status == 200, first.body
    assert first.body["task"]["state"] == "done"
    version = walk.task(GAS, "reply").version
    assert walk.send(system_of(GAS), task, body, message_id="m-1") == first
    assert walk.task(GAS, "reply").version == version
    with pytest.raises(Invalid) as refused:
        walk.send(system_of(GAS), task, body | {"operator": "别人"}, message_id="m-1")
    assert refused.value.code == "idempotency_mismatch"


def test_nobody_reports_on_a_foreign_task(walk: CaseWalk):
    task = walk.task(GAS, "reply")
    answer = walk.send(system_of(WATER), task, walk.report_body(task, "reply"))
    assert (answer.status, answer.body["code"]) == (404, "not_found")
    db.session.remove()
    with pytest.raises(NotFound):
        submit_desk_report(
            staff_of(WATER), task_id=task.id, report=walk.report_body(task, "reply"), at=walk.at, wire_at=walk.at
        )
    assert walk.task(GAS, "reply").state == "issued"


def test_a_document_holds_its_own_part_and_no_other(walk: CaseWalk):
    document = walk.document(walk.task(GAS, "reply"))
    part = document["part"]
    assert part["peak_m3_h"] == 12
    for foreign in ("added_kva", "pipe_dn_mm", "heated_area_m2", "bandwidth_mbps"):
        assert foreign not in part
    assert "150802199007254610" not in str(document)


def test_a_question_stops_the_clock_until_its_answer(walk: CaseWalk):
    walk.report(walk.task(GAS, "reply"), "question", items=[ASK])
    task = walk.task(GAS, "reply")
    assert task.state == "waiting_applicant"
    assert walk.document(task)["expects"] == []
    (pause,) = pauses_of(task)
    assert pause.end_at is None
    answer_all(walk)
    task = walk.task(GAS, "reply")
    assert task.state == "working"
    assert pauses_of(task)[0].end_at == walk.at
    assert [q["answer"] for q in walk.document(task)["questions"]] == ["三年"]
    walk.walk_to("closed")
    assert walk.case.state == "closed"


def test_the_same_question_is_asked_once_and_both_go_on_with_its_answer(walk: CaseWalk):
    for provider in (GAS, WATER):
        walk.report(walk.task(provider, "reply"), "question", items=[ASK])
    asked = list(db.session.scalars(select(Question).where(Question.case_id == walk.case.id)))
    assert len(asked) == 1
    answer_all(walk)
    for provider in (GAS, WATER):
        task = walk.task(provider, "reply")
        assert task.state == "working", provider
        assert pauses_of(task)[0].end_at == walk.at
        assert [q["answer"] for q in walk.document(task)["questions"]] == ["三年"]


def test_different_questions_under_one_general_code_are_both_asked(walk: CaseWalk):
    for provider, text in ((GAS, "灶具几台？"), (WATER, "有无消防用水？")):
        walk.report(walk.task(provider, "reply"), "question", items=[{"code": "other", "text": text, "why": "核定"}])
    assert len(list(db.session.scalars(select(Question).where(Question.case_id == walk.case.id)))) == 2


def test_a_pause_and_its_end(walk: CaseWalk):
    task = walk.task(GAS, "reply")
    walk.report(task, "pause", reason_code="force_majeure", evidence="doc-1")
    assert walk.task(GAS, "reply").state == "paused"
    assert walk.document(walk.task(GAS, "reply"))["paused"]["reason_code"] == "force_majeure"
    with pytest.raises(Conflict):
        walk.report(task, "reply")
    with pytest.raises(Conflict, match="没有以该原因"):
        walk.report(task, "resume", reason_code="testing")
    walk.report(task, "resume", reason_code="force_majeure")
    assert walk.task(GAS, "reply").state == "working"
    with pytest.raises(Invalid):
        walk.report(task, "pause", reason_code="frozen_ground", evidence="doc-1")


def test_a_corrected_line_brings_the_survey_back_for_that_provider(walk: CaseWalk):
    walk.report(walk.task(WATER, "reply"), "line_check", outside_line_m=120)
    assert walk.stages(WATER) == {"survey", "reply"}
    assert {task.provider for task in walk.tasks("survey")} == {WATER}
    assert {"survey", "works", "acceptance"} <= set(walk.tracks()[WATER].stages)
    # It answers only after it has seen the site.
    assert "reply" not in walk.document(walk.task(WATER, "reply"))["expects"]
    with pytest.raises(Conflict) as early:
        walk.report(walk.task(WATER, "reply"), "reply")
    assert early.value.code == "not_expected"
    walk.outside_line_m = 120
    walk.provide("survey")
    walk.outside_line_m = 0
    walk.provide("reply")
    walk.outside_line_m = 120
    for stage in ("confirm", "review", "permits", "works", "acceptance", "connection"):
        walk.play(stage)
    assert walk.case.state == "closed"
    assert walk.stages(WATER) == set(walk.tracks()[WATER].stages)


def test_a_line_corrected_after_the_joint_visit_gets_a_visit_of_its_own(walk: CaseWalk):
    first, second, *_ = [t.provider for t in walk.tasks("reply") if "line_check" in walk.document(t)["expects"]]
    walk.outside_line_m = 120
    walk.report(walk.task(first, "reply"), "line_check")
    walk.provide("survey")
    (visit,) = walk.visits()
    assert (visit.state, visit.providers) == ("done", [first])
    walk.at = max(walk.at, visit.end_at)
    walk.report(walk.task(second, "reply"), "line_check")
    expects = walk.document(walk.task(second, "survey"))["expects"]
    assert "availability" in expects
    assert "findings" not in expects
    walk.provide("survey")
    assert [visit.providers for visit in walk.visits()] == [[first], [second]]
    assert walk.task(second, "survey").state == "done"


def test_a_confirmed_line_changes_nothing(walk: CaseWalk):
    before = list(walk.tracks()[WATER].stages)
    walk.report(walk.task(WATER, "reply"), "line_check", outside_line_m=0)
    assert walk.tracks()[WATER].stages == before
    assert not walk.tasks("survey")


def test_rework_waits_for_the_next_drawing_and_raises_the_revision(bare_app: Flask):
    walk = CaseWalk(MILL, outside_line_m=140).open().walk_to("review")
    provider = walk.tasks("review")[0].provider
    assert "review" not in walk.document(walk.task(provider, "review"))["expects"]
    sha = walk.draw(provider)
    comment = {"drawing_sha256": sha, "location": "轴线3", "clause": "5.2", "severity": "must", "text": "管径不足"}
    walk.report(walk.task(provider, "review"), "review", verdict="rework", comments=[comment])
    assert walk.task(provider, "review").state == "waiting_applicant"
    walk.draw(provider, version=2)
    task = walk.task(provider, "review")
    assert (task.state, task.revision) == ("issued", 2)
    assert [d["version"] for d in walk.document(task)["drawings"]] == [1, 2]
    walk.play("review")
    assert walk.task(provider, "review").state == "done"
    with pytest.raises(Conflict):
        walk.draw(provider, version=3)


def test_a_drawing_does_not_answer_a_question(bare_app: Flask):
    walk = CaseWalk(MILL, outside_line_m=140).open().walk_to("review")
    provider = walk.tasks("review")[0].provider
    walk.draw(provider)
    walk.report(walk.task(provider, "review"), "question", items=[ASK])
    walk.draw(provider, version=2)
    task = walk.task(provider, "review")
    assert (task.state, task.revision) == ("waiting_applicant", 1)
    answer_all(walk)
    task = walk.task(provider, "review")
    assert (task.state, [pause.end_at for pause in pauses_of(task)]) == ("working", [walk.at])


def test_rectification_raises_the_revision_and_is_counted(walk: CaseWalk):
    walk.walk_to("acceptance")
    bad = [{"code": "tightness", "ok": False}]
    task = walk.task(GAS, "acceptance")
    with pytest.raises(Invalid):
        walk.report(task, "acceptance", items=bad)
    with pytest.raises(Invalid):
        walk.report(task, "acceptance", mode="remote")
    walk.report(task, "acceptance", verdict="rectify", items=bad, rectify_by_on="2026-12-04")
    task = walk.task(GAS, "acceptance")
    assert (task.state, task.revision) == ("issued", 2)
    assert "connection" not in walk.stages(GAS)
    for stage in ("acceptance", "connection"):
        walk.play(stage)
    assert walk.case.state == "closed"
    assert walk.record()["joint"]["rectifications"] == 1
