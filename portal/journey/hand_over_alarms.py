"""Which hand-overs need a person, who, and until when: looked at by the worker at every turn of the clock.

An alarm is a row that outlives its cause: it is resolved when the message has arrived, been applied or been given to
the desk, and comes back when the same thing happens again. Clocks of alarms run in working time of business time.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.billing.tables import GatewayNotice
from portal.cases import deadlines
from portal.cases.tables import Task
from portal.catalog.queries import calendar_of, current_catalog
from portal.exchange import outbox, troubles
from portal.exchange.dialects import insert_unless_there
from portal.exchange.tables import InboxMessage, OutboxMessage, ProviderAccess
from portal.exchange.trouble_tables import HandOverAlarm
from portal.journey.delivery_read_backs import is_given_up
from portal.journey.events import note_event
from portal.kernel.database import db, transaction
from portal.kernel.errors import NotFound
from portal.kernel.guard import try_change
from portal.kernel.ids import new_id
from portal.kernel.policy import SYSTEM

DUTY = "duty"  # destination of messages to duty phones
_AT_ONCE = 200  # alarms raised in one round; the rest follow at the next
_PROVIDER = OutboxMessage.destination.like("provider:%")
_NOT_THERE = ("pending", "leased", "dead", "gone", "unknown")
_LATE_WORDS = "{provider}：有办件任务未能送达贵单位系统，已转为工作台办理，请登录联合报装平台“供应单位工作台”查看。"
_GONE_WORDS = "{provider}：贵单位系统的接收地址已停用，任务请在联合报装平台“供应单位工作台”办理，并联系平台恢复。"
_CALLS = {"late": _LATE_WORDS, "gone": _GONE_WORDS}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that needs a person."""

    subject_kind: str
    subject: str
    reason: str
    provider: str | None
    case_id: str | None = None
    task_id: str | None = None


def watch(*, at: dt.datetime, wire_at: dt.datetime) -> None:
    """Use case: raise and resolve alarms. Looks first without a write lock: mostly there is nothing to do."""
    session = db.session()
    found, over = _found(session, at), _over(session)
    db.session.remove()
    if found or over:
        _write(found, over, at=at, wire_at=wire_at)


def _write(found: list[Trouble], over: list[tuple[str, str]], *, at: dt.datetime, wire_at: dt.datetime) -> None:
    with transaction() as session:
        for alarm_id, resolution in over:
            resolve(session, alarm_id, by="系统", resolution=resolution, at=at)
        for trouble in found:
            raise_alarm(session, trouble, at=at, wire_at=wire_at)


def raise_alarm(session: Session, trouble: Trouble, *, at: dt.datetime, wire_at: dt.datetime) -> bool:
    """Step: note that a person is needed, with owner and clock; False when it is known already."""
    care = troubles.CARE[trouble.reason]
    until = deadlines.after_working_time(calendar_of(session), at, care.within)
    fresh = {"raised_at": at, "act_until": until, "resolved_at": None, "resolved_by": None, "resolution": None}
    key = {"subject_kind": trouble.subject_kind, "subject": trouble.subject, "reason": trouble.reason}
    values = {"id": new_id(), **key, "provider": trouble.provider, "owner": care.owner, **fresh}
    if not insert_unless_there(session, HandOverAlarm, values, unique=tuple(key)):
        row = session.scalars(select(HandOverAlarm).filter_by(**key)).one()
        if row.resolved_at is None:
            return False
        if not try_change(session, HandOverAlarm, row.id, {"resolved_at": row.resolved_at}, fresh):
            return False
    if trouble.case_id is not None:
        facts = {"provider": trouble.provider, "reason": trouble.reason}
        note_event(
            session,
            case_id=trouble.case_id,
            kind="hand_over_failed",
            actor=SYSTEM,
            at=at,
            task_id=trouble.task_id,
            facts=facts,
        )
    if care.calls and trouble.provider is not None:
        _call_duty(session, trouble.provider, trouble.reason, at=at, wire_at=wire_at)
    return True


def resolve(session: Session, alarm_id: str, *, by: str, resolution: str, at: dt.datetime) -> bool:
    """Step: nobody needs to act on it any more."""
    values = {"resolved_at": at, "resolved_by": by, "resolution": resolution}
    return try_change(session, HandOverAlarm, alarm_id, {"resolved_at": None}, values)


def _call_duty(session: Session, provider: str, reason: str, *, at: dt.datetime, wire_at: dt.datetime) -> None:
    """A message to the provider's duty phone, or its hotline where none is known; nothing personal stands in it."""
    access = session.get(ProviderAccess, provider)
    try:
        known = current_catalog(session).provider(provider)
    except (NotFound, KeyError):
        return  # a sandbox's provider has no phone
    mobile = (access.duty_mobile if access else None) or known.hotline
    notice = {"to": mobile, "provider": provider, "text": _CALLS[reason].format(provider=known.short_name)}
    body = json.dumps(notice, ensure_ascii=False).encode()
    outbox.enqueue(session, destination=DUTY, kind="notice", body=body, at=at, wire_at=wire_at)


def _known(kind: str, subject: InstrumentedAttribute[str], reason: str) -> ColumnElement[bool]:
    """There is such an alarm, open."""
    return exists().where(
        HandOverAlarm.subject_kind == kind,
        HandOverAlarm.subject == subject,
        HandOverAlarm.reason == reason,
        HandOverAlarm.resolved_at.is_(None),
    )


def _found(session: Session, at: dt.datetime) -> list[Trouble]:
    found = [*_late(session, at), *_of_state(session, "dead", OutboxMessage.state.in_(("dead", "unknown")))]
    for reason, which in (("mismatch", OutboxMessage.read_back == "mismatch"), ("unread", is_given_up())):
        # A person who has looked at a read-back has closed it for good: only an alarm never raised is raised.
        seen = exists().where(HandOverAlarm.subject == OutboxMessage.message_id, HandOverAlarm.reason == reason)
        found += _of_state(session, reason, which & ~seen)
    gone = select(ProviderAccess.provider).where(ProviderAccess.disabled_at.is_not(None))
    gone = gone.where(~_known("endpoint", ProviderAccess.provider, "gone"))
    found += [Trouble("endpoint", code, "gone", code) for code in session.scalars(gone)]
    for state in ("unmapped", "refused"):
        arrived = select(InboxMessage.id, InboxMessage.sender, InboxMessage.task_id).where(
            InboxMessage.kind == "status", InboxMessage.state == state, ~_known("inbox", InboxMessage.id, state)
        )
        found += [Trouble("inbox", row.id, state, row.sender) for row in session.execute(arrived.limit(_AT_ONCE))]
    notices = select(GatewayNotice.id).where(
        GatewayNotice.state == "refused", ~_known("notice", GatewayNotice.id, "notice")
    )
    found += [Trouble("notice", notice_id, "notice", None) for notice_id in session.scalars(notices)]
    return found


def _of_state(session: Session, reason: str, which: ColumnElement[bool]) -> list[Trouble]:
    rows = session.scalars(
        select(OutboxMessage).where(which, ~_known("outbox", OutboxMessage.message_id, reason)).limit(_AT_ONCE)
    )
    return [_trouble(row, reason) for row in rows]


def _late(session: Session, at: dt.datetime) -> Iterable[Trouble]:
    """Messages to providers without 2xx after 30 working minutes, or 20 % of their task's limit."""
    raised = exists().where(
        HandOverAlarm.subject_kind == "outbox",
        HandOverAlarm.subject == OutboxMessage.message_id,
        HandOverAlarm.reason == "late",
        HandOverAlarm.raised_at >= OutboxMessage.at,
    )
    rows = session.execute(
        select(OutboxMessage, Task)
        .outerjoin(Task, Task.id == OutboxMessage.task_id)
        .where(_PROVIDER, OutboxMessage.state.in_(_NOT_THERE), OutboxMessage.at < at, ~raised)
        .order_by(OutboxMessage.at)
        .limit(_AT_ONCE)
    ).all()
    if not rows:
        return []
    calendar = calendar_of(session)
    found = []
    for message, task in rows:
        limit = deadlines.working_time(calendar, task.issued_at, task.due_at) if task and task.due_at else None
        if deadlines.working_time(calendar, message.at, at) >= troubles.late_after(limit):
            found.append(_trouble(message, "late"))
    return found


def _trouble(row: OutboxMessage, reason: str) -> Trouble:
    scheme, _, code = row.destination.partition(":")
    return Trouble("outbox", row.message_id, reason, code if scheme == "provider" else None, row.case_id, row.task_id)


def _over(session: Session) -> list[tuple[str, str]]:
    """Alarms whose cause is gone, each with what became of it."""
    alarm = HandOverAlarm
    open_ = alarm.resolved_at.is_(None)
    sent = select(alarm.id, OutboxMessage.state).join(OutboxMessage, OutboxMessage.message_id == alarm.subject)
    sent = sent.where(open_, alarm.subject_kind == "outbox", alarm.reason.not_in(("mismatch", "unread")))
    over = [
        (row.id, {"delivered": "delivered", "kept": "desk"}[row.state])
        for row in session.execute(sent.where(OutboxMessage.state.in_(("delivered", "kept"))))
    ]
    resent = sent.where(alarm.reason == "dead", OutboxMessage.state.in_(("pending", "leased")))
    over += [(row.id, "replayed") for row in session.execute(resent)]
    ends = select(alarm.id).join(ProviderAccess, ProviderAccess.provider == alarm.subject)
    ends = ends.where(open_, alarm.subject_kind == "endpoint", ProviderAccess.disabled_at.is_(None))
    over += [(alarm_id, "enabled") for alarm_id in session.scalars(ends)]
    arrived = select(alarm.id).join(InboxMessage, InboxMessage.id == alarm.subject)
    arrived = arrived.where(open_, alarm.subject_kind == "inbox", InboxMessage.state != alarm.reason)
    over += [(alarm_id, "applied") for alarm_id in session.scalars(arrived)]
    told = select(alarm.id).join(GatewayNotice, GatewayNotice.id == alarm.subject)
    told = told.where(open_, alarm.subject_kind == "notice", GatewayNotice.state != "refused")
    return over + [(alarm_id, "applied") for alarm_id in session.scalars(told)]
