"""The desk's pages: a provider's own tasks by limit, and one task as its document tells it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from portal.cases.tables import Application, Case, Task, Track
from portal.catalog import fees
from portal.catalog.model import Catalog, FeeItem
from portal.catalog.queries import catalog_of
from portal.journey.materials import Content, material_bytes
from portal.journey.pages_case_load import TaskClocks, load_clocks
from portal.journey.pages_staff import ENDED_STATES, PAGE_SIZE, Paged, counts_by, offset_of, turn_name
from portal.journey.task_documents import task_document
from portal.kernel.clock import local_date
from portal.kernel.database import db
from portal.kernel.errors import NotFound
from portal.kernel.policy import Actor, require

# What the reader calls a group of states → the states.
STATE_GROUPS: dict[str, tuple[str, ...]] = {
    "todo": ("issued", "received", "working"),
    "waiting": ("waiting_applicant", "paused"),
    "ended": ENDED_STATES,
}


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One task in the inbox; `due_at` is put off by pauses, `turn` says who acts next."""

    id: str
    case_no: str
    applicant: str
    project: str
    address: str
    stage: str
    state: str
    revision: int
    issued_at: dt.datetime
    due_at: dt.datetime | None
    light: str
    turn: str


@dataclass(frozen=True, slots=True)
class Inbox:
    """`counts`: the provider's tasks by group of states, whatever stage is looked at."""

    tasks: Paged
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class DeskTask:
    """One task: its document, the provider's name, what may be charged today, and the city's words for codes."""

    document: dict[str, Any]
    provider: str
    items: tuple[FeeItem, ...]
    choices: dict[str, tuple[tuple[str, str], ...]]  # group of codes -> (code, text)
    names: dict[str, str]


def inbox(actor: Actor, *, group: str, stage: str, page: int, at: dt.datetime) -> Inbox:
    """The actor's provider's tasks, the earliest limit first. `group`: one of STATE_GROUPS or `all`; `stage` or ''.

    A fixed number of queries. Raises NotAllowed.
    """
    require(actor, "desk.list")
    session, own = db.session(), Task.provider == actor.provider_code
    where: list[ColumnElement[bool]] = [own]
    if group in STATE_GROUPS:
        where.append(Task.state.in_(STATE_GROUPS[group]))
    if stage:
        where.append(Task.stage == stage)
    total = session.scalar(select(func.count()).select_from(Task).where(*where)) or 0
    found = session.execute(
        select(Task, Track, Case, Application)
        .join(Track, Track.id == Task.track_id)
        .join(Case, Case.id == Task.case_id)
        .join(Application, Application.id == Case.application_id)
        .where(*where)
        .order_by(Task.due_at.is_(None), Task.due_at, Task.issued_at, Task.id)
        .offset(offset_of(page))
        .limit(PAGE_SIZE)
    ).all()
    clocks = load_clocks(session, [row[0] for row in found])
    lines = tuple(_line(clocks, *row, at=at) for row in found)
    return Inbox(Paged(lines, max(page, 1), total), _counts(session, own))


def _line(
    clocks: TaskClocks, task: Task, track: Track, case: Case, application: Application, *, at: dt.datetime
) -> TaskLine:
    turn = clocks.turn(task)
    return TaskLine(
        id=task.id,
        case_no=case.case_no,
        applicant=application.body["applicant"]["name"],
        project=application.body["project"]["name"],
        address=application.body["site"]["address"],
        stage=task.stage,
        state=task.state,
        revision=task.revision,
        issued_at=task.issued_at,
        due_at=clocks.due_at(task, at),
        light=clocks.light(task, track, at),
        turn="本单位" if turn.startswith("provider:") else turn_name(turn, {}),
    )


def _counts(session: Session, own: ColumnElement[bool]) -> dict[str, int]:
    by_state = counts_by(session, Task.state, own)
    counts = {name: sum(by_state.get(state, 0) for state in states) for name, states in STATE_GROUPS.items()}
    return counts | {"all": sum(by_state.values())}


def desk_task(actor: Actor, *, task_id: str, at: dt.datetime) -> DeskTask:
    """One task of the actor's provider. Raises NotFound for another's and for an absent one alike."""
    session = db.session()
    found = session.execute(
        select(Task.provider, Case.catalog_version).join(Case, Case.id == Task.case_id).where(Task.id == task_id)
    ).one_or_none()
    if found is None:
        require(actor, "desk.list")
        raise NotFound
    require(actor, "desk.task", {"provider": found.provider})
    catalog = catalog_of(session, found.catalog_version)
    provider = catalog.provider(found.provider)
    names = {division.code: division.name for division in catalog.divisions}
    names |= {street.code: street.name for division in catalog.divisions for street in division.streets}
    names |= {utility.code: utility.name for utility in catalog.utilities}
    names |= {word.code: word.text for word in catalog.codes.all()} | dict(catalog.material_names)
    return DeskTask(
        document=task_document(session, task_id, at=at),
        provider=provider.name,
        items=fees.published_items(catalog, found.provider, local_date(at)),
        choices=_choices(catalog),
        names=names,
    )


def _choices(catalog: Catalog) -> dict[str, tuple[tuple[str, str], ...]]:
    codes = catalog.codes
    groups = {
        "reason": codes.reasons,
        "pause": codes.pauses,
        "question": codes.questions,
        "condition": codes.conditions,
        "acceptance": codes.inspections,
    }
    found = {name: tuple((word.code, word.text) for word in words) for name, words in groups.items()}
    return found | {"material": tuple(catalog.material_names.items())}


def task_paper(actor: Actor, *, task_id: str, material_id: str, at: dt.datetime) -> Content:
    """A paper that the task's document names. Raises NotFound for every other."""
    document = desk_task(actor, task_id=task_id, at=at).document
    listed = [row["url"] for row in (*document["materials"], *document["drawings"])]
    listed += [row["material"] for row in document["questions"] if row["material"]]
    if material_id not in {url.rpartition("/")[2] for url in listed}:
        raise NotFound
    return material_bytes(actor, material_id, provider=document["provider"])
