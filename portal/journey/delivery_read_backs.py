"""Read-backs that brought no answer are tried again on the usual schedule: "accepted" alone is never taken for "there".

The message stays delivered meanwhile, so nothing sends it again and nothing waits behind it; only its place in
`ix_outbox_unread` says that it is still to be looked at.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from portal.exchange.access import ProviderAccess
from portal.exchange.port import Delivered, Message
from portal.exchange.schedule import MAX_ATTEMPTS, retry_delay_s
from portal.exchange.tables import OutboxMessage

AT_ONCE = 4  # in one claim: a provider that does not answer is read slowly
_WAITS = and_(OutboxMessage.read_back == "unread", OutboxMessage.attempts < MAX_ATTEMPTS)
_TWO_WAY = select(func.concat("provider:", ProviderAccess.provider)).where(
    ProviderAccess.level == "two_way", ProviderAccess.disabled_at.is_(None)
)
_DUE = (
    select(OutboxMessage)
    .where(
        _WAITS,
        OutboxMessage.next_at <= bindparam("now"),
        or_(OutboxMessage.lease_until.is_(None), OutboxMessage.lease_until <= bindparam("now")),
        OutboxMessage.destination.in_(_TWO_WAY),
    )
    .order_by(OutboxMessage.next_at, OutboxMessage.seq)
    .limit(AT_ONCE)
    .with_for_update(skip_locked=True)
)


def claim_unread(session: Session, *, owner: str, until: dt.datetime, wire_at: dt.datetime) -> Sequence[Any]:
    """Step: lease a few accepted messages whose read-back is due; oldest first."""
    rows = session.scalars(_DUE, {"now": wire_at}).all()
    for row in rows:
        row.attempts, row.lease_owner, row.lease_until = row.attempts + 1, owner, until
    session.flush()
    return rows


def record_unread(
    session: Session, arrived: Sequence[tuple[Message, Delivered]], wire_at: dt.datetime, scale: float
) -> None:
    """Step: write down what read-backs brought, and when those without an answer are tried again."""
    for message, outcome in arrived:
        if not message.reads_only and outcome.read_back != "unread":
            continue
        delay_s = retry_delay_s(message.attempt, jitter=0, scale=scale) or 0.0
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.message_id == message.id, OutboxMessage.read_back == "unread")
            .values(
                read_back=outcome.read_back or "unread",
                next_at=wire_at + dt.timedelta(seconds=delay_s),
                lease_owner=None,
                lease_until=None,
            )
            .execution_options(synchronize_session=False)
        )


def next_unread(wire_at: dt.datetime) -> Select[dt.datetime]:
    """When the next read-back is due that is not yet."""
    return select(func.min(OutboxMessage.next_at)).where(_WAITS, OutboxMessage.next_at > wire_at)


def is_given_up() -> ColumnElement[bool]:
    """The schedule has ended and nobody has read it back: a person sees to it."""
    return and_(OutboxMessage.read_back == "unread", OutboxMessage.attempts >= MAX_ATTEMPTS)
