"""Permits: one task per office; the request is derived from the joint works plan, before anybody digs."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from portal.cases import deadlines, workflow
from portal.cases.tables import Task
from portal.catalog.queries import calendar_of
from portal.journey import case_files, dig_once
from portal.journey.case_files import CaseFile
from portal.journey.events import note_event
from portal.kernel.ids import new_id
from portal.kernel.policy import SYSTEM

ROAD_OPENING = "road_opening"


def needs_road_opening(file: CaseFile) -> bool:
    """Whether somebody of the case has a line to lay outside the site (by findings, or the checked estimate)."""
    for track in file.live_tracks():
        if "works" not in track.stages:
            continue
        survey = file.tasks.get((track.provider, "survey"))
        findings = survey.result.get("findings") if survey else None
        if findings and findings.get("trench") and float(findings.get("outside_line_m") or 0) > 0:
            return True
    return False


def open_permits(session: Session, file: CaseFile, *, at: dt.datetime, wire_at: dt.datetime) -> bool:
    """Open the office's task when the case has come to it; True when a task was opened."""
    if file.case.confirmed_at is None:
        return False
    case_id = file.case.id
    if not case_files.case_events(session, case_id, "permits_needed"):
        if not needs_road_opening(file):
            return False
        note_event(session, case_id=case_id, kind="permits_needed", actor=SYSTEM, at=at)
        session.flush()
    if any(task.stage == "permits" for task in file.tasks.values()):
        return False
    if not workflow.needs_permits_now(case_files.view_of(session, file)):
        return False
    works = dig_once.make_plan(session, file, at=at, wire_at=wire_at)
    request = {"request": dig_once.permit_request(file, works)} if works else {}
    office = next(office for office in file.catalog.offices if ROAD_OPENING in office.permit_kinds)
    task = Task(
        id=new_id(),
        case_id=case_id,
        track_id=None,
        provider=office.code,
        utility=None,
        stage="permits",
        state="issued",
        revision=1,
        issued_at=at,
        due_at=deadlines.due_at(calendar_of(session), at, office.limit_days),
        result={"permit": {"kind": ROAD_OPENING, **request}},
        version=1,
    )
    session.add(task)
    session.flush()
    facts = {"office": office.code, "kind": ROAD_OPENING, "stage": "permits", "provider": office.code}
    note_event(session, case_id=case_id, kind="task_issued", actor=SYSTEM, at=at, task_id=task.id, facts=facts)
    return True
