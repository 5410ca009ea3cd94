"""The idempotent frame around everything that arrives: one id is applied once and answered the same way again."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from portal.exchange.dialects import insert_unless_there
from portal.exchange.tables import InboxMessage
from portal.kernel import failpoints
from portal.kernel.errors import Conflict, DomainError, FieldError, Invalid, Unavailable
from portal.kernel.ids import new_id
from portal.kernel.problems import problem_of

# Refusals that say "try again": they are no answer to keep, so nothing of the call is stored.
_TRANSIENT = frozenset({"changed_meanwhile", "in_flight"})
_IN_FLIGHT = 0  # the status of a row whose answer is being made in this very transaction


def answer_once(
    session: Session,
    *,
    sender: str,
    message_id: str,
    path: str,
    raw: bytes,
    wire_at: dt.datetime,
    apply: Callable[[Session], dict[str, Any]],
    task_id: str | None = None,
) -> tuple[int, dict[str, Any]]:
    """Step: run `apply` for (sender, message_id) once and answer (HTTP status, body); a replay gets the first answer.

    A `DomainError` from `apply` undoes what it did and its problem document becomes the answer that is kept. The
    same id with another body or path raises Invalid `idempotency_mismatch`; while the first call is still being
    answered by another process, Conflict `in_flight`.
    """
    fingerprint = fingerprint_of(path, raw)
    _take_turn(session, sender, message_id)
    row = {
        "id": new_id(),
        "sender": sender,
        "message_id": message_id,
        "path": path[:300],
        "fingerprint": fingerprint,
        "received_at": wire_at,
        "status": _IN_FLIGHT,
        "answer": b"",
        "kind": "report",
        "state": "stored",
    }
    if not insert_unless_there(session, InboxMessage, row, unique=("sender", "message_id")):
        return _first_answer(session, sender, message_id, fingerprint)
    failpoints.hit("inbox.before-apply")
    status, body = apply_bounded(session, apply)
    failpoints.hit("inbox.after-apply")
    keep_answer(session, row["id"], status, body, raw=raw, task_id=task_id)
    return status, body


def keep_answer(
    session: Session, row_id: object, status: int, body: Mapping[str, Any], *, raw: bytes, task_id: str | None
) -> str:
    """Step: store what was answered; answers the row's state. The bytes of a refused call are kept for a person."""
    is_applied = status < 400
    state = "applied" if is_applied else "refused"
    session.execute(
        update(InboxMessage)
        .where(InboxMessage.id == row_id)
        .values(
            status=status,
            answer=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
            state=state,
            task_id=task_id,
            reason=None if is_applied else str(body.get("detail") or body.get("title") or body.get("code") or "")[:400],
            raw=None if is_applied else raw,
        ),
        execution_options={"synchronize_session": False},
    )
    return state


def fingerprint_of(path: str, raw: bytes) -> str:
    """SHA-256 over the request path and the raw body: what must be the same in a replay."""
    return hashlib.sha256(path.encode() + b"\n" + raw).hexdigest()


def apply_bounded(session: Session, apply: Callable[[Session], dict[str, Any]]) -> tuple[int, dict[str, Any]]:
    """Step: run `apply`; a refusal undoes what it did and is the answer. What may pass by itself is raised."""
    try:
        with session.begin_nested():
            return 200, apply(session)
    except Unavailable:
        raise
    except DomainError as refused:
        if refused.code in _TRANSIENT:
            raise
        return refused.status, problem_of(refused)


def _first_answer(session: Session, sender: str, message_id: str, fingerprint: str) -> tuple[int, dict[str, Any]]:
    query = select(InboxMessage.fingerprint, InboxMessage.status, InboxMessage.answer)
    first = session.execute(query.where(InboxMessage.sender == sender, InboxMessage.message_id == message_id)).one()
    if first.fingerprint != fingerprint:
        wrong = FieldError("webhook-id", "同一编号只能用于同一内容；内容有变时请换新编号。", "idempotency_mismatch")
        raise Invalid([wrong], message="该消息编号已用于另一份内容。", code="idempotency_mismatch")
    answer: Mapping[str, Any] = json.loads(first.answer)
    return first.status, dict(answer)


def _take_turn(session: Session, sender: str, message_id: str) -> None:
    """On SQLite the transaction itself is the turn; on PostgreSQL a lock that ends with it."""
    if session.get_bind().dialect.name != "postgresql":
        return
    digest = hashlib.sha256(f"{sender}\n{message_id}".encode()).digest()
    number = int.from_bytes(digest[:8], "big", signed=True)
    if not session.scalar(select(func.pg_try_advisory_xact_lock(number))):
        raise Conflict("同一编号的请求正在处理中，请稍后再试。", code="in_flight")
