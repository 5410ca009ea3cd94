"""The health page: what waits to be delivered, what failed, and when the audit chain was last sealed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select

from portal.documents.tables import Document
from portal.exchange.breaker import THRESHOLD
from portal.exchange.tables import DestinationHealth, Job, OutboxMessage
from portal.exchange.trouble_tables import HandOverAlarm
from portal.journey.jobs import failed_jobs
from portal.journey.pages_staff import counts_by
from portal.kernel.audit import AuditBlock, AuditRecord
from portal.kernel.database import db
from portal.kernel.policy import Actor, require

WAITING = ("pending", "leased")
MOST_DOCUMENTS = 50
MOST_ALARMS = 10


@dataclass(frozen=True, slots=True)
class Destination:
    """One destination: what waits for it and its breaker (`closed`, `open` until a time, or `trying`)."""

    name: str
    waiting: int
    oldest_at: dt.datetime | None
    breaker: str
    opened_until: dt.datetime | None
    last_success_at: dt.datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class HealthBoard:
    """All counts by state; times are wire time, except those of documents and the audit chain."""

    outbox: dict[str, int]
    oldest_at: dt.datetime | None
    destinations: tuple[Destination, ...]
    jobs: dict[str, int]
    failed: tuple[Job, ...]
    documents: dict[str, int]
    broken_documents: tuple[Document, ...]
    seal: AuditBlock | None
    unsealed: int
    alarms: int
    late_alarms: int
    first_alarms: tuple[HandOverAlarm, ...]


def health_board(actor: Actor, *, at: dt.datetime, wire_at: dt.datetime) -> HealthBoard:
    """How the portal runs at `wire_at` (alarms: at `at`); a fixed number of queries. Raises NotAllowed."""
    require(actor, "health.view")
    session = db.session()
    seal = session.scalars(select(AuditBlock).order_by(AuditBlock.no.desc()).limit(1)).one_or_none()
    last = seal.last_seq if seal else 0
    broken = select(Document).where(Document.state == "failed").order_by(Document.ordered_at.desc())
    destinations = _destinations(wire_at)
    open_ = HandOverAlarm.resolved_at.is_(None)
    alarms = select(func.count()).select_from(HandOverAlarm).where(open_)
    first = select(HandOverAlarm).where(open_).order_by(HandOverAlarm.act_until).limit(MOST_ALARMS)
    return HealthBoard(
        outbox=counts_by(session, OutboxMessage.state),
        oldest_at=min((d.oldest_at for d in destinations if d.oldest_at), default=None),
        destinations=destinations,
        jobs=counts_by(session, Job.state),
        failed=tuple(failed_jobs()),
        documents=counts_by(session, Document.state),
        broken_documents=tuple(session.scalars(broken.limit(MOST_DOCUMENTS))),
        seal=seal,
        unsealed=session.scalar(select(func.count()).select_from(AuditRecord).where(AuditRecord.seq > last)) or 0,
        alarms=session.scalar(alarms) or 0,
        late_alarms=session.scalar(alarms.where(HandOverAlarm.act_until < at)) or 0,
        first_alarms=tuple(session.scalars(first)),
    )


def _destinations(wire_at: dt.datetime) -> tuple[Destination, ...]:
    waiting = {
        name: (count, oldest)
        for name, count, oldest in db.session.execute(
            select(OutboxMessage.destination, func.count(), func.min(OutboxMessage.enqueued_at))
            .where(OutboxMessage.state.in_(WAITING))
            .group_by(OutboxMessage.destination)
        )
    }
    health = {row.destination: row for row in db.session.scalars(select(DestinationHealth))}
    rows = []
    for name in sorted(waiting.keys() | health.keys()):
        count, oldest = waiting.get(name, (0, None))
        row = health.get(name)
        rows.append(
            Destination(
                name=name,
                waiting=count,
                oldest_at=oldest,
                breaker=_breaker(row, wire_at),
                opened_until=row.opened_until if row else None,
                last_success_at=row.last_success_at if row else None,
                last_error=row.last_error if row and row.failures else None,
            )
        )
    return tuple(rows)


def _breaker(row: DestinationHealth | None, wire_at: dt.datetime) -> str:
    if row is None or row.failures < THRESHOLD:
        return "closed"
    return "open" if row.opened_until is not None and row.opened_until > wire_at else "trying"
