"""Conflicts as staff see them: the agency all that are open, a provider's desk those it is part of."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.cases import conflict_words
from portal.cases.plan_sketches import Sketch, legend, sketch
from portal.cases.tables import AnswerConflict, Task
from portal.journey import case_files
from portal.journey.conflict_checks import lines_of
from portal.journey.pages_case_load import names_in
from portal.kernel.database import db
from portal.kernel.policy import Actor, require


@dataclass(frozen=True, slots=True)
class ConflictView:
    """One open conflict. `sides`: (provider, what it proposes or ''); `legend` names the lines of the plan."""

    id: str
    title: str
    text: str
    source: str
    case_no: str
    project: str
    sides: tuple[tuple[str, str], ...]
    choices: tuple[tuple[str, str], ...]
    plan: Sketch | None
    legend: tuple[tuple[str, str], ...]
    opened_at: dt.datetime
    due_at: dt.datetime | None
    is_late: bool


def open_conflicts(actor: Actor, *, at: dt.datetime) -> tuple[ConflictView, ...]:
    """Everything that waits for the lead agency, the earliest limit first. Raises NotAllowed."""
    require(actor, "agency.list")
    session = db.session()
    query = select(AnswerConflict).where(AnswerConflict.state == "open")
    rows = session.scalars(query.order_by(AnswerConflict.due_at, AnswerConflict.opened_at, AnswerConflict.key))
    return tuple(_view(session, row, None, at) for row in rows)


def conflicts_at_desk(actor: Actor, *, task_id: str, at: dt.datetime) -> tuple[ConflictView, ...]:
    """The open conflicts of the task's case that the actor's provider is part of; its own line and the measure only."""
    session = db.session()
    task = session.get_one(Task, task_id)
    require(actor, "desk.task", {"provider": task.provider})
    query = select(AnswerConflict).where(AnswerConflict.case_id == task.case_id, AnswerConflict.state == "open")
    rows = [row for row in session.scalars(query.order_by(AnswerConflict.key)) if task.provider in row.providers]
    return tuple(_view(session, row, task.provider, at) for row in rows)


def _view(session: Session, row: AnswerConflict, reader: str | None, at: dt.datetime) -> ConflictView:
    file = case_files.load_case(session, case_id=row.case_id, lock=False)
    titles: dict[str, str] = {utility.code: utility.title for utility in file.catalog.utilities}
    names, choices = names_in(file.catalog), conflict_words.choices_of(row.kind, row.utilities, titles)
    said = {provider: dict(choices).get(one["resolution"], "") for provider, one in row.agreed.items()}
    drawn = [line for line in lines_of(file) if line.provider in row.providers]
    mark = row.facts.get("at")
    plan = sketch([(line.utility, line.route) for line in drawn], mark=mark) if mark and drawn else None
    return ConflictView(
        id=row.id,
        title=conflict_words.KIND_NAMES.get(row.kind, row.kind),
        text=conflict_words.what_is_wrong(row.kind, row.utilities, row.facts, titles),
        source=row.facts["source"],
        case_no=file.case.case_no,
        project=file.body["project"]["name"],
        sides=tuple((names.get(p, p), said.get(p, "")) for p in row.providers if reader is None or p == reader),
        choices=choices,
        plan=plan,
        legend=legend(plan, titles) if plan else (),
        opened_at=row.opened_at,
        due_at=row.due_at,
        is_late=row.due_at is not None and row.due_at < at,
    )
