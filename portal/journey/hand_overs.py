"""What a person does about hand-overs: send again, apply again, close an alarm. Every act is in the audit trail."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.billing.tables import GatewayNotice
from portal.exchange.access import SENT_LEVELS
from portal.exchange.outbox import WAKE
from portal.exchange.tables import InboxMessage, Job, OutboxMessage, ProviderAccess
from portal.exchange.trouble_tables import HandOverAlarm
from portal.journey import hand_over_alarms, jobs, payment_answers, reports, statuses
from portal.journey.inbox import apply_bounded, keep_answer
from portal.kernel import audit
from portal.kernel.database import transaction
from portal.kernel.errors import Conflict, FieldError, Invalid, NotFound
from portal.kernel.guard import try_change
from portal.kernel.policy import Actor, require

RESENDABLE = ("dead", "gone", "kept")


def replay_hand_over(actor: Actor, *, message_id: str, at: dt.datetime, wire_at: dt.datetime) -> None:
    """Send a message again that was given up, kept or whose endpoint was gone: same id, same bytes, all tries anew.

    Raises NotAllowed, NotFound, Conflict (`not_replayable`, `no_endpoint`).
    """
    require(actor, "exchange.replay")
    with transaction() as session:
        row = session.scalars(select(OutboxMessage).where(OutboxMessage.message_id == message_id)).one_or_none()
        if row is None:
            raise NotFound
        _check_endpoint(session, row.destination)
        values = {"state": "pending", "attempts": 0, "in_doubt": False, "next_at": wire_at}
        if row.state not in RESENDABLE or not try_change(session, OutboxMessage, row.seq, {"state": row.state}, values):
            raise Conflict("该消息正在发送、已送达，或需要先向对方核实。", code="not_replayable")
        session.info[WAKE] = True
        _note(session, actor, "exchange.replayed", message_id, at, destination=row.destination, kind=row.kind)


def replay_inbox(actor: Actor, *, inbox_id: str, at: dt.datetime, wire_at: dt.datetime) -> str:
    """Apply a refused report again, as its provider's; answers its state after. Its answer is replaced by the new one.

    The sender's next call under the same id then gets that answer. Raises NotAllowed, NotFound, Conflict.
    """
    require(actor, "exchange.replay")
    with transaction() as session:
        row = session.get(InboxMessage, inbox_id, with_for_update=True)
        if row is None or row.raw is None:
            raise NotFound
        if row.kind == "status":
            _note(session, actor, "exchange.inbox_replayed", inbox_id, at, sender=row.sender)
            return statuses.apply_stored(session, row, at=at, wire_at=wire_at)
        if row.task_id is None:
            raise NotFound
        if row.state != "refused":
            raise Conflict("该消息已经办理，无需再次处理。", code="not_replayable")
        sender = Actor(kind="provider", id=row.sender, provider_code=row.sender, scopes=frozenset({"reports"}))
        raw, task_id = row.raw, row.task_id
        status, body = apply_bounded(
            session,
            lambda inner: reports.apply_report(inner, sender, task_id=task_id, raw=raw, at=at, wire_at=wire_at),
        )
        state = keep_answer(session, row.id, status, body, raw=raw, task_id=task_id)
        _note(session, actor, "exchange.inbox_replayed", inbox_id, at, sender=row.sender, status=status)
        return state


def replay_notice(actor: Actor, *, notice_id: str, at: dt.datetime, wire_at: dt.datetime) -> str:
    """Act on a refused gateway notice again, after what stood against it was mended; answers its state after."""
    require(actor, "exchange.replay")
    _reopen_notice(actor, notice_id, at)
    return payment_answers.apply_notice(notice_id, at=at, wire_at=wire_at)


def replay_failed_job(actor: Actor, *, job_id: str, at: dt.datetime, wire_at: dt.datetime) -> None:
    """Send a failed job round again. Raises NotAllowed, NotFound, Conflict."""
    require(actor, "exchange.replay")
    _note_job(actor, job_id, at)
    jobs.replay_job(job_id, wire_at=wire_at)


def _note_job(actor: Actor, job_id: str, at: dt.datetime) -> None:
    with transaction() as session:
        job = session.get(Job, job_id)
        if job is None:
            raise NotFound
        _note(session, actor, "job.replayed", job_id, at, kind=job.kind, key=job.key)


def close_alarm(actor: Actor, *, alarm_id: str, note: str, at: dt.datetime) -> None:
    """A person has seen to it by other means and says how. Raises NotAllowed, Invalid (`note`), NotFound, Conflict."""
    require(actor, "exchange.resolve")
    if not note.strip():
        raise Invalid([FieldError("note", "请写明如何处理的。", "required")])
    with transaction() as session:
        row = session.get(HandOverAlarm, alarm_id)
        if row is None:
            raise NotFound
        if not hand_over_alarms.resolve(session, alarm_id, by=actor.name, resolution="closed", at=at):
            raise Conflict("该告警已经处理。", code="not_open")
        facts = {"reason": row.reason, "about": row.subject, "note": note.strip()[:400]}
        _note(session, actor, "exchange.alarm_closed", alarm_id, at, **facts)


def _reopen_notice(actor: Actor, notice_id: str, at: dt.datetime) -> None:
    with transaction() as session:
        if session.get(GatewayNotice, notice_id) is None:
            raise NotFound
        if not try_change(session, GatewayNotice, notice_id, {"state": "refused"}, {"state": "stored", "reason": None}):
            raise Conflict("该通知已经办理，无需再次处理。", code="not_replayable")
        _note(session, actor, "exchange.notice_replayed", notice_id, at)


def _check_endpoint(session: Session, destination: str) -> None:
    scheme, _, code = destination.partition(":")
    if scheme != "provider":
        return
    access = session.get(ProviderAccess, code)
    if access is None or access.level not in SENT_LEVELS or access.disabled_at is not None:
        raise Conflict("该单位目前没有可用的接收地址，请先切换接入方式或恢复地址。", code="no_endpoint")


def _note(session: Session, actor: Actor, action: str, subject: str, at: dt.datetime, **detail: object) -> None:
    audit.record(session, actor=actor, action=action, subject=subject, detail=detail, at=at)
