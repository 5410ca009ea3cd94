"""班组: a provider's crews with standing weekly hours, from which the portal offers time for a survey by itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.cases import scheduling
from portal.cases.tables import Crew, Task, TaskReport
from portal.catalog.queries import calendar_of
from portal.journey.events import note_event
from portal.kernel import audit
from portal.kernel.clock import SHANGHAI, format_instant, local_date
from portal.kernel.database import db, transaction
from portal.kernel.errors import Conflict, FieldError, Invalid, NotFound
from portal.kernel.guard import change
from portal.kernel.ids import new_id
from portal.kernel.policy import SYSTEM, Actor, require

STANDING_WORKING_DAYS = 10
WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")


@dataclass(frozen=True, slots=True)
class CrewEntry:
    """A crew as it is written down. `hours`: weekday (0 Monday) → (start, end) as HH:MM, both empty for none."""

    name: str
    people: tuple[str, ...]
    skills: tuple[str, ...]
    hours: Mapping[int, tuple[str, str]]
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class CrewView(CrewEntry):
    """A crew as its provider's desk sees it."""

    id: str = ""
    version: int = 1


def own_crews(actor: Actor) -> tuple[CrewView, ...]:
    """The crews of the actor's provider by name."""
    require(actor, "desk.crews")
    rows = db.session.scalars(select(Crew).where(Crew.provider == actor.provider_code).order_by(Crew.name))
    return tuple(_view(row) for row in rows)


def _view(row: Crew) -> CrewView:
    hours = {day["weekday"]: (day["start"], day["end"]) for day in row.week}
    return CrewView(
        row.name, tuple(row.people), tuple(row.skills), hours, row.is_active, id=row.id, version=row.version
    )


def save_crew(actor: Actor, *, crew_id: str | None, entry: CrewEntry, version: int, at: dt.datetime) -> None:
    """Add or change a crew. Raises Invalid naming `name` or `day-<n>`, NotFound for another provider's crew."""
    require(actor, "desk.crews")
    provider = actor.provider_code or ""
    with transaction() as session:
        values: dict[str, Any] = {
            "name": entry.name.strip(),
            "people": [person.strip() for person in entry.people if person.strip()],
            "skills": [skill.strip() for skill in entry.skills if skill.strip()],
            "week": _week(entry.hours),
            "is_active": entry.is_active,
        }
        _check_name(session, provider, crew_id, values["name"])
        if crew_id is None:
            session.add(Crew(id=new_id(), provider=provider, version=1, **values))
        else:
            row = session.get(Crew, crew_id)
            if row is None or row.provider != provider:
                raise NotFound
            change(session, Crew, crew_id, {"version": version}, {**values, "version": version + 1})
        detail = {"name": values["name"], "week": values["week"], "is_active": entry.is_active}
        audit.record(session, actor=actor, action="crew.saved", subject=provider, detail=detail, at=at)


def _check_name(session: Session, provider: str, crew_id: str | None, name: str) -> None:
    if not name or len(name) > 50:
        raise Invalid([FieldError("name", "请填写班组名称，不超过50个字。", "missing")])
    same = session.scalars(select(Crew.id).where(Crew.provider == provider, Crew.name == name)).first()
    if same is not None and same != crew_id:
        raise Conflict("已经有同名的班组，请换一个名称。", code="crew_exists")


def _week(hours: Mapping[int, tuple[str, str]]) -> list[dict[str, Any]]:
    week, errors = [], []
    for weekday, (start, end) in sorted(hours.items()):
        if not start and not end:
            continue
        try:
            is_forward = dt.time.fromisoformat(start) < dt.time.fromisoformat(end)
        except ValueError:
            is_forward = False
        if is_forward:
            week.append({"weekday": weekday, "start": start, "end": end})
        else:
            message = f"{WEEKDAYS[weekday]}的开始和结束时间要都填写，并且开始早于结束。"
            errors.append(FieldError(f"day-{weekday}", message, "range"))
    if errors:
        raise Invalid(errors)
    return week


def answer_from_standing(session: Session, task: Task, *, skills: frozenset[str], at: dt.datetime) -> None:
    """Step: a provider whose crews keep standing hours has offered its time as soon as it is asked."""
    able = [crew for crew in standing_crews(session, task.provider, at=at) if skills <= crew.skills]
    slots = scheduling.joined(slot for crew in able for slot in crew.slots)
    if not slots:
        return
    spans = [{"start_at": format_instant(slot.start_at), "end_at": format_instant(slot.end_at)} for slot in slots]
    people = [crew.code for crew in able]
    body = {"kind": "availability", "slots": spans, "people": people, "standing": True}
    task.result = {**task.result, "availability": body}
    session.add(
        TaskReport(
            id=new_id(),
            task_id=task.id,
            kind="availability",
            revision=task.revision,
            operator="常设时间",
            body=body,
            occurred_at=at,
            applied_at=at,
        )
    )
    session.flush()
    facts = {"provider": task.provider, "stage": task.stage, "operator": "常设时间"}
    note_event(
        session, case_id=task.case_id, kind="report_availability", actor=SYSTEM, at=at, task_id=task.id, facts=facts
    )


def standing_crews(session: Session, provider: str, *, at: dt.datetime) -> list[scheduling.Crew]:
    """The active crews with their standing hours as slots from the next day on; bookings are not looked at here."""
    calendar = calendar_of(session)
    today = local_date(at)
    days = sorted({calendar.add_working_days(today, n) for n in range(1, STANDING_WORKING_DAYS + 1)})
    not_before = dt.datetime.combine(today + dt.timedelta(days=1), dt.time(), SHANGHAI)
    rows = session.scalars(select(Crew).where(Crew.provider == provider, Crew.is_active).order_by(Crew.name))
    return [
        scheduling.Crew(
            code=row.name,
            slots=scheduling.standing_slots(_hours(row), days, SHANGHAI, not_before=not_before),
            skills=frozenset(row.skills),
        )
        for row in rows
    ]


def _hours(row: Crew) -> list[scheduling.WeeklyHours]:
    time = dt.time.fromisoformat
    return [scheduling.WeeklyHours(day["weekday"], time(day["start"]), time(day["end"])) for day in row.week]
