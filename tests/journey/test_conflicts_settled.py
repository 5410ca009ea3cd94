"""Conflicts hold the reply up until somebody named has settled them; what was decided stands in the reply."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from portal.cases.tables import AnswerConflict
from portal.documents.tables import Document
from portal.journey import conflict_decisions
from portal.journey.pages_staff_conflicts import conflicts_at_desk, open_conflicts
from portal.kernel.audit import AuditRecord
from portal.kernel.database import db
from portal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.journey.players import AGENCY, CLERK, MILL, CaseWalk, staff_of

WATER, NETWORK, POWER = "water-wuyuan", "network-telecom", "power-bayannur"
LON, LAT = 108.2679, 41.0923
EAST = {"water": 0.0, "network": 0.9}  # metres; the table asks for 1.0 between these two


def trench(utility: str, dn: int = 100) -> dict[str, Any]:
    """A line to the north, so and so far east; water with its pipe."""
    lon = LON + EAST[utility] / 83_900
    route = {"type": "LineString", "coordinates": [[lon, LAT], [lon, LAT + 0.001]]}
    found = {"trench": {"route": route, "depth_m": 1.2, "width_m": 0.8, "clearance_m": 0.5}}
    return found | ({"pipe_dn_mm": dn} if utility == "water" else {})


def replied(app: Flask) -> CaseWalk:
    """A case in which all have replied, and water and fibre lie too near each other."""
    walk = CaseWalk(MILL, outside_line_m=140).open()
    for task in walk.tasks("survey"):
        walk.report(task, "availability")
    for task in walk.tasks("survey"):
        walk.report(task, "findings", **(trench(task.utility) if task.utility in EAST else {}))
    walk.provide("reply")
    return walk


def found(walk: CaseWalk) -> AnswerConflict:
    db.session.remove()
    return db.session.scalars(select(AnswerConflict)).one()


def settle(walk: CaseWalk, resolution: str, note: str = "", actor: Any = AGENCY) -> None:
    conflict_id = found(walk).id
    db.session.remove()
    conflict_decisions.settle_conflict(
        actor, conflict_id=conflict_id, resolution=resolution, note=note, at=walk.at, wire_at=walk.at
    )


def test_no_reply_goes_out_before_the_conflict_is_settled(bare_app: Flask):
    walk = replied(bare_app)
    row = found(walk)
    assert (row.kind, row.state, sorted(row.utilities)) == ("beside", "open", ["network", "water"])
    assert row.providers == [NETWORK, WATER]
    assert row.facts["measured_m"] == pytest.approx(0.85, abs=0.01)
    assert walk.replies() == []
    assert walk.record()["joint"]["conflicts"] == 1
    (view,) = open_conflicts(AGENCY, at=walk.at)
    assert "应不小于 1 米" in view.text
    assert "GB 50289" in view.source
    assert view.plan is not None
    settle(walk, "moves:network", "沿慢车道外侧敷设")
    (part,) = walk.replies()
    by_provider = {p["provider"]: [c["text"] for c in p["conditions"]] for p in part.content["providers"]}
    assert "经核定：由通信网络调整路径" in by_provider[WATER][-1]
    assert by_provider[WATER][-1] == by_provider[NETWORK][-1]
    assert by_provider[POWER] == []
    paper = db.session.get_one(Document, part.document_id)
    assert any("沿慢车道外侧敷设" in c["text"] for r in paper.values["replies"] for c in r["conditions"])


def test_who_decides_is_named_and_audited_and_nobody_else_may(bare_app: Flask):
    walk = replied(bare_app)
    for actor in (CLERK, staff_of(WATER)):
        with pytest.raises(NotAllowed):
            settle(walk, "protect", actor=actor)
    with pytest.raises(Invalid) as refused:
        settle(walk, "moves:gas")
    assert refused.value.errors[0].field == "resolution"
    settle(walk, "protect")
    assert found(walk).settled_by == AGENCY.name
    with pytest.raises(Conflict):
        settle(walk, "protect")
    assert db.session.scalars(select(AuditRecord).where(AuditRecord.action == "conflict.settled")).one()


def test_providers_that_propose_the_same_settle_it_themselves(bare_app: Flask):
    walk = replied(bare_app)
    conflict_id = found(walk).id

    def agree(provider: str, resolution: str) -> bool:
        db.session.remove()
        return conflict_decisions.agree_conflict(
            staff_of(provider), conflict_id=conflict_id, resolution=resolution, note="", at=walk.at, wire_at=walk.at
        )

    with pytest.raises(NotFound):
        agree(POWER, "protect")
    assert not agree(WATER, "moves:network")
    assert not agree(NETWORK, "moves:water")
    assert walk.replies() == []
    assert agree(NETWORK, "moves:network")
    assert found(walk).state == "settled"
    assert len(walk.replies()) == 1
    assert conflicts_at_desk(staff_of(WATER), task_id=walk.task(WATER, "reply").id, at=walk.at) == ()


def test_a_desk_sees_only_the_conflicts_it_is_part_of(bare_app: Flask):
    walk = replied(bare_app)
    (view,) = conflicts_at_desk(staff_of(WATER), task_id=walk.task(WATER, "reply").id, at=walk.at)
    assert len(view.sides) == 1
    assert conflicts_at_desk(staff_of(POWER), task_id=walk.task(POWER, "reply").id, at=walk.at) == ()


def test_answers_that_fit_together_go_out_at_once(bare_app: Flask):
    walk = CaseWalk(MILL, outside_line_m=140).open()
    walk.provide("survey", "reply")
    assert len(walk.replies()) == 1
    assert db.session.scalars(select(AnswerConflict)).first() is None
