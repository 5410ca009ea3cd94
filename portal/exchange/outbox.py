"""The outbox: messages are written in the transaction that causes them, as the exact bytes that will be sent."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import insert
from sqlalchemy.orm import Session

from portal.exchange.tables import OutboxMessage, ProviderAccess
from portal.kernel.errors import Conflict
from portal.kernel.ids import new_id

WAKE = "wake"  # key in Session.info: the worker is woken once this transaction has been committed
MAX_BODY = 1_048_576
_PUSHED_LEVELS = ("push", "two_way")


def enqueue(  # noqa: PLR0913 - one argument a column; all but the first are named
    session: Session,
    *,
    destination: str,
    kind: str,
    body: bytes,
    at: dt.datetime,
    wire_at: dt.datetime,
    path: str = "",
    task_id: str | None = None,
    case_id: str | None = None,
    message_id: str | None = None,
) -> str:
    """Step: put one message into the outbox; answers its message id, which is also its `webhook-id`.

    `destination` is `provider:<code>` or `gateway`, `path` what is appended to the destination's address. Messages
    to a provider without an endpoint are kept for its desk and for the pull API. Raises Conflict when `message_id`
    has a dot (two different messages would sign alike) and ValueError for a body over 1 MiB.
    """
    name = message_id or new_id()
    if "." in name or not name.isascii():
        raise Conflict("消息编号不能含有点号。", code="bad_message_id")
    if len(body) > MAX_BODY:
        raise ValueError(f"an outgoing body has {len(body)} bytes; the limit is {MAX_BODY}")
    state = "pending" if _has_endpoint(session, destination) else "kept"
    session.execute(
        insert(OutboxMessage).values(
            message_id=name,
            destination=destination,
            kind=kind,
            path=path,
            body=body,
            task_id=task_id,
            case_id=case_id,
            state=state,
            attempts=0,
            next_at=wire_at,
            at=at,
            enqueued_at=wire_at,
        )
    )
    session.info[WAKE] = True
    return name


def _has_endpoint(session: Session, destination: str) -> bool:
    scheme, _, code = destination.partition(":")
    if scheme != "provider":
        return True
    access = session.get(ProviderAccess, code)
    return access is not None and access.level in _PUSHED_LEVELS and access.disabled_at is None
