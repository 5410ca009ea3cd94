"""One trench: the plan, its permit request, the neighbours, the window, the paper and what others see of it."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.cases.tables import AnswerConflict, JointWorks, Task
from portal.documents.tables import Document
from portal.exchange.tables import OutboxMessage
from portal.journey import conflict_decisions, decisions
from portal.journey.pages_staff_agency import agency_board
from portal.journey.pages_works import works_geojson, works_map
from portal.kernel.clock import local_date
from portal.kernel.database import db, transaction
from portal.kernel.errors import Conflict, Invalid
from portal.kernel.guard import change
from tests.journey.players import AGENCY, HOSPITAL, MILL, CaseWalk, system_of

WATER, NETWORK = "water-wuyuan", "network-telecom"
LON, LAT = 108.2679, 41.0923
METRE = 1 / 83_900  # of longitude here


def route(aside_m: float) -> dict[str, Any]:
    lon = LON + aside_m * METRE
    line = {"type": "LineString", "coordinates": [[lon, LAT], [lon, LAT + 0.001]]}
    return {"trench": {"route": line, "depth_m": 1.4, "width_m": 0.8, "clearance_m": 0.5}}


def dug(app: Flask, *, aside_m: float = 1.2) -> CaseWalk:
    """A case before its permit: water and fibre share a trench."""
    walk = CaseWalk(MILL, outside_line_m=140).open()
    for task in walk.tasks("survey"):
        walk.report(task, "availability")
    for task in walk.tasks("survey"):
        aside = {"water": 0.0, "network": aside_m}.get(task.utility or "")
        walk.report(task, "findings", **(route(aside) if aside is not None else {}))
    return walk.walk_to("permits")


def works(walk: CaseWalk) -> JointWorks:
    db.session.remove()
    return db.session.scalars(select(JointWorks).where(JointWorks.case_id == walk.case.id)).one()


def test_one_plan_one_permit_request_and_a_call_to_the_neighbours(bare_app: Flask):
    walk = dug(bare_app)
    row = works(walk)
    assert row.saved_m == pytest.approx(111, abs=0.5)
    assert row.saved_m == pytest.approx(row.single_m - row.union_m)
    assert sum(share["share_fen"] for share in row.shares) == row.price_fen
    assert row.saved_fen > 0
    (permit,) = walk.tasks("permits")
    request = permit.result["permit"]["request"]
    assert (request["length_m"], request["width_m"]) == (row.union_m, 0.8)
    assert sorted(request["providers"]) == [NETWORK, WATER]
    called = db.session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "works.planned")).all()
    assert called
    assert not {f"provider:{p}" for p in walk.tracks()} & {message.destination for message in called}
    told = json.loads(called[0].body)["data"]
    assert "case_no" not in told
    assert told["stretch"]["coordinates"] == [[round(LON, 3), round(LAT, 3)], [round(LON, 3), round(LAT + 0.001, 3)]]
    assert walk.record()["joint"]["trench_saved_m"] == row.saved_m


def test_the_window_follows_the_providers_and_the_paper_is_issued_once_all_have_planned(bare_app: Flask):
    walk = dug(bare_app)
    walk.grant()
    tasks = walk.tasks("works")
    on = local_date(walk.at)
    for n, task in enumerate(tasks):
        assert db.session.scalars(select(Document).where(Document.kind == "works_plan")).first() is None
        window = {
            "start_on": (on + dt.timedelta(days=3 + n)).isoformat(),
            "end_on": (on + dt.timedelta(days=20)).isoformat(),
        }
        walk.report(task, "works", status="planned", window=window)
    row = works(walk)
    assert (row.start_on, row.end_on) == (on + dt.timedelta(days=3), on + dt.timedelta(days=20))
    paper = db.session.scalars(select(Document).where(Document.kind == "works_plan")).one()
    assert len(paper.values["windows"]) == len(tasks)
    assert any("共沟节约" in note for note in paper.values["notes"])
    walk.provide("works")
    assert works(walk).state == "finished"


def test_exact_lines_are_for_the_providers_of_the_case_alone(bare_app: Flask):
    walk = dug(bare_app)
    db.session.remove()
    own = works_geojson(system_of(WATER), on=local_date(walk.at))["features"]
    exact = [f["properties"] for f in own if f["properties"]["kind"] == "joint"]
    assert {(p["utility"], p["depth_m"], p["is_exact"]) for p in exact} == {
        ("water", 1.4, True),
        ("network", 1.4, True),
    }
    foreign = works_geojson(system_of("water-linhe"), on=local_date(walk.at))["features"]
    (seen,) = [f for f in foreign if f["properties"]["kind"] == "joint"]
    assert "depth_m" not in seen["properties"]
    assert all(lon == round(lon, 3) for lon, _ in seen["geometry"]["coordinates"])
    public = works_map(on=local_date(walk.at), division="150821")
    assert public.plan is not None
    assert [line.saved_m for line in public.works] == [works(walk).saved_m]
    assert works_map(on=local_date(walk.at), division="150802").works[0].state == "已公布"


def test_lines_in_different_streets_save_nothing_and_say_so(bare_app: Flask):
    row = works(dug(bare_app, aside_m=60))
    assert (row.saved_m, row.saved_fen) == (0.0, 0)


def test_works_that_exclude_each_other_do_not_start_before_somebody_has_said_who_waits(bare_app: Flask):
    walk = CaseWalk(HOSPITAL, outside_line_m=860).open()
    for task in walk.tasks("survey"):
        walk.report(task, "availability")
    for task in walk.tasks("survey"):
        aside = {"gas": 0.0, "heating": 1.5}.get(task.utility or "")
        walk.report(task, "findings", **(route(aside) if aside is not None else {"trench": None}))
    walk.walk_to("works")
    by_utility = {task.utility: task for task in walk.tasks("works")}
    for task in walk.tasks("works"):
        walk.report(task, "works", status="planned")
    row = db.session.scalars(select(AnswerConflict).where(AnswerConflict.state == "open")).one()
    assert (row.kind, row.utilities) == ("window", ["gas", "heating"])
    with pytest.raises(Conflict) as refused:
        walk.report(by_utility["gas"], "works", status="started")
    assert refused.value.code == "conflict_open"
    walk.report(by_utility["power"], "works", status="started")
    conflict_id = row.id
    db.session.remove()
    conflict_decisions.settle_conflict(
        AGENCY, conflict_id=conflict_id, resolution="waits:gas", note="", at=walk.at, wire_at=walk.at
    )
    walk.report(by_utility["gas"], "works", status="started")


def test_a_road_under_protection_needs_the_governments_approval(bare_app: Flask):
    walk = dug(bare_app)
    (permit,) = walk.tasks("permits")
    road = {"code": "r", "name": "新路", "built": "new", "until_on": "2029-10-01", "basis": "第三十三条"}
    asked, task_id = permit.result["permit"], permit.id
    with transaction() as session:
        request = asked["request"] | {"protected": [road]}
        change(session, Task, task_id, {"id": task_id}, {"result": {"permit": asked | {"request": request}}})

    def grant(approval: str) -> None:
        db.session.remove()
        decisions.grant_permit(
            AGENCY, task_id=task_id, permit_no="LX-1", approval_no=approval, at=walk.at, wire_at=walk.at
        )

    with pytest.raises(Invalid) as refused:
        grant(" ")
    assert refused.value.errors[0].field == "approval_no"
    (row,) = agency_board(AGENCY, at=walk.at).permits
    assert row.request["protected"][0]["name"] == "新路"
    grant("巴政批〔2026〕1号")
    assert walk.tasks("permits")[0].result["permit"]["approval_no"] == "巴政批〔2026〕1号"
