"""Messages to providers: the exact bytes are written to the outbox in the transaction that causes them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from portal.cases.tables import CaseEvent, Task
from portal.exchange import outbox
from portal.exchange.mapping import Rendered
from portal.journey import mappings
from portal.journey.task_documents import task_document
from portal.kernel.clock import format_instant
from portal.kernel.ids import new_id
from portal.kernel.policy import Actor


def note_event(
    session: Session,
    *,
    case_id: str,
    kind: str,
    actor: Actor,
    at: dt.datetime,
    task_id: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Write one line of the case's timeline."""
    session.add(
        CaseEvent(
            case_id=case_id, task_id=task_id, kind=kind, at=at, actor=actor.name or actor.id, facts=dict(facts or {})
        )
    )


def send_task_event(session: Session, task: Task, type_: str, *, at: dt.datetime, wire_at: dt.datetime) -> None:
    """Tell the task's provider what it should know now; `data` is the task document as of this transaction.

    A permit office has no adapter in this version: its officers work on the agency page.
    """
    if task.track_id is None:
        return
    session.flush()
    _enqueue(
        session,
        provider=task.provider,
        type_=type_,
        data=task_document(session, task.id, at=at),
        at=at,
        wire_at=wire_at,
        task_id=task.id,
        case_id=task.case_id,
    )


def send_case_event(
    session: Session,
    *,
    case_id: str | None,
    providers: Iterable[str],
    type_: str,
    data: Mapping[str, Any],
    at: dt.datetime,
    wire_at: dt.datetime,
) -> None:
    """Tell these providers something that belongs to none of their tasks; `data` must be theirs to see."""
    for provider in providers:
        _enqueue(
            session, provider=provider, type_=type_, data=data, at=at, wire_at=wire_at, task_id=None, case_id=case_id
        )


def _enqueue(
    session: Session,
    *,
    provider: str,
    type_: str,
    data: Mapping[str, Any],
    at: dt.datetime,
    wire_at: dt.datetime,
    task_id: str | None,
    case_id: str | None,
) -> None:
    message_id = new_id()
    event = {"type": type_, "id": message_id, "occurred_at": format_instant(at), "data": data}
    written = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    made = mappings.rendered_for(session, provider, event)
    mapped = made if isinstance(made, Rendered) else None
    outbox.enqueue(
        session,
        destination=f"provider:{provider}",
        kind=type_,
        body=mapped.body if mapped else written,
        path=mapped.path if mapped else "",
        media_type=mapped.media_type if mapped else None,
        event=written if made is not None else None,
        message_id=message_id,
        task_id=task_id,
        case_id=case_id,
        at=at,
        wire_at=wire_at,
    )
    if isinstance(made, str):
        mappings.keep_unmapped(session, message_id, made)
