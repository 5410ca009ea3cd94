"""What a provider's own system reads: its tasks as they change, one task, and the papers it may see. Nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from portal.cases.tables import Case, Drawing, MaterialFile, Question, Task
from portal.exchange import access, scoping
from portal.exchange.tables import OutboxMessage
from portal.journey.change_feed import number_changes
from portal.journey.task_documents import questions_of, task_document
from portal.kernel.crypto import current_vault
from portal.kernel.database import db
from portal.kernel.errors import NotFound
from portal.kernel.policy import Actor, require

PAGE = 50


@dataclass(frozen=True, slots=True)
class TaskPage:
    """Task documents in the order of their latest change, the cursor behind the last one, and how far was looked."""

    items: tuple[dict[str, Any], ...]
    next: int
    seen: int


@dataclass(frozen=True, slots=True)
class Paper:
    """The bytes of one paper."""

    name: str
    media_type: str
    sha256: str
    content: bytes


def changed_tasks(
    actor: Actor, *, after: int, states: Sequence[str] = (), stages: Sequence[str] = (), at: dt.datetime
) -> TaskPage:
    """The provider's tasks about which something was said after cursor `after`, oldest change first, up to 50.

    Nothing is taken: the same cursor brings the same tasks again, as they are by then.
    """
    require(actor, "api.tasks")
    number_changes(actor.provider_code or "")
    session = db.session()
    mine = OutboxMessage.destination == f"provider:{actor.provider_code}"
    seen = session.scalar(select(func.max(OutboxMessage.change_no)).where(mine)) or 0
    latest = func.max(OutboxMessage.change_no).label("latest")
    query = (
        select(Task.id, latest)
        .join(Task, Task.id == OutboxMessage.task_id)
        .where(mine, Task.provider == actor.provider_code)
        .group_by(Task.id)
        .having(latest > after)
        .order_by(latest)
        .limit(PAGE)
    )
    if states:
        query = query.where(Task.state.in_(states))
    if stages:
        query = query.where(Task.stage.in_(stages))
    rows = session.execute(query).all()
    items = tuple(task_document(session, task_id, at=at) for task_id, _ in rows)
    return TaskPage(items=items, next=rows[-1].latest if rows else after, seen=seen)


def own_task(actor: Actor, task_id: str, *, at: dt.datetime) -> dict[str, Any]:
    """One task document. Raises NotFound for another's and for an absent task alike."""
    require(actor, "api.tasks")
    session = db.session()
    owner = session.scalars(select(Task.provider).where(Task.id == task_id)).one_or_none()
    if owner is None or owner != actor.provider_code:
        raise NotFound
    return task_document(session, task_id, at=at)


def own_paper(actor: Actor, material_id: str) -> Paper:
    """A paper named in one of the provider's task documents. Raises NotFound for every other."""
    require(actor, "api.material_read")
    session = db.session()
    row = session.get(MaterialFile, material_id)
    if row is None or actor.provider_code is None or not _may_read(session, actor.provider_code, row):
        raise NotFound
    return Paper(name=row.name, media_type=row.media_type, sha256=row.sha256, content=row.content)


def signing_secrets(actor: Actor) -> tuple[str, ...]:
    """The secrets this provider signs with, newest first; none for anybody else."""
    if actor.provider_code is None:
        return ()
    return access.signing_secrets_of(db.session(), current_vault(), actor.provider_code)


def _may_read(session: Session, provider: str, paper: MaterialFile) -> bool:
    """By the application's kind allowlist, as an answer to its own question, or as a drawing handed in to it."""
    utilities = session.scalars(
        select(Task.utility)
        .join(Case, Case.id == Task.case_id)
        .where(Task.provider == provider, Task.track_id.is_not(None), Case.application_id == paper.application_id)
        .distinct()
    )
    if any(paper.kind in scoping.material_kinds(utility or "") for utility in utilities):
        return True
    drawn = exists().where(Drawing.material_id == paper.id, Drawing.provider == provider)
    return bool(session.scalar(select(drawn))) or _answers_own_question(session, provider, paper)


def _answers_own_question(session: Session, provider: str, paper: MaterialFile) -> bool:
    """Also where another provider had asked the same before: the answer belongs to everybody who asked."""
    tasks = session.scalars(
        select(Task)
        .join(Question, Question.case_id == Task.case_id)
        .where(Question.material_id == paper.id, Task.provider == provider)
    )
    return any(row.material_id == paper.id for task in tasks for row in questions_of(session, task))
