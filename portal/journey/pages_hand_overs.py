"""The hand-over pages: what left and what became of it, what needs a person. A fixed number of queries each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from portal.cases.tables import Case, Task
from portal.catalog.queries import current_catalog
from portal.exchange.breaker import THRESHOLD
from portal.exchange.masking import masked_text, shown_body
from portal.exchange.tables import DestinationHealth, OutboxMessage, ProviderAccess
from portal.exchange.trouble_tables import HandOverAlarm, OutboxTry
from portal.journey.pages_staff import PAGE_SIZE, Paged, counts_by, offset_of
from portal.kernel.database import db
from portal.kernel.errors import NotFound
from portal.kernel.policy import Actor, may, require

# What a reader asks for → the states of messages.
GROUPS: dict[str, tuple[str, ...]] = {
    "trouble": ("dead", "gone", "unknown"),
    "waiting": ("pending", "leased"),
    "kept": ("kept",),
    "delivered": ("delivered",),
}


@dataclass(frozen=True, slots=True)
class HandOverLine:
    """One message in the list. `light`: green, yellow (needs a person) or red (that person is late)."""

    message: OutboxMessage
    case_no: str | None
    stage: str | None
    alarm: HandOverAlarm | None
    light: str


@dataclass(frozen=True, slots=True)
class HandOverList:
    """A page of messages; `counts` by group whatever is looked at; `providers`: (code, name) to choose from."""

    lines: Paged
    counts: Mapping[str, int]
    providers: Sequence[tuple[str, str]]
    names: Mapping[str, str]
    open_alarms: int


@dataclass(frozen=True, slots=True)
class HandOver:
    """One message with everything known of it; `payload` and `answer` are masked texts."""

    line: HandOverLine
    provider: str | None
    name: str
    payload: str
    answer: str
    tries: Sequence[OutboxTry]
    alarms: Sequence[HandOverAlarm]
    breaker: str
    health: DestinationHealth | None
    access: ProviderAccess | None
    may_act: bool


def hand_over_list(actor: Actor, *, group: str, provider: str, words: str, page: int, at: dt.datetime) -> HandOverList:
    """Messages, newest first. `group`: one of GROUPS, `alarm` (an open one) or `all`; `words`: case or message number.

    A provider's staff see their own. Raises NotAllowed.
    """
    require(actor, "exchange.list")
    session = db.session()
    scope = _scope(actor, provider)
    where = [*scope, *_wanted(group, words)]
    rows = session.execute(
        select(OutboxMessage, Case.case_no, Task.stage)
        .outerjoin(Case, Case.id == OutboxMessage.case_id)
        .outerjoin(Task, Task.id == OutboxMessage.task_id)
        .where(*where)
        .order_by(OutboxMessage.seq.desc())
        .offset(offset_of(page))
        .limit(PAGE_SIZE)
    ).all()
    count = select(func.count()).select_from(OutboxMessage).outerjoin(Case, Case.id == OutboxMessage.case_id)
    total = session.scalar(count.where(*where)) or 0
    alarms = _open_alarms(session, [row[0].message_id for row in rows])
    lines = tuple(_line(row[0], row[1], row[2], alarms.get(row[0].message_id, ()), at) for row in rows)
    by_state = counts_by(session, OutboxMessage.state, *scope)
    counts = {name: sum(by_state.get(state, 0) for state in states) for name, states in GROUPS.items()}
    names = provider_names(session)
    return HandOverList(
        lines=Paged(lines, max(page, 1), total),
        counts=counts | {"all": sum(by_state.values())},
        providers=tuple(names.items()) if actor.provider_code is None else (),
        names=names,
        open_alarms=open_alarm_count(session, actor),
    )


def hand_over(actor: Actor, message_id: str, *, at: dt.datetime, wire_at: dt.datetime) -> HandOver:
    """One message. Raises NotFound for another provider's and for an absent one alike."""
    session = db.session()
    found = session.execute(
        select(OutboxMessage, Case.case_no, Task.stage)
        .outerjoin(Case, Case.id == OutboxMessage.case_id)
        .outerjoin(Task, Task.id == OutboxMessage.task_id)
        .where(OutboxMessage.message_id == message_id)
    ).one_or_none()
    if found is None:
        require(actor, "exchange.list")
        raise NotFound
    message = found[0]
    scheme, _, code = message.destination.partition(":")
    provider = code if scheme == "provider" else None
    require(actor, "exchange.view", {"provider": provider})
    alarms = _alarms_about(session, message_id, provider)
    tries = session.scalars(select(OutboxTry).where(OutboxTry.message_id == message_id).order_by(OutboxTry.seq)).all()
    health = session.get(DestinationHealth, message.destination)
    return HandOver(
        line=_line(*found, [alarm for alarm in alarms if alarm.resolved_at is None], at),
        provider=provider,
        name=provider_names(session).get(provider or "", message.destination),
        payload=shown_body(message.body, message.media_type),
        answer=shown_body(message.response),
        tries=[_masked(row) for row in tries],
        alarms=alarms,
        breaker=breaker_word(health, wire_at),
        health=health,
        access=session.get(ProviderAccess, provider) if provider else None,
        may_act=may(actor, "exchange.replay"),
    )


def _alarms_about(session: Session, message_id: str, provider: str | None) -> Sequence[HandOverAlarm]:
    """The message's own, and those of its provider's endpoint."""
    alarm = HandOverAlarm
    own = and_(alarm.subject_kind == "outbox", alarm.subject == message_id)
    gone = and_(alarm.subject_kind == "endpoint", alarm.subject == (provider or ""))
    return session.scalars(select(alarm).where(or_(own, gone)).order_by(alarm.raised_at)).all()


def breaker_word(health: DestinationHealth | None, wire_at: dt.datetime) -> str:
    """closed · open · trying · held (it asked for a rest)."""
    if health is None:
        return "closed"
    if health.held_until is not None and health.held_until > wire_at:
        return "held"
    if health.failures < THRESHOLD:
        return "closed"
    return "open" if health.opened_until is not None and health.opened_until > wire_at else "trying"


def provider_names(session: Session) -> dict[str, str]:
    """Code → short name, in the catalog's order."""
    return {row.code: row.short_name for row in current_catalog(session).providers}


def open_alarms(actor: Actor, *, limit: int = 50) -> list[HandOverAlarm]:
    """The open alarms this reader may see, the soonest due first."""
    require(actor, "exchange.list")
    query = select(HandOverAlarm).where(*_alarm_scope(actor)).order_by(HandOverAlarm.act_until).limit(limit)
    return list(db.session().scalars(query))


def open_alarm_count(session: Session, actor: Actor) -> int:
    """How many alarms are open for this reader."""
    return session.scalar(select(func.count()).select_from(HandOverAlarm).where(*_alarm_scope(actor))) or 0


def _alarm_scope(actor: Actor) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [HandOverAlarm.resolved_at.is_(None)]
    if "provider_staff" in actor.roles:
        where.append(HandOverAlarm.provider == actor.provider_code)
    return where


def _scope(actor: Actor, provider: str) -> list[ColumnElement[bool]]:
    if "provider_staff" in actor.roles:
        return [OutboxMessage.destination == f"provider:{actor.provider_code}"]
    return [OutboxMessage.destination == f"provider:{provider}"] if provider else []


def _wanted(group: str, words: str) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if group in GROUPS:
        where.append(OutboxMessage.state.in_(GROUPS[group]))
    elif group == "alarm":
        open_ = select(HandOverAlarm.subject).where(
            HandOverAlarm.subject_kind == "outbox", HandOverAlarm.resolved_at.is_(None)
        )
        where.append(OutboxMessage.message_id.in_(open_))
    if words:
        where.append(or_(Case.case_no == words, OutboxMessage.message_id == words))
    return where


def _open_alarms(session: Session, message_ids: Sequence[str]) -> dict[str, list[HandOverAlarm]]:
    found: dict[str, list[HandOverAlarm]] = {}
    query = select(HandOverAlarm).where(
        HandOverAlarm.subject_kind == "outbox",
        HandOverAlarm.subject.in_(message_ids),
        HandOverAlarm.resolved_at.is_(None),
    )
    for alarm in session.scalars(query.order_by(HandOverAlarm.act_until)):
        found.setdefault(alarm.subject, []).append(alarm)
    return found


def _line(
    message: OutboxMessage,
    case_no: str | None,
    stage: str | None,
    alarms: Sequence[HandOverAlarm],
    at: dt.datetime,
) -> HandOverLine:
    first = next((alarm for alarm in alarms if alarm.subject_kind == "outbox"), None)
    return HandOverLine(message, case_no, stage, first, light_of(alarms, at))


def light_of(alarms: Sequence[HandOverAlarm], at: dt.datetime) -> str:
    """red: not there in time, read back wrong, or whoever should act is late; yellow: somebody should act."""
    if any(alarm.reason in ("late", "mismatch") or alarm.act_until < at for alarm in alarms):
        return "red"
    return "yellow" if alarms else "green"


def _masked(row: OutboxTry) -> OutboxTry:
    """A copy to show: what a provider's system answered may carry anything."""
    return OutboxTry(
        seq=row.seq,
        message_id=row.message_id,
        attempt=row.attempt,
        sent_at=row.sent_at,
        ended_at=row.ended_at,
        outcome=row.outcome,
        status=row.status,
        error=masked_text(row.error),
        retry_after_s=row.retry_after_s,
    )
