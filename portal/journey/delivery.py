"""Messages leave: lease what is due, and write down what became of it. The sending itself happens in between, outside.

A message is claimed when it is due, its destination's breaker has room, and no earlier message about the same task is
still on its way there. Whoever is killed in between loses nothing: its leases come back at its next start, or when
they expire, and the same bytes go out again under the same id.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Table, bindparam, case, exists, func, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session, aliased

from portal.exchange import access
from portal.exchange.port import Message
from portal.exchange.tables import DestinationHealth, OutboxMessage
from portal.journey import delivery_read_backs
from portal.journey.delivery_rooms import rooms, take
from portal.kernel import failpoints
from portal.kernel.crypto import current_vault
from portal.kernel.database import db, transaction

LEASE = dt.timedelta(seconds=60)
PER_DESTINATION = 16  # at most so many at once to one destination: a slow one cannot take all threads
_WAITING = ("pending", "leased")
_LOOK_AHEAD = 4


@dataclass(frozen=True, slots=True)
class Answered:
    """A delivered message and what the other side answered, for whoever asked."""

    message_id: str
    kind: str
    path: str
    request: bytes
    status: int
    response: bytes
    case_id: str | None


# Statements are made once: building one costs more than running it.
_EARLIER = aliased(OutboxMessage)
_IS_BEHIND = exists().where(
    _EARLIER.task_id == OutboxMessage.task_id,
    _EARLIER.destination == OutboxMessage.destination,
    _EARLIER.state.in_(_WAITING),
    _EARLIER.seq < OutboxMessage.seq,
)
_DUE = (
    select(OutboxMessage.seq, OutboxMessage.destination)
    .where(
        OutboxMessage.state == "pending",
        OutboxMessage.next_at <= bindparam("now"),
        OutboxMessage.destination.not_in(bindparam("full", expanding=True)),
        ~_IS_BEHIND,
    )
    .order_by(OutboxMessage.next_at, OutboxMessage.seq)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True, of=OutboxMessage)
)
_TABLE = OutboxMessage.__table__
assert isinstance(_TABLE, Table)
_CLAIM = (
    update(_TABLE)
    .where(_TABLE.c.seq.in_(bindparam("chosen", expanding=True)), _TABLE.c.state == "pending")
    .values(
        state="leased",
        attempts=_TABLE.c.attempts + 1,
        lease_owner=bindparam("owner"),
        lease_until=bindparam("until"),
    )
    .returning(
        *(_TABLE.c[name] for name in ("seq", "message_id", "destination", "kind", "path", "body", "task_id")),
        _TABLE.c.case_id,
        _TABLE.c.media_type,
        _TABLE.c.attempts,
        _TABLE.c.enqueued_at,
        _TABLE.c.in_doubt,
    )
)
_RENEW = (
    update(_TABLE)
    .where(
        _TABLE.c.message_id.in_(bindparam("held", expanding=True)),
        _TABLE.c.state == "leased",
        _TABLE.c.lease_owner == bindparam("owner"),
    )
    .values(lease_until=bindparam("until"))
)
# Message kind → the use case that applies its answer (message, business time, wire time); filled in by app.py.
ANSWERED: dict[str, Callable[[Answered, dt.datetime, dt.datetime], None]] = {}
APPLY_ANSWER = "apply_answer"  # the job kind that runs it


def claim_deliveries(
    *,
    limit: int,
    owner: str,
    wire_at: dt.datetime,
    per_destination: int = PER_DESTINATION,
    lease: dt.timedelta = LEASE,
) -> list[Message]:
    """Use case: lease up to `limit` due messages to `owner`, oldest first."""
    with transaction() as session:
        messages = claim_messages(
            session, limit=limit, owner=owner, wire_at=wire_at, per_destination=per_destination, lease=lease
        )
    if messages:
        failpoints.hit("outbox.after-claim-commit")
    return messages


def claim_messages(
    session: Session,
    *,
    limit: int,
    owner: str,
    wire_at: dt.datetime,
    per_destination: int = PER_DESTINATION,
    lease: dt.timedelta = LEASE,
) -> list[Message]:
    """Step: lease up to `limit` due messages to `owner`, oldest first."""
    room = rooms(session, wire_at, usual=per_destination)
    unread = delivery_read_backs.claim_unread(session, owner=owner, until=wire_at + lease, wire_at=wire_at)
    chosen = _choose(session, room, wire_at, limit=limit - len(unread), usual=per_destination)
    if not chosen and not unread:
        return []
    rows = session.execute(_CLAIM, {"chosen": chosen, "owner": owner, "until": wire_at + lease}).all()
    messages = _address(session, sorted(rows, key=lambda row: row.seq), wire_at)
    messages += [replace(m, reads_only=True) for m in _address(session, unread, wire_at)]
    failpoints.hit("outbox.before-claim-commit")
    return messages


def renew_deliveries(
    message_ids: Collection[str], *, owner: str, wire_at: dt.datetime, lease: dt.timedelta = LEASE
) -> None:
    """Use case: `owner` lives and still has these messages in hand: nobody else may send them yet."""
    with transaction() as session:
        session.execute(_RENEW, {"held": list(message_ids), "owner": owner, "until": wire_at + lease})


def reclaim_deliveries(*, owner: str, wire_at: dt.datetime) -> int:
    """Use case, at boot: what a killed worker of this name held is due again now. Answers how many."""
    with transaction() as session:
        count = _release(session, wire_at, OutboxMessage.lease_owner == owner)
        failpoints.hit("outbox.before-reclaim-commit")
    return count


def sweep_deliveries(*, wire_at: dt.datetime) -> int:
    """Use case, now and then: expired leases of workers that did not come back are due again. Answers how many."""
    with transaction() as session:
        return _release(session, wire_at, OutboxMessage.lease_until < wire_at)


def apply_answer(payload: Mapping[str, Any], at: dt.datetime, wire_at: dt.datetime) -> None:
    """Job `apply_answer`: hand a stored answer to the use case that waits for it."""
    row = db.session.scalars(select(OutboxMessage).where(OutboxMessage.message_id == payload["message_id"])).one()
    assert row.last_status is not None
    answered = Answered(
        message_id=row.message_id,
        kind=row.kind,
        path=row.path,
        request=row.body,
        status=row.last_status,
        response=row.response or b"",
        case_id=row.case_id,
    )
    db.session.remove()
    ANSWERED[answered.kind](answered, at, wire_at)


def next_delivery_at(wire_at: dt.datetime) -> dt.datetime | None:
    """When the next waiting message or closed destination will be ready that is not yet (wire time)."""
    waiting = select(func.min(OutboxMessage.next_at)).where(
        OutboxMessage.state == "pending", OutboxMessage.next_at > wire_at
    )
    health = DestinationHealth
    opened = select(func.min(health.opened_until)).where(health.opened_until > wire_at)
    held = select(func.min(health.held_until)).where(health.held_until > wire_at)
    unread = delivery_read_backs.next_unread(wire_at)
    times = [at for at in (db.session.scalar(query) for query in (waiting, opened, held, unread)) if at is not None]
    return min(times, default=None)


def _choose(session: Session, room: Mapping[str, int], wire_at: dt.datetime, *, limit: int, usual: int) -> list[int]:
    full = [destination for destination, left in room.items() if left <= 0]
    candidates = session.execute(_DUE, {"now": wire_at, "full": full, "most": limit * _LOOK_AHEAD})
    taken: Counter[str] = Counter()
    chosen: list[int] = []
    for seq, destination in candidates:
        if len(chosen) < limit and taken[destination] < room.get(destination, usual):
            taken[destination] += 1
            chosen.append(seq)
    take(session, taken, wire_at)
    return chosen


def _address(session: Session, rows: Sequence[Any], wire_at: dt.datetime) -> list[Message]:
    """Give each message its endpoint; those whose provider lost its endpoint meanwhile are kept for its desk."""
    codes = {row.destination: row.destination.removeprefix("provider:") for row in rows if ":" in row.destination}
    endpoints = access.endpoints_of(session, current_vault(), set(codes.values())) if codes else {}
    stranded = [row.seq for row in rows if row.destination in codes and codes[row.destination] not in endpoints]
    if stranded:
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.seq.in_(stranded))
            .values(
                state=case((OutboxMessage.state == "delivered", "delivered"), else_="kept"),
                lease_owner=None,
                lease_until=None,
            )
            .execution_options(synchronize_session=False)
        )
    return [
        Message(
            id=row.message_id,
            destination=row.destination,
            kind=row.kind,
            path=row.path,
            body=row.body,
            task_id=row.task_id,
            case_id=row.case_id,
            attempt=row.attempts,
            sent_at=wire_at,
            endpoint=endpoints.get(codes.get(row.destination, "")),
            media_type=row.media_type or "application/json",
            enqueued_at=row.enqueued_at,
            in_doubt=row.in_doubt,
        )
        for row in rows
        if row.seq not in stranded
    ]


def _release(session: Session, wire_at: dt.datetime, which: Any) -> int:
    result = session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.state == "leased", which)
        # Nobody knows whether a worker that did not come back had sent it.
        .values(state="pending", next_at=wire_at, in_doubt=True, lease_owner=None, lease_until=None)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    return result.rowcount
