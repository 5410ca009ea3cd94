"""Visits at the desk: the times a survey task is planned for, and one day of the provider's visits in a good order."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select

from portal.cases.day_routes import DayRoute, Stop, order_day
from portal.cases.tables import Application, Case, Task, Visit
from portal.journey import case_files, visits
from portal.kernel.clock import SHANGHAI, format_instant, local_date, parse_instant
from portal.kernel.database import db
from portal.kernel.policy import Actor, require


@dataclass(frozen=True, slots=True)
class PlannedTime:
    """A time this provider is to be on site. `is_fixed`: the applicant has taken it."""

    start_at: dt.datetime
    end_at: dt.datetime
    is_fixed: bool
    key: str


def planned_times(actor: Actor, *, task_id: str) -> tuple[PlannedTime, ...]:
    """The fixed visit of a survey task, or what the applicant is offered; nothing of who else comes."""
    session = db.session()
    task = session.get_one(Task, task_id)
    require(actor, "desk.task", {"provider": task.provider})
    if task.ended_at:
        return ()
    fixed = [
        v for v in case_files.visits_of(session, task.case_id) if v.state == "fixed" and task.provider in v.providers
    ]
    if fixed:
        return tuple(PlannedTime(v.start_at, v.end_at, True, format_instant(v.start_at)) for v in fixed)
    round_ = visits.latest_round(session, task.case_id)
    if round_ is None or round_.state != "offered":
        return ()
    return tuple(
        PlannedTime(parse_instant(v["start_at"]), parse_instant(v["end_at"]), False, v["start_at"])
        for proposal in visits.proposals_of(session, round_)
        for v in proposal.visits
        if task.provider in v["providers"]
    )


@dataclass(frozen=True, slots=True)
class DayStop:
    """One site of the day, in the order of going there."""

    begin_at: dt.datetime
    task_id: str
    case_no: str
    project: str
    address: str
    crew: str
    is_late: bool


@dataclass(frozen=True, slots=True)
class DayPlan:
    """One crew's day. `travel`: the ways between the sites in all."""

    crew: str
    stops: tuple[DayStop, ...]
    travel: dt.timedelta


def day_plans(actor: Actor, *, on: dt.date) -> tuple[DayPlan, ...]:
    """The provider's visits of a day, one plan a crew, each in the order with the shortest way. Raises NotAllowed."""
    require(actor, "desk.crews")
    provider = actor.provider_code or ""
    found = db.session.execute(
        select(Visit, Task, Case, Application)
        .join(Case, Case.id == Visit.case_id)
        .join(Application, Application.id == Case.application_id)
        .join(Task, (Task.case_id == Visit.case_id) & (Task.stage == "survey") & (Task.provider == provider))
        .where(Visit.state == "fixed")
        .order_by(Visit.start_at)
    ).all()
    by_crew: dict[str, list[tuple[Visit, Task, Case, Application]]] = {}
    for visit, task, case, application in found:
        if provider in visit.providers and local_date(visit.start_at) == on:
            by_crew.setdefault(visit.crews.get(provider, ""), []).append((visit, task, case, application))
    return tuple(_day_plan(crew, rows, on) for crew, rows in sorted(by_crew.items()))


def _day_plan(crew: str, rows: list[tuple[Visit, Task, Case, Application]], on: dt.date) -> DayPlan:
    stops = [_stop(*row) for row in rows]
    leaves_at = dt.datetime.combine(on, dt.time(8), SHANGHAI)
    route: DayRoute = order_day(stops, base=None, leaves_at=leaves_at)
    by_id = {task.id: (visit, task, case, application) for visit, task, case, application in rows}
    lines = []
    for code, begin_at in zip(route.order, route.begins, strict=True):
        _, task, case, application = by_id[code]
        project, address = application.body["project"]["name"], application.body["site"]["address"]
        lines.append(DayStop(begin_at, task.id, case.case_no, project, address, crew, code in route.late))
    return DayPlan(crew, tuple(lines), route.travel)


def _stop(visit: Visit, task: Task, _case: Case, application: Application) -> Stop:
    location = application.body["site"].get("location")
    place = (location["lon"], location["lat"]) if location else None
    return Stop(task.id, place, visit.start_at, visit.start_at, visit.end_at - visit.start_at)
