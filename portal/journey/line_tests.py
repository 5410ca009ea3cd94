"""连通测试: a provider lets the portal post `test.ping` to its live address and sees what became of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select

from portal.exchange.tables import OutboxMessage, ProviderAccess
from portal.journey.events import send_case_event
from portal.kernel import audit
from portal.kernel.database import db, transaction
from portal.kernel.errors import Conflict
from portal.kernel.policy import Actor, require

PING = "test.ping"
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Sent:
    """One test: when it was asked for, its state, the last answer's status and what went wrong."""

    at: dt.datetime
    state: str
    status: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """How the provider is reached, and its latest tests, newest first."""

    level: str
    push_url: str | None
    is_pushed: bool
    tests: tuple[Sent, ...]


def view_line(actor: Actor) -> Line:
    """The line of the actor's provider."""
    require(actor, "desk.line")
    row = db.session.get(ProviderAccess, actor.provider_code)
    query = select(OutboxMessage).where(
        OutboxMessage.destination == f"provider:{actor.provider_code}", OutboxMessage.kind == PING
    )
    latest = db.session.scalars(query.order_by(OutboxMessage.seq.desc()).limit(_SHOWN))
    tests = tuple(Sent(m.enqueued_at, m.state, m.last_status, m.last_error) for m in latest)
    if row is None:
        return Line("desk", None, False, tests)
    return Line(row.level, row.push_url, _is_pushed(row), tests)


def send_ping(actor: Actor, *, at: dt.datetime, wire_at: dt.datetime) -> None:
    """Use case: put one `test.ping` into the outbox. Raises Conflict where there is no address to post to."""
    require(actor, "desk.line")
    with transaction() as session:
        row = session.get(ProviderAccess, actor.provider_code)
        if row is None or not _is_pushed(row):
            raise Conflict("本单位目前没有推送地址，无需连通测试。", code="no_endpoint")
        send_case_event(session, case_id=None, providers=[row.provider], type_=PING, data={}, at=at, wire_at=wire_at)
        audit.record(session, actor=actor, action="line.tested", subject=row.provider, detail={}, at=at)


def _is_pushed(row: ProviderAccess) -> bool:
    return row.level in ("push", "two_way") and row.disabled_at is None
