"""Messages leave: lease what is due, and write down what became of it. The sending itself happens in between, outside.

A message is claimed when it is due, its destination's breaker has room, and no earlier message about the same task is
still on its way there. Whoever is killed in between loses nothing: its leases come back at its next start, or when
they expire, and the same bytes go out again under the same id.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, func, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session, aliased

from portal.exchange import access, breaker
from portal.exchange.outbox import WAKE
from portal.exchange.port import Endpoint, Message
from portal.exchange.tables import DestinationHealth, OutboxMessage
from portal.kernel import failpoints
from portal.kernel.crypto import current_vault
from portal.kernel.database import db, transaction
from portal.kernel.errors import Conflict

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


# Message kind → the use case that applies its answer (message, business time, wire time); filled in by app.py.
ANSWERED: dict[str, Callable[[Answered, dt.datetime, dt.datetime], None]] = {}
APPLY_ANSWER = "apply_answer"  # the job kind that runs it


def claim_deliveries(
    *, limit: int, owner: str, wire_at: dt.datetime, per_destination: int = PER_DESTINATION
) -> list[Message]:
    """Use case: lease up to `limit` due messages to `owner`, oldest first."""
    with transaction() as session:
        rooms = _rooms(session, wire_at, per_destination)
        chosen = _choose(session, rooms, wire_at, limit=limit, usual=per_destination)
        if not chosen:
            return []
        rows = session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.seq.in_(chosen), OutboxMessage.state == "pending")
            .values(
                state="leased",
                attempts=OutboxMessage.attempts + 1,
                lease_owner=owner,
                lease_until=wire_at + LEASE,
            )
            .returning(
                OutboxMessage.seq,
                OutboxMessage.message_id,
                OutboxMessage.destination,
                OutboxMessage.kind,
                OutboxMessage.path,
                OutboxMessage.body,
                OutboxMessage.task_id,
                OutboxMessage.case_id,
                OutboxMessage.attempts,
            )
            .execution_options(synchronize_session=False)
        ).all()
        messages = _address(session, sorted(rows, key=lambda row: row.seq), wire_at)
        failpoints.hit("outbox.before-claim-commit")
    failpoints.hit("outbox.after-claim-commit")
    return messages


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


def replay_message(message_id: str, *, wire_at: dt.datetime) -> None:
    """Use case: a person sends a dead, kept or gone message (again), same id, same bytes. Raises Conflict."""
    with transaction() as session:
        result = session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.message_id == message_id, OutboxMessage.state.in_(("dead", "gone", "kept")))
            .values(state="pending", attempts=0, next_at=wire_at)
            .execution_options(synchronize_session=False)
        )
        assert isinstance(result, CursorResult)
        if result.rowcount != 1:
            raise Conflict("该消息正在发送或已送达。", code="not_replayable")
        session.info[WAKE] = True


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
    opened = select(func.min(DestinationHealth.opened_until)).where(DestinationHealth.opened_until > wire_at)
    times = [at for at in (db.session.scalar(waiting), db.session.scalar(opened)) if at is not None]
    return min(times, default=None)


def messages_needing_a_person(limit: int = 100) -> Sequence[OutboxMessage]:
    """Dead and gone messages and read-backs that did not match, newest first."""
    query = select(OutboxMessage).where(
        OutboxMessage.state.in_(("dead", "gone")) | (OutboxMessage.read_back == "mismatch")
    )
    return db.session.scalars(query.order_by(OutboxMessage.seq.desc()).limit(limit)).all()


def _rooms(session: Session, wire_at: dt.datetime, usual: int) -> dict[str, int]:
    """How many messages each destination may still take, for those where it is not `usual`."""
    leased = session.execute(
        select(OutboxMessage.destination, func.count())
        .where(OutboxMessage.state == "leased")
        .group_by(OutboxMessage.destination)
    ).all()
    rooms = {destination: usual - count for destination, count in leased}
    ill = session.scalars(select(DestinationHealth).where(DestinationHealth.failures >= breaker.THRESHOLD))
    for row in ill:
        rooms[row.destination] = min(
            rooms.get(row.destination, usual), breaker.room(health_of(row), wire_at, usual=usual)
        )
    return rooms


def _choose(session: Session, rooms: Mapping[str, int], wire_at: dt.datetime, *, limit: int, usual: int) -> list[int]:
    earlier = aliased(OutboxMessage)
    is_behind = exists().where(
        earlier.task_id == OutboxMessage.task_id,
        earlier.destination == OutboxMessage.destination,
        earlier.state.in_(_WAITING),
        earlier.seq < OutboxMessage.seq,
    )
    full = [destination for destination, room in rooms.items() if room <= 0]
    candidates = session.execute(
        select(OutboxMessage.seq, OutboxMessage.destination)
        .where(
            OutboxMessage.state == "pending",
            OutboxMessage.next_at <= wire_at,
            OutboxMessage.destination.not_in(full),
            ~is_behind,
        )
        .order_by(OutboxMessage.next_at, OutboxMessage.seq)
        .limit(limit * _LOOK_AHEAD)
        .with_for_update(skip_locked=True)
    ).all()
    taken: Counter[str] = Counter()
    chosen: list[int] = []
    for seq, destination in candidates:
        if len(chosen) < limit and taken[destination] < rooms.get(destination, usual):
            taken[destination] += 1
            chosen.append(seq)
    _start_probes(session, taken, wire_at)
    return chosen


def _start_probes(session: Session, taken: Mapping[str, int], wire_at: dt.datetime) -> None:
    session.execute(
        update(DestinationHealth)
        .where(DestinationHealth.destination.in_(list(taken)), DestinationHealth.failures >= breaker.THRESHOLD)
        .values(probing_until=wire_at + breaker.PROBE_LEASE)
        .execution_options(synchronize_session=False)
    )


def _address(session: Session, rows: Iterable[Any], wire_at: dt.datetime) -> list[Message]:
    """Give each message its endpoint; those whose provider lost its endpoint meanwhile are kept for its desk."""
    endpoints: dict[str, Endpoint | None] = {}
    messages: list[Message] = []
    stranded: list[int] = []
    for row in rows:
        scheme, _, code = row.destination.partition(":")
        if scheme == "provider" and code not in endpoints:
            endpoints[code] = access.endpoint_of(session, current_vault(), code)
        if scheme == "provider" and endpoints[code] is None:
            stranded.append(row.seq)
            continue
        messages.append(
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
                endpoint=endpoints.get(code),
            )
        )
    if stranded:
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.seq.in_(stranded))
            .values(state="kept", lease_owner=None, lease_until=None)
            .execution_options(synchronize_session=False)
        )
    return messages


def _release(session: Session, wire_at: dt.datetime, which: Any) -> int:
    result = session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.state == "leased", which)
        .values(state="pending", next_at=wire_at, lease_owner=None, lease_until=None)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    return result.rowcount


def health_of(row: DestinationHealth) -> breaker.Health:
    """The breaker state in a row."""
    return breaker.Health(failures=row.failures, opened_until=row.opened_until, probing_until=row.probing_until)
