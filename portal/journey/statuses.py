"""Status messages in a provider's own dialect: stored first, answered, applied by a job; what is unmapped stays."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping as Values
from typing import Any
from urllib.parse import parse_qsl

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.cases.tables import Task
from portal.exchange.dialects import insert_unless_there
from portal.exchange.mapping import Mapping, Unmapped, read_status, report_of
from portal.exchange.tables import InboxMessage
from portal.exchange.wire.parsing import parse_object
from portal.journey.events import note_event
from portal.journey.inbox import apply_bounded, fingerprint_of
from portal.journey.jobs import queue_job
from portal.journey.mappings import mapping_in_force
from portal.journey.reports import apply_report
from portal.kernel.database import transaction
from portal.kernel.errors import Conflict, DomainError, FieldError, Invalid, NotFound
from portal.kernel.ids import new_id
from portal.kernel.policy import Actor

APPLY_STATUS = "apply_status"  # the job kind
PATH = "/api/v1/statuses"


def mapping_of_sender(session: Session, actor: Actor) -> Mapping:
    """The sender's dialect. Raises Conflict `no_mapping`."""
    mapping = mapping_in_force(session, actor.provider_code or "")
    if mapping is None:
        raise Conflict("贵单位没有启用代码对应，请按供应单位协议调用回报接口。", code="no_mapping")
    return mapping


def receive_status(actor: Actor, *, raw: bytes, wire_at: dt.datetime) -> dict[str, str]:
    """Use case: keep one message and answer as its sender likes it; the same message again changes nothing.

    Whatever it says is kept, mapped or not. Raises Conflict `no_mapping`, Invalid for bytes that are no message.
    """
    message = fields_of(raw)
    with transaction() as session:
        mapping = mapping_of_sender(session, actor)
        name = message.get(mapping.id_field) if mapping.id_field else None
        row = {
            "id": new_id(),
            "sender": actor.provider_code or actor.id,
            "message_id": (name or hashlib.sha256(raw).hexdigest())[:128],
            "path": PATH,
            "fingerprint": fingerprint_of(PATH, raw),
            "received_at": wire_at,
            "status": 200,
            "answer": json.dumps(mapping.reply_ok, ensure_ascii=False).encode(),
            "kind": "status",
            "state": "stored",
            "raw": raw,
        }
        if insert_unless_there(session, InboxMessage, row, unique=("sender", "message_id")):
            key = str(row["id"])
            queue_job(session, kind=APPLY_STATUS, key=key, payload={"inbox_id": key}, wire_at=wire_at)
        return dict(mapping.reply_ok)


def apply_status_job(payload: Values[str, Any], at: dt.datetime, wire_at: dt.datetime) -> object:
    """Job `apply_status`."""
    return apply_status(payload["inbox_id"], at=at, wire_at=wire_at)


def apply_status(inbox_id: str, *, at: dt.datetime, wire_at: dt.datetime) -> str:
    """Use case: apply a stored status message, and those of its task that waited for it; answers its state after."""
    with transaction() as session:
        row = session.get(InboxMessage, inbox_id, with_for_update=True)
        if row is None:
            raise NotFound
        state = apply_stored(session, row, at=at, wire_at=wire_at)
        if state == "applied" and row.task_id is not None:
            waiting = select(InboxMessage).where(
                InboxMessage.task_id == row.task_id, InboxMessage.kind == "status", InboxMessage.state == "refused"
            )
            for other in session.scalars(waiting.order_by(InboxMessage.received_at)).all():
                apply_stored(session, other, at=at, wire_at=wire_at)
        return state


def apply_stored(session: Session, row: InboxMessage, *, at: dt.datetime, wire_at: dt.datetime) -> str:
    """Step: apply one status message unless it is; answers its state after."""
    if row.state == "applied":
        return row.state
    values: dict[str, Any]
    try:
        mapping = mapping_of_sender(session, Actor(provider_code=row.sender))
        values = _apply(session, mapping, row, at, wire_at)
    except Conflict as refused:  # its dialect was taken away meanwhile
        values = {"state": "refused", "reason": refused.message}
    except Unmapped as missing:
        values = {"state": "unmapped", "reason": f"没有对应：{missing.what}", "unmapped": missing.what}
    session.execute(
        update(InboxMessage)
        .where(InboxMessage.id == row.id, InboxMessage.state != "applied")
        .values(**values)
        .execution_options(synchronize_session="fetch")
    )
    return str(values["state"])


def _apply(
    session: Session, mapping: Mapping, row: InboxMessage, at: dt.datetime, wire_at: dt.datetime
) -> dict[str, Any]:
    message = fields_of(row.raw or b"")
    status = read_status(mapping, message)
    task = session.get(Task, status.task_id[:32], populate_existing=True)
    if task is None or task.provider != row.sender:
        return {"state": "refused", "reason": "没有找到该任务。", "unmapped": None}
    report = report_of(mapping, message, stage=task.stage, revision=task.revision, at=at)
    actor = Actor(kind="provider", id=row.sender, name=row.sender, provider_code=row.sender, scopes=_SCOPES)
    found: dict[str, Any] = {"task_id": task.id, "unmapped": None, "reason": None, "state": "applied"}
    if report is None:
        facts = {"provider": task.provider, "code": status.code}
        note_event(session, case_id=task.case_id, kind="status_noted", actor=actor, at=at, task_id=task.id, facts=facts)
        return found
    raw, task_id = json.dumps(report, ensure_ascii=False).encode(), task.id
    code, body = apply_bounded(
        session, lambda inner: apply_report(inner, actor, task_id=task_id, raw=raw, at=at, wire_at=wire_at)
    )
    if code >= 400:
        wrong = "；".join(f"{e['field']}：{e['message']}" for e in body.get("errors", ()))
        return found | {"state": "refused", "reason": (wrong or str(body.get("detail", "")))[:400]}
    return found


_SCOPES = frozenset({"reports"})


def fields_of(raw: bytes) -> dict[str, str]:
    """A message as flat text fields, from JSON or from a form. Raises Invalid."""
    if raw.lstrip()[:1] == b"{":
        return {name: _text(value) for name, value in parse_object(raw).items() if value is not None}
    try:
        pairs = parse_qsl(raw.decode(), strict_parsing=True, max_num_fields=200)
    except (ValueError, DomainError) as wrong:
        raise Invalid([FieldError("", "内容应当是 JSON 对象或表单。", "not_readable")]) from wrong
    return dict(pairs)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
