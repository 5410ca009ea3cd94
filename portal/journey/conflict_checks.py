"""冲突检查: before a reply goes out, what the providers answered is held against each other and the city's tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.cases import conflict_words, conflicts, deadlines
from portal.cases.tables import AnswerConflict, Task
from portal.catalog.model import Catalog
from portal.catalog.queries import calendar_of
from portal.journey.case_files import CaseFile
from portal.journey.events import note_event
from portal.kernel.ids import new_id
from portal.kernel.policy import SYSTEM

SETTLING_DAYS = 1  # the lead agency's limit for a decision, working days (blueprint §4, agencies)


def has_conflicts(session: Session, file: CaseFile, *, at: dt.datetime) -> bool:
    """Step: look for conflicts in what is known now; True while any of them waits to be settled.

    What is new is opened, once for a case and kind; what other answers have removed is closed by itself.
    """
    found = {conflict.key: conflict for conflict in conflicts.find_conflicts(answers_of(file), rules_of(file.catalog))}
    rows = {row.key: row for row in conflicts_of(session, file.case.id)}
    for key, row in rows.items():
        if row.state == "open" and key not in found:
            row.state = "gone"
        elif row.state == "gone" and key in found:
            row.state = "open"
    for key, conflict in found.items():
        if key not in rows:
            _open(session, file, conflict, at)
    session.flush()
    return any(row.state == "open" for row in conflicts_of(session, file.case.id))


def conflicts_of(session: Session, case_id: str) -> list[AnswerConflict]:
    """All conflicts of a case, in the order they were found."""
    query = select(AnswerConflict).where(AnswerConflict.case_id == case_id)
    return list(session.scalars(query.order_by(AnswerConflict.opened_at, AnswerConflict.key)))


def _open(session: Session, file: CaseFile, conflict: conflicts.Conflict, at: dt.datetime) -> None:
    facts = {
        "measured_m": conflict.measured_m,
        "required_m": conflict.required_m,
        "at": list(conflict.at) if conflict.at else None,
        "source": conflict.source,
        "about": conflict.about,
    }
    session.add(
        AnswerConflict(
            id=new_id(),
            case_id=file.case.id,
            key=conflict.key,
            kind=conflict.kind,
            utilities=list(conflict.utilities),
            providers=list(conflict.providers),
            facts=facts,
            state="open",
            opened_at=at,
            due_at=deadlines.due_at(calendar_of(session), at, SETTLING_DAYS),
            agreed={},
        )
    )
    told = {"conflict": conflict.kind, "utilities": list(conflict.utilities), "providers": list(conflict.providers)}
    note_event(session, case_id=file.case.id, kind="conflict_found", actor=SYSTEM, at=at, facts=told)


def answers_of(file: CaseFile) -> conflicts.Answers:
    """What the live providers found, replied and planned, as the finder reads it."""
    live = {track.provider for track in file.live_tracks()}
    tasks = [task for task in file.tasks.values() if task.provider in live]
    found = [(task, task.result["findings"]) for task in tasks if "findings" in task.result]
    replies = [(task, task.result["reply"]) for task in tasks if "reply" in task.result]
    works = [(task, task.result["works"]) for task in tasks if (task.result.get("works") or {}).get("window")]
    return conflicts.Answers(
        lines=tuple(_line(task, report) for task, report in found if report.get("trench")),
        spots=tuple(_spot(file, task, report) for task, report in found),
        conditions=tuple(
            conflicts.StatedCondition(task.provider, task.utility or "", condition["code"])
            for task, report in replies
            for condition in report.get("conditions", ())
        ),
        windows=tuple(_window(task, report["window"]) for task, report in works),
    )


def lines_of(file: CaseFile) -> tuple[conflicts.TrenchLine, ...]:
    """The trenches of the live providers."""
    return answers_of(file).lines


def _line(task: Task, report: Mapping[str, Any]) -> conflicts.TrenchLine:
    trench = report["trench"]
    return conflicts.TrenchLine(
        provider=task.provider,
        utility=task.utility or "",
        route=tuple((lon, lat) for lon, lat in trench["route"]["coordinates"]),
        depth_m=float(trench["depth_m"]),
        diameter_m=float(report.get("pipe_dn_mm") or 0) / 1000,
    )


def _spot(file: CaseFile, task: Task, report: Mapping[str, Any]) -> conflicts.Spot:
    """The access point. One that only repeats the site's own place or address says nothing of where it is."""
    place, site = report["access_point"], file.body["site"]
    location, middle = place.get("location"), site.get("location")
    is_own = location is not None and location != middle
    return conflicts.Spot(
        provider=task.provider,
        utility=task.utility or "",
        what="接入点",
        location=(location["lon"], location["lat"]) if is_own else None,
        description=place["description"] if place["description"] != site["address"] else "",
    )


def _window(task: Task, window: Mapping[str, str]) -> conflicts.WorkWindow:
    start_on, end_on = dt.date.fromisoformat(window["start_on"]), dt.date.fromisoformat(window["end_on"])
    return conflicts.WorkWindow(task.provider, task.utility or "", start_on, end_on)


def rules_of(catalog: Catalog) -> conflicts.Rules:
    """The city's tables of the catalog version the case was accepted under."""
    return conflicts.Rules(
        spacings=catalog.spacings,
        covers=catalog.covers,
        exclusions=catalog.exclusions,
        orders=catalog.condition_orders,
        contradictions=catalog.contradictions,
        accuracy_m=catalog.ground_rules.survey_accuracy_m,
        same_place_m=catalog.ground_rules.same_place_m,
    )


def settled_conditions(session: Session, file: CaseFile) -> dict[str, list[dict[str, str]]]:
    """Provider → the conditions that follow from settled conflicts, as a reply carries conditions."""
    names: dict[str, str] = {utility.code: utility.title for utility in file.catalog.utilities}
    found: dict[str, list[dict[str, str]]] = {}
    for row in conflicts_of(session, file.case.id):
        if row.state != "settled":
            continue
        facts = (row.kind, row.utilities, row.facts, row.resolution or "", row.note or "", names)
        condition = {"code": "conflict_settled", "text": conflict_words.decision_text(*facts), "before_stage": "works"}
        for provider in row.providers:
            found.setdefault(provider, []).append(condition)
    return found
