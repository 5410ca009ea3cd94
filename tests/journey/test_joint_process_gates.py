"""Gates of the later stages: money before works, drawings of this round, works step by step; one text for 404."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.cases import workflow
from portal.cases.tables import MaterialFile, Question, Task
from portal.journey import case_files, decisions, provider_reads, questions
from portal.kernel.database import db, transaction
from portal.kernel.errors import ABSENT, Invalid, NotFound
from portal.kernel.ids import new_id
from tests.journey.paying import pay
from tests.journey.players import AGENCY, MILL, RESTAURANT, CaseWalk, system_of

ASK = {"code": "lease_unclear", "text": "请补充租赁期限", "field": "materials.2", "why": "合同需要"}


def quote_of(walk: CaseWalk, provider: str) -> list[dict[str, Any]]:
    """One published item that the user pays, outside any zero-investment boundary."""
    from portal.catalog import fees

    on = walk.at.date()
    item = next(i for i in fees.published_items(walk.catalog, provider, on) if i.payer == "user" and i.price_fen)
    line = {"fee_item": item.code, "quantity": "1", "unit_price_fen": item.price_fen, "amount_fen": item.price_fen}
    return [line | {"payer": "user", "payee": "公司", "boundary": item.boundary, "vat_rate": "9", "basis": item.basis}]


def reply_with_price(walk: CaseWalk, provider: str) -> None:
    option = {"code": "A", "title": "就近接入", "summary": "", "works_days": 10, "quote": quote_of(walk, provider)}
    walk.report(walk.task(provider, "reply"), "reply", options=[option | {"summary": "接入"}])


@pytest.fixture
def mill(bare_app: Flask) -> CaseWalk:
    return CaseWalk(MILL, outside_line_m=140).open()


def test_what_is_due_before_works_holds_up_the_works_of_that_provider_alone(mill: CaseWalk):
    mill.walk_to("reply")
    priced = next(p for p in mill.tracks() if mill.catalog.provider(p).pay_before == "works" and p.startswith("water"))
    reply_with_price(mill, priced)
    mill.provide("reply")
    for stage in ("confirm", "review", "permits"):
        mill.play(stage)
    others = {p for p, track in mill.tracks().items() if "works" in track.stages} - {priced}
    assert {task.provider for task in mill.tasks("works")} == others
    view = case_files.view_of(db.session(), case_files.load_case(db.session(), case_no=mill.case_no, lock=False))
    assert "applicant" in workflow.case_turns(view)
    assert pay(mill) == quote_of(mill, priced)[0]["amount_fen"]
    assert {task.provider for task in mill.tasks("works")} == others | {priced}
    for stage in ("works", "acceptance", "connection"):
        mill.play(stage)
    assert mill.case.state == "closed"


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"round": 2}, "round", "wrong_round"),
        ({"drawings": [{"sha256": "0" * 64, "version": 1}]}, "drawings.0.sha256", "unknown_drawing"),
        ({"version": 2}, "drawings.0.version", "wrong_version"),
        ({"comments": True}, "comments.0.drawing_sha256", "unknown_drawing"),
    ],
)
def test_a_review_names_the_drawings_of_its_round(mill: CaseWalk, change: dict[str, Any], field: str, code: str):
    mill.walk_to("review")
    task = mill.tasks("review")[0]
    sha = mill.draw(task.provider)
    comment = {"drawing_sha256": "1" * 64, "location": "轴线3", "clause": "5.2", "severity": "must", "text": "不足"}
    fields = dict(change)
    if "comments" in change:
        fields = {"verdict": "rework", "comments": [comment]}
    if "version" in change:
        fields = {"drawings": [{"sha256": sha, "version": change["version"]}]}
    with pytest.raises(Invalid) as refused:
        mill.report(task, "review", **fields)
    assert [(e.field, e.code) for e in refused.value.errors] == [(field, code)]
    assert mill.task(task.provider, "review").state == "issued"
    mill.report(task, "review")
    assert mill.task(task.provider, "review").state == "done"


def test_an_older_drawing_is_not_reviewed_once_there_is_a_newer(mill: CaseWalk):
    mill.walk_to("review")
    task = mill.tasks("review")[0]
    first = mill.draw(task.provider)
    mill.draw(task.provider, version=2)
    with pytest.raises(Invalid) as refused:
        mill.report(task, "review", drawings=[{"sha256": first, "version": 1}])
    assert [(e.field, e.code) for e in refused.value.errors] == [("drawings", "stale_drawing")]
    mill.report(task, "review")


def test_works_leave_no_step_out(mill: CaseWalk):
    mill.walk_to("works")
    provider = mill.tasks("works")[0].provider

    def refused(status: str) -> dict[str, Any]:
        task = mill.task(provider, "works")
        answer = mill.send(system_of(provider), task, mill.report_body(task, "works", status=status))
        assert (answer.status, answer.body["code"], answer.body["expects"]) == (409, "not_expected", ["works"])
        return dict(answer.body)

    def report(status: str) -> None:
        mill.report(mill.task(provider, "works"), "works", status=status)

    for status in ("finished", "started"):
        assert "已排期" in refused(status)["detail"]
    report("planned")
    report("planned")  # a plan may change before the works begin
    assert refused("finished")["expected_status"] == ["planned", "started"]
    report("started")
    for status in ("planned", "started"):
        assert refused(status)["expected_status"] == ["finished"]
    report("finished")
    assert mill.task(provider, "works").state == "done"


def test_both_providers_that_asked_the_same_read_the_answer(bare_app: Flask):
    walk = CaseWalk(RESTAURANT).open()
    asked, stranger = ("gas-linhe", "water-linhe"), "heat-linhe"
    for provider in asked:
        walk.report(walk.task(provider, "reply"), "question", items=[ASK])
    paper_id, question_id = new_id(), db.session.scalars(select(Question.id)).one()
    db.session.remove()
    with transaction() as session:
        session.add(
            MaterialFile(
                id=paper_id,
                owner_id=walk.applicant.id,
                application_id=None,
                kind="supplement",
                name="lease.pdf",
                media_type="application/pdf",
                sha256="0" * 64,
                content=b"%PDF",
                uploaded_at=walk.at,
            )
        )
    questions.answer_question(
        walk.applicant,
        case_no=walk.case_no,
        question_id=question_id,
        answer="",
        material_id=paper_id,
        at=walk.at,
        wire_at=walk.at,
    )
    for provider in asked:
        assert provider_reads.own_paper(system_of(provider), paper_id).content == b"%PDF"
    with pytest.raises(NotFound):
        provider_reads.own_paper(system_of(stranger), paper_id)


def test_the_absent_and_the_foreign_read_the_same(bare_app: Flask):
    walk = CaseWalk(RESTAURANT).open()
    task = walk.task("gas-linhe", "reply")
    body = walk.report_body(task, "reply")
    foreign = walk.send(system_of("water-linhe"), task, body)
    absent = walk.send(system_of("water-linhe"), Task(id=new_id()), body)
    assert foreign.status == absent.status == 404
    assert foreign.body == absent.body
    assert foreign.body["detail"] == ABSENT
    with pytest.raises(NotFound, match=ABSENT):
        decisions.decide(AGENCY, decision_id=new_id(), verdict="confirm", note="", at=walk.at, wire_at=walk.at)
