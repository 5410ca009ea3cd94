"""Whole cases from filing to closing: which tasks open, in what order, and what is left behind."""

from __future__ import annotations

from collections import Counter

import pytest
from flask import Flask
from sqlalchemy import select

from portal.documents.kinds import KINDS
from portal.documents.tables import Document
from portal.journey.papers import render_document
from portal.kernel.database import db
from portal.kernel.errors import Conflict, NotFound
from tests.journey.players import HOSPITAL, MILL, RESTAURANT, CaseWalk

ALL_STAGES = {"survey", "reply", "review", "works", "acceptance", "connection"}
RECORD_FIELDS = {
    "accepted",
    "errors",
    "case_no",
    "stage",
    "utilities",
    "providers",
    "tasks",
    "visits",
    "joint",
    "reply",
    "bill",
    "payment",
    "splits",
    "settlements",
    "ledger",
    "documents",
    "working_days",
}


def documents_of(walk: CaseWalk) -> list[Document]:
    return list(db.session.scalars(select(Document).where(Document.case_id == walk.case.id)))


def check_papers(walk: CaseWalk) -> Counter[str]:
    """Every paper that was ordered holds what its kind needs; how many there are of each."""
    papers = documents_of(walk)
    for paper in papers:
        KINDS[paper.kind].model.model_validate({**paper.values, "number": paper.number})
    return Counter(paper.kind for paper in papers if paper.state != "replaced")


def test_a_restaurant_without_outside_line_is_connected_without_survey_review_or_works(bare_app: Flask):
    walk = CaseWalk(RESTAURANT).open()
    assert {task.stage for task in walk.tasks()} == {"reply"}
    walk.walk_to("closed")
    assert walk.case.state == "closed"
    assert {task.stage for task in walk.tasks()} == {"reply", "acceptance", "connection"}
    assert walk.stages("gas-linhe") == {"reply", "acceptance", "connection"}
    assert all("acceptance" not in walk.stages(p) for p in walk.tracks() if not p.startswith("gas"))
    assert not walk.visits()
    record = walk.record()
    assert record["visits"] == 0
    assert set(record["reply"]["verdicts"].values()) == {"approve"}
    assert check_papers(walk)["completion_notice"] == 1


def test_a_hospital_takes_every_stage_and_its_papers_are_complete(bare_app: Flask):
    walk = CaseWalk(HOSPITAL, outside_line_m=860).open()
    main = [p for p, track in walk.tracks().items() if track.utility != "network"]
    assert len(main) == 4
    walk.walk_to("closed")
    assert walk.case.state == "closed"
    for provider in main:
        assert walk.stages(provider) == ALL_STAGES, provider
    counts = Counter((task.provider, task.stage) for task in walk.tasks())
    assert set(counts.values()) == {1}
    assert len(walk.visits()) == 1
    assert walk.visits()[0].state == "done"
    papers = check_papers(walk)
    assert papers["acceptance_notice"] == papers["survey_record"] == papers["joint_reply"] == 1
    assert papers["review_opinion"] == papers["acceptance_opinion"] == papers["joint_bill"] == 1
    assert papers["supply_contract"] == len(walk.tracks())  # the signed one stands in its draft's place


def test_a_signed_contract_stands_in_its_drafts_place(bare_app: Flask):
    walk = CaseWalk(RESTAURANT).open().walk_to("closed")
    listed = {paper["number"] for paper in walk.record()["documents"]}
    contracts = [paper for paper in documents_of(walk) if paper.kind == "supply_contract"]
    drafts = [paper for paper in contracts if paper.number.endswith("-CG")]
    assert len(drafts) == len(walk.tracks())
    assert {paper.state for paper in drafts} == {"replaced"}
    assert render_document(drafts[0].id, walk.case.closed_at, base_url="https://example.org") == "replaced"
    assert {paper.number.removesuffix("-CG") for paper in drafts} <= listed
    assert not any(number.endswith("-CG") for number in listed)


def test_the_record_holds_what_the_blueprint_promises(bare_app: Flask):
    walk = CaseWalk(MILL, outside_line_m=140).open().walk_to("closed")
    record = walk.record()
    assert set(record) >= RECORD_FIELDS
    assert record["stage"] == "closed"
    assert record["visits"] == 1
    assert set(record["joint"]) == {
        "conflicts",
        "supplements",
        "rectifications",
        "trench_saved_m",
        "visits_avoided",
    }
    assert record["joint"]["visits_avoided"] == len(record["providers"]) - 1
    assert record["bill"]["total_fen"] == 0
    assert record["reply"]["number"].endswith("-DF1")
    files = {paper["file"] for paper in record["documents"]}
    assert record["reply"]["pdf"].startswith("joint_reply")
    assert record["bill"]["pdf"].startswith("joint_bill")
    assert {record["reply"]["pdf"], record["bill"]["pdf"]} <= files
    assert set(record["working_days"]) == set(record["providers"])
    assert all(days >= 0 for days in record["working_days"].values())
    assert record["ledger"]["balanced"]


def test_each_task_is_announced_to_its_provider_once(bare_app: Flask):
    walk = CaseWalk(MILL, outside_line_m=140).open().walk_to("closed")
    issued = Counter(message.task_id for message in walk.messages("task.issued"))
    assert issued == {task.id: 1 for task in walk.tasks() if task.track_id is not None}


def test_the_joint_reply_waits_for_all_and_holds_every_verdict(bare_app: Flask):
    walk = CaseWalk(RESTAURANT).open()
    late = "gas-linhe"
    walk.provide("reply", but=(late,))
    assert not walk.replies()
    with pytest.raises(Conflict, match="没有需要确认"):
        walk.confirm()
    walk.provide("reply")
    (part,) = walk.replies()
    assert set(part.content["provider_codes"]) == set(walk.tracks())
    assert {row["verdict"] for row in part.content["providers"]} == {"approve"}
    assert len(walk.messages("reply.published")) == len(walk.tracks())


def test_joint_stages_open_for_all_at_once(bare_app: Flask):
    walk = CaseWalk(MILL, outside_line_m=140).open()
    first, *others = [task.provider for task in walk.tasks("survey")]
    for task in walk.tasks("survey"):
        walk.report(task, "availability")
    for provider in others:
        walk.report(walk.task(provider, "survey"), "findings")
    assert not walk.tasks("reply")
    walk.report(walk.task(first, "survey"), "findings")
    assert {task.provider for task in walk.tasks("reply")} == set(walk.tracks())


def test_permits_open_after_review_and_works_after_the_grant(bare_app: Flask):
    walk = CaseWalk(MILL, outside_line_m=140).open().walk_to("review")
    assert walk.tasks("review")
    assert not walk.tasks("permits")
    walk.play("review")
    (permit,) = walk.tasks("permits")
    assert permit.state == "issued"
    assert not walk.tasks("works")
    assert walk.case.stage == "permits"
    walk.grant()
    assert walk.tasks("works")
    assert len(walk.tasks("permits")) == 1
    with pytest.raises(Conflict):
        walk.grant()


def test_no_permit_where_nobody_digs_outside(bare_app: Flask):
    walk = CaseWalk(MILL, outside_line_m=0).open().walk_to("works")
    assert not walk.tasks("permits")
    assert walk.tasks("works")


def test_the_case_closes_with_the_last_confirmed_flow_only(bare_app: Flask):
    walk = CaseWalk(RESTAURANT).open().walk_to("connection")
    walk.provide("connection")
    tasks = walk.tasks("connection")
    assert {task.state for task in tasks} == {"waiting_applicant"}
    for task in tasks[:-1]:
        walk.confirm_flow(task)
    assert walk.case.state == "open"
    with pytest.raises(Conflict):
        walk.confirm_flow(tasks[0])
    walk.confirm_flow(tasks[-1])
    assert walk.case.state == "closed"
    assert walk.case.closed_at == walk.at


def test_nothing_connects_before_the_contracts_are_signed(bare_app: Flask):
    walk = CaseWalk(RESTAURANT).open().walk_to("confirm")
    walk.confirm()
    assert not walk.tasks("connection")
    assert walk.sign() == len(walk.tracks())
    assert {task.provider for task in walk.tasks("connection")} == set(walk.tracks()) - {"gas-linhe"}
    with pytest.raises(Conflict, match="待签署"):
        walk.sign()


def test_a_case_belongs_to_its_applicant(bare_app: Flask):
    walk = CaseWalk(RESTAURANT).open().walk_to("confirm")
    owner, walk.applicant = walk.applicant, CaseWalk(MILL).applicant
    for act in (walk.confirm, walk.sign):
        with pytest.raises(NotFound):
            act()
    walk.applicant = owner
    walk.confirm()
