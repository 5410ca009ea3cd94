"""What arrived and could not be applied: reports refused, status messages nobody has mapped, gateway notices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select

from portal.billing.tables import GatewayNotice
from portal.cases.tables import Case, Task
from portal.exchange.masking import shown_body
from portal.exchange.tables import InboxMessage
from portal.exchange.trouble_tables import HandOverAlarm
from portal.journey.pages_hand_overs import light_of, provider_names
from portal.journey.pages_staff import PAGE_SIZE, Paged, counts_by, offset_of
from portal.kernel.database import db
from portal.kernel.errors import NotFound
from portal.kernel.policy import Actor, may, require

TROUBLE = ("unmapped", "refused", "stored")


@dataclass(frozen=True, slots=True)
class InboxLine:
    """One message in the list; `light` as on the hand-over list."""

    message: InboxMessage
    case_no: str | None
    stage: str | None
    light: str


@dataclass(frozen=True, slots=True)
class InboxList:
    """A page of what could not be applied; `notices`: the gateway's, for operators only."""

    lines: Paged
    counts: Mapping[str, int]
    names: Mapping[str, str]
    notices: tuple[GatewayNotice, ...]


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """One message with its bytes and its answer, masked."""

    line: InboxLine
    name: str
    payload: str
    answer: str
    alarms: tuple[HandOverAlarm, ...]
    may_act: bool


def inbox_list(actor: Actor, *, group: str, provider: str, page: int, at: dt.datetime) -> InboxList:
    """What could not be applied, newest first. `group`: unmapped, refused, stored, or `all` of them.

    A provider's staff see their own. A fixed number of queries. Raises NotAllowed.
    """
    require(actor, "exchange.list")
    session = db.session()
    is_own = "provider_staff" in actor.roles
    scope: list[ColumnElement[bool]] = [InboxMessage.state.in_(TROUBLE)]
    if is_own or provider:
        scope.append(InboxMessage.sender == (actor.provider_code if is_own else provider))
    where = [*scope, InboxMessage.state == group] if group in TROUBLE else scope
    rows = session.execute(
        select(InboxMessage, Case.case_no, Task.stage)
        .outerjoin(Task, Task.id == InboxMessage.task_id)
        .outerjoin(Case, Case.id == Task.case_id)
        .where(*where)
        .order_by(InboxMessage.received_at.desc(), InboxMessage.id)
        .offset(offset_of(page))
        .limit(PAGE_SIZE)
    ).all()
    total = session.scalar(select(func.count()).select_from(InboxMessage).where(*where)) or 0
    alarms: dict[str, list[HandOverAlarm]] = {}
    query = select(HandOverAlarm).where(
        HandOverAlarm.subject_kind == "inbox",
        HandOverAlarm.subject.in_([row[0].id for row in rows]),
        HandOverAlarm.resolved_at.is_(None),
    )
    for alarm in session.scalars(query):
        alarms.setdefault(alarm.subject, []).append(alarm)
    lines = tuple(InboxLine(*row, light=light_of(alarms.get(row[0].id, ()), at)) for row in rows)
    notices = () if is_own else tuple(session.scalars(_NOTICES))
    return InboxList(
        Paged(lines, max(page, 1), total),
        counts_by(session, InboxMessage.state, *scope),
        provider_names(session),
        notices,
    )


_NOTICES = (
    select(GatewayNotice).where(GatewayNotice.state == "refused").order_by(GatewayNotice.received_at.desc()).limit(50)
)


def inbox_entry(actor: Actor, inbox_id: str, *, at: dt.datetime) -> InboxEntry:
    """One message. Raises NotFound for another provider's and for an absent one alike."""
    session = db.session()
    found = session.execute(
        select(InboxMessage, Case.case_no, Task.stage)
        .outerjoin(Task, Task.id == InboxMessage.task_id)
        .outerjoin(Case, Case.id == Task.case_id)
        .where(InboxMessage.id == inbox_id)
    ).one_or_none()
    if found is None:
        require(actor, "exchange.list")
        raise NotFound
    message = found[0]
    require(actor, "exchange.view", {"provider": message.sender})
    query = select(HandOverAlarm).where(HandOverAlarm.subject_kind == "inbox", HandOverAlarm.subject == inbox_id)
    alarms = tuple(session.scalars(query.order_by(HandOverAlarm.raised_at)))
    open_ = [alarm for alarm in alarms if alarm.resolved_at is None]
    return InboxEntry(
        line=InboxLine(*found, light=light_of(open_, at)),
        name=provider_names(session).get(message.sender, message.sender),
        payload=shown_body(message.raw),
        answer=shown_body(message.answer),
        alarms=alarms,
        may_act=may(actor, "exchange.replay"),
    )
