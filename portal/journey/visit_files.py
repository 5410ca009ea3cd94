"""Visits for people's own calendars: the applicant's, and that of everybody who comes."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.cases.calendar_files import CalendarEvent, calendar_file
from portal.cases.tables import Task, Visit
from portal.journey import case_files
from portal.journey.case_files import CaseFile
from portal.journey.pages_case_load import names_in
from portal.kernel.database import db
from portal.kernel.errors import NotFound
from portal.kernel.policy import Actor, require


def case_calendar(actor: Actor, *, case_no: str, at: dt.datetime) -> bytes:
    """All visits of a case, cancelled ones as such. Raises NotFound where none was ever fixed."""
    session = db.session()
    file = case_files.load_case(session, case_no=case_no, lock=False)
    require(actor, "case.view", {"applicant_ids": frozenset({file.case.subject_id})})
    return _calendar(session, file, None, at)


def task_calendar(actor: Actor, *, task_id: str, at: dt.datetime) -> bytes:
    """The visits that one provider comes to. Raises NotFound for another provider's task."""
    session = db.session()
    task = session.get(Task, task_id)
    if task is None:
        require(actor, "desk.list")
        raise NotFound
    require(actor, "desk.task", {"provider": task.provider})
    return _calendar(session, case_files.load_case(session, case_id=task.case_id, lock=False), task.provider, at)


def _calendar(session: Session, file: CaseFile, provider: str | None, at: dt.datetime) -> bytes:
    query = select(Visit).where(Visit.case_id == file.case.id).order_by(Visit.start_at, Visit.round)
    rows = [visit for visit in session.scalars(query) if provider is None or provider in visit.providers]
    if not rows:
        raise NotFound("还没有约定上门踏勘的时间。", code="no_visit")
    names = names_in(file.catalog)
    return calendar_file([_event(file, visit, names) for visit in rows], stamped_at=at)


def _event(file: CaseFile, visit: Visit, names: dict[str, str]) -> CalendarEvent:
    site = file.body["site"]
    contact = site.get("contact") or file.body["applicant"]["contact"]
    location = site.get("location")
    return CalendarEvent(
        uid=f"{visit.id}@yikou",
        sequence=1 if visit.state == "cancelled" else 0,
        start_at=visit.start_at,
        end_at=visit.end_at,
        title=f"联合踏勘：{file.body['project']['name']}",
        place=site["address"],
        note=f"办件 {file.case.case_no}；到场单位：{'、'.join(names.get(p, p) for p in visit.providers)}"
        f"；现场联系人：{contact['name']} {contact.get('mobile') or ''}",
        position=(location["lon"], location["lat"]) if location else None,
        is_cancelled=visit.state == "cancelled",
    )
