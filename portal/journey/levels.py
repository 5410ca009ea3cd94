"""How a provider is reached, changed by one act: its open hand-overs follow, what has arrived is not repeated.

A person also decides here what no machine may: whether a message whose sending had no answer has arrived.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Literal

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from portal.cases.tables import Task
from portal.exchange.access import SENT_LEVELS, Level, ProviderAccess
from portal.exchange.outbox import WAKE
from portal.exchange.tables import DestinationHealth, OutboxMessage
from portal.kernel import audit
from portal.kernel.database import transaction
from portal.kernel.errors import Conflict, FieldError, Invalid, NotFound
from portal.kernel.guard import try_change
from portal.kernel.policy import Actor, require

Decision = Literal["arrived", "send_again"]
LEVELS: dict[Level, str] = {
    "desk": "工作台",
    "mail": "邮件通知",
    "pull": "系统自行领取",
    "push": "系统推送",
    "two_way": "系统推送并回读",
}
_MAILBOX = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,180}\.[A-Za-z]{2,20}")  # what mail servers here take
# What a person or a change of level may still move; leased ones come back by themselves.
_NOT_THERE_YET = ("kept", "pending", "dead", "gone")


def switch_level(
    actor: Actor,
    *,
    provider: str,
    level: Level,
    push_url: str | None = None,
    mail_to: str | None = None,
    at: dt.datetime,
    wire_at: dt.datetime,
) -> int:
    """Reach this provider at another level from now on; answers how many open hand-overs went the new way.

    Everything of tasks that have not ended and has not arrived follows: to a sent level it is due at once, in the
    order in which it was written; to a desk or to a queue it waits there. `push_url` and `mail_to` replace the
    addresses. Raises NotAllowed, NotFound, Invalid (an address missing or wrong).
    """
    require(actor, "exchange.switch_level")
    if level not in LEVELS:
        raise Invalid([FieldError("level", f"接入方式只能是{'、'.join(LEVELS.values())}之一。", "choice")])
    with transaction() as session:
        row = session.get(ProviderAccess, provider, with_for_update=True)
        if row is None:
            raise NotFound
        detail = {"from": row.level, "to": level}
        row.push_url, row.mail_to = push_url or row.push_url, mail_to or row.mail_to
        _check_address(row, level)
        row.level, row.disabled_at = level, None
        moved = _follow(session, provider, level, wire_at)
        audit.record(session, actor=actor, action="exchange.level_switched", subject=provider, detail=detail, at=at)
        return moved


def give_to_desk(actor: Actor, *, message_id: str, at: dt.datetime) -> int:
    """Hand what waits for the same task (or this one message) to the provider's desk; answers how many messages.

    It stays readable there and by the pull API, and is not sent any more. Raises NotFound, Conflict (on its way).
    """
    require(actor, "exchange.give_to_desk")
    with transaction() as session:
        message = _find(session, message_id)
        which: ColumnElement[bool] = OutboxMessage.message_id == message_id
        if message.task_id is not None:
            which = or_(
                which, (OutboxMessage.task_id == message.task_id) & (OutboxMessage.destination == message.destination)
            )
        moved = _move(session, which, ("pending", "dead", "gone", "unknown"), state="kept")
        if not moved and message.state != "kept":
            raise Conflict("该消息正在发送或已送达。", code="not_movable")
        _note(session, actor, "exchange.given_to_desk", message, at)
        return moved


def resolve_unknown(
    actor: Actor, *, message_id: str, decision: Decision, note: str, at: dt.datetime, wire_at: dt.datetime
) -> None:
    """Decide about a message that nobody knows to have arrived: it has, or it is sent again under the same id.

    `note` says what was found out at the receiver. Raises Invalid (`note`), NotFound, Conflict (not unknown any more).
    """
    require(actor, "exchange.resolve")
    if not note.strip():
        raise Invalid([FieldError("note", "请写明向对方核实的结果。", "required")])
    values: dict[str, object] = {"state": "delivered", "delivered_at": wire_at}
    if decision == "send_again":
        values = {"state": "pending", "attempts": 0, "in_doubt": False, "next_at": wire_at}
    with transaction() as session:
        message = _find(session, message_id)
        if not try_change(session, OutboxMessage, message.seq, {"state": "unknown"}, values):
            raise Conflict("该消息的状态已变化，请刷新后再看。", code="not_unknown")
        session.info[WAKE] = True
        _note(session, actor, f"exchange.{decision}", message, at, note=note.strip()[:400])


def _check_address(row: ProviderAccess, level: Level) -> None:
    if level in ("push", "two_way") and not row.push_url:
        raise Invalid([FieldError("push_url", "推送方式需要对方系统的接收地址，请先填写。", "required")])
    if level == "mail" and not _MAILBOX.fullmatch(row.mail_to or ""):
        raise Invalid([FieldError("mail_to", "邮件方式需要对方值班邮箱，如 zhiban@example.cn，请先填写。", "mail_to")])


def _follow(session: Session, provider: str, level: Level, wire_at: dt.datetime) -> int:
    destination = f"provider:{provider}"
    of_provider = OutboxMessage.destination == destination
    if level not in SENT_LEVELS:
        return _move(session, of_provider, ("pending", "dead", "gone"), state="kept")
    health = session.get(DestinationHealth, destination, with_for_update=True)
    if health is not None:  # the breaker judged the old way
        health.failures, health.opened_until, health.probing_until = 0, None, None
    is_open = OutboxMessage.task_id.in_(select(Task.id).where(Task.ended_at.is_(None), Task.provider == provider))
    moved = _move(session, of_provider & is_open, _NOT_THERE_YET, state="pending", attempts=0, next_at=wire_at)
    session.info[WAKE] = True
    return moved


def _move(session: Session, which: ColumnElement[bool], states: tuple[str, ...], **values: object) -> int:
    result = session.execute(
        update(OutboxMessage)
        .where(which, OutboxMessage.state.in_(states))
        .values(lease_owner=None, lease_until=None, **values)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    return result.rowcount


def _find(session: Session, message_id: str) -> OutboxMessage:
    row = session.scalars(select(OutboxMessage).where(OutboxMessage.message_id == message_id)).one_or_none()
    if row is None:
        raise NotFound
    return row


def _note(session: Session, actor: Actor, action: str, message: OutboxMessage, at: dt.datetime, **more: str) -> None:
    detail = {"destination": message.destination, "kind": message.kind, **more}
    audit.record(session, actor=actor, action=action, subject=message.message_id, detail=detail, at=at)
