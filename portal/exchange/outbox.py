"""The outbox: messages are written in the transaction that causes them, as the exact bytes that will be sent."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import String, Table, bindparam, case, exists, insert, or_
from sqlalchemy.orm import Session

from portal.exchange.access import SENT_LEVELS
from portal.exchange.tables import OutboxMessage, ProviderAccess
from portal.kernel.errors import Conflict
from portal.kernel.ids import new_id

WAKE = "wake"  # key in Session.info: the worker is woken once this transaction has been committed
MAX_BODY = 1_048_576
# Made once: building a statement costs more than running it.
_TABLE = OutboxMessage.__table__
assert isinstance(_TABLE, Table)
_HAS_ENDPOINT = exists().where(
    ProviderAccess.provider == bindparam("provider", type_=String()),
    ProviderAccess.level.in_(SENT_LEVELS),
    ProviderAccess.disabled_at.is_(None),
)
_COLUMNS = (
    "message_id",
    "destination",
    "kind",
    "path",
    "body",
    "media_type",
    "event",
    "task_id",
    "case_id",
    "at",
    "enqueued_at",
    "next_at",
)
_INSERT = insert(_TABLE).values(
    state=case((or_(bindparam("provider", type_=String()).is_(None), _HAS_ENDPOINT), "pending"), else_="kept"),
    attempts=0,
    **{name: bindparam(f"b_{name}", type_=_TABLE.c[name].type) for name in _COLUMNS},
)


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
    media_type: str | None = None,
    event: bytes | None = None,
) -> str:
    """Step: put one message into the outbox; answers its message id, which is also its `webhook-id`.

    `destination` is `provider:<code>` or `gateway`, `path` what is appended to the destination's address. Messages
    to a provider without an endpoint are kept for its desk and for the pull API. Raises Conflict when `message_id`
    has a dot (two different messages would sign alike) and ValueError for a body over 1 MiB.
    """
    name = message_id or new_id()
    _check(name, body)
    scheme, _, code = destination.partition(":")
    values = (name, destination, kind, path, body, media_type, event, task_id, case_id, at, wire_at, wire_at)
    row = {f"b_{column}": value for column, value in zip(_COLUMNS, values, strict=True)}
    session.execute(_INSERT, {"provider": code if scheme == "provider" else None, **row})
    session.info[WAKE] = True
    return name


def _check(name: str, body: bytes) -> None:
    if "." in name or not name.isascii():
        raise Conflict("消息编号不能含有点号。", code="bad_message_id")
    if len(body) > MAX_BODY:
        raise ValueError(f"an outgoing body has {len(body)} bytes; the limit is {MAX_BODY}")
