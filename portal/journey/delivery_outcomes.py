"""What became of sent messages, written down in groups: one commit for as many outcomes as have come in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, or_, update
from sqlalchemy.orm import Session

from portal.exchange import breaker
from portal.exchange.dialects import insert_unless_there
from portal.exchange.port import Delivered, Message, Outcome, Refused, Repetition, Unknown
from portal.exchange.schedule import MAX_RETRY_AFTER_S, retry_delay_s
from portal.exchange.tables import DestinationHealth, OutboxMessage, ProviderAccess
from portal.exchange.trouble_tables import OutboxTry
from portal.journey import delivery_read_backs
from portal.journey.delivery import ANSWERED, APPLY_ANSWER, claim_messages
from portal.journey.delivery_rooms import health_of
from portal.journey.jobs import queue_job
from portal.kernel import failpoints
from portal.kernel.database import transaction

_OUTBOX = OutboxMessage.__table__
_HELD = or_(*(_OUTBOX.c.state == state for state in ("pending", "leased", "dead", "unknown")))
_DELIVERED = (
    update(OutboxMessage)
    # Whoever holds it now: that it arrived is true whatever became of our lease.
    .where(_OUTBOX.c.message_id == bindparam("b_id"), _HELD)
    .values(
        state="delivered",
        delivered_at=bindparam("b_at"),
        last_status=bindparam("b_status"),
        response=bindparam("b_response"),
        read_back=bindparam("b_read_back"),
        lease_owner=None,
        lease_until=None,
        last_error=None,
    )
)
_ANSWER_KEPT = 2_000
_WELL_AGAIN = (
    update(DestinationHealth)
    .where(DestinationHealth.destination.in_(bindparam("well", expanding=True)), DestinationHealth.failures > 0)
    .values(failures=0, opened_until=None, probing_until=None, held_until=None, last_success_at=bindparam("now"))
    .execution_options(synchronize_session=False)
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sending of one message and its outcome; `repetition` is what its adapter declares."""

    message: Message
    outcome: Outcome
    repetition: Repetition = "idempotent"


def record_outcomes(
    attempts: Sequence[Attempt],
    *,
    owner: str,
    wire_at: dt.datetime,
    retry_scale: float,
    jitter: Callable[[], float],
) -> None:
    """Use case: store all these outcomes in one commit. `jitter` gives a number in 0…1 for each retry."""
    with transaction() as session:
        _record(session, attempts, owner, wire_at, retry_scale, jitter)
        failpoints.hit("outbox.before-record-commit")
    failpoints.hit("outbox.after-record-commit")


def record_and_claim(
    attempts: Sequence[Attempt],
    *,
    limit: int,
    owner: str,
    wire_at: dt.datetime,
    retry_scale: float,
    jitter: Callable[[], float],
    lease: dt.timedelta,
) -> list[Message]:
    """Use case: store these outcomes and lease up to `limit` next messages in one commit.

    A commit that reaches the disk is what a delivery costs most: a busy worker makes one do for both.
    """
    with transaction() as session:
        _record(session, attempts, owner, wire_at, retry_scale, jitter)
        messages = claim_messages(session, limit=limit, owner=owner, wire_at=wire_at, lease=lease)
        failpoints.hit("outbox.before-record-commit")
    failpoints.hit("outbox.after-record-commit")
    if messages:
        failpoints.hit("outbox.after-claim-commit")
    return messages


def _record(
    session: Session,
    attempts: Sequence[Attempt],
    owner: str,
    wire_at: dt.datetime,
    scale: float,
    jitter: Callable[[], float],
) -> None:
    arrived = [(a.message, a.outcome) for a in attempts if isinstance(a.outcome, Delivered)]
    if arrived:
        _record_arrived(session, [pair for pair in arrived if not pair[0].reads_only], wire_at)
        delivery_read_backs.record_unread(session, arrived, wire_at, scale)
    for attempt in attempts:
        if not isinstance(attempt.outcome, Delivered):
            _record_failed(session, attempt, owner, wire_at, scale, jitter())


def _record_arrived(session: Session, arrived: Sequence[tuple[Message, Delivered]], wire_at: dt.datetime) -> None:
    if not arrived:
        return
    session.connection().execute(
        _DELIVERED,
        [
            {
                "b_id": message.id,
                "b_at": wire_at,
                "b_status": outcome.status,
                # Whole where somebody waits for it; else its beginning, for whoever looks after hand-overs.
                "b_response": outcome.body if message.kind in ANSWERED else outcome.body[:_ANSWER_KEPT] or None,
                "b_read_back": outcome.read_back,
            }
            for message, outcome in arrived
        ],
    )
    for message, _ in arrived:
        if message.kind in ANSWERED:
            payload = {"message_id": message.id}
            queue_job(session, kind=APPLY_ANSWER, key=message.id, payload=payload, wire_at=wire_at)
    well = {message.destination for message, _ in arrived}
    session.execute(_WELL_AGAIN, {"well": list(well), "now": wire_at})


def _record_failed(
    session: Session, attempt: Attempt, owner: str, wire_at: dt.datetime, scale: float, jitter: float
) -> None:
    message, outcome = attempt.message, attempt.outcome
    assert isinstance(outcome, Refused | Unknown)
    refused = outcome if isinstance(outcome, Refused) else None
    values = _next_step(attempt, wire_at, scale, jitter)
    _note_try(session, message, outcome, wire_at)
    session.execute(
        update(OutboxMessage)
        .where(
            OutboxMessage.message_id == message.id,
            OutboxMessage.state == "leased",
            OutboxMessage.lease_owner == owner,
            OutboxMessage.attempts == message.attempt,
        )
        .values(
            last_status=refused.status if refused else None,
            last_error=outcome.error[:400],
            lease_owner=None,
            lease_until=None,
            **values,
        )
        .execution_options(synchronize_session=False)
    )
    if refused is not None and refused.gone:
        _disable(session, message.destination, wire_at)
    elif refused is None or refused.status >= 500 or refused.status in (0, 429):
        asked = refused.retry_after_s if refused is not None else None
        _note_failure(session, message.destination, outcome.error, wire_at, scale, asked)


def _note_try(session: Session, message: Message, outcome: Refused | Unknown, wire_at: dt.datetime) -> None:
    refused = outcome if isinstance(outcome, Refused) else None
    session.add(
        OutboxTry(
            message_id=message.id,
            attempt=message.attempt,
            sent_at=message.sent_at,
            ended_at=wire_at,
            outcome="refused" if refused else "unknown",
            status=refused.status if refused else None,
            error=outcome.error[:400],
            retry_after_s=refused.retry_after_s if refused else None,
        )
    )


def _next_step(attempt: Attempt, wire_at: dt.datetime, scale: float, jitter: float) -> dict[str, Any]:
    outcome = attempt.outcome
    if isinstance(outcome, Refused) and outcome.gone:
        return {"state": "gone"}
    if isinstance(outcome, Unknown) and attempt.repetition == "blind":
        return {"state": "unknown"}  # sending it again might act twice: a person finds out (`levels.resolve_unknown`)
    asked = outcome.retry_after_s if isinstance(outcome, Refused) else None
    in_doubt = isinstance(outcome, Unknown)
    delay = retry_delay_s(attempt.message.attempt, jitter=jitter, scale=scale, retry_after_s=asked)
    if delay is None:
        return {"state": "dead"}
    return {"state": "pending", "in_doubt": in_doubt, "next_at": wire_at + dt.timedelta(seconds=delay)}


def _disable(session: Session, destination: str, wire_at: dt.datetime) -> None:
    """410: the endpoint does not want to be called any more; what waits for it waits for a person."""
    scheme, _, code = destination.partition(":")
    if scheme == "provider":
        session.execute(
            update(ProviderAccess)
            .where(ProviderAccess.provider == code)
            .values(disabled_at=wire_at)
            .execution_options(synchronize_session=False)
        )
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.destination == destination, OutboxMessage.state == "pending")
        .values(state="gone")
        .execution_options(synchronize_session=False)
    )


def _note_failure(
    session: Session, destination: str, error: str, wire_at: dt.datetime, scale: float, asked_s: float | None
) -> None:
    insert_unless_there(
        session, DestinationHealth, {"destination": destination, "failures": 0}, unique=("destination",)
    )
    row = session.get_one(DestinationHealth, destination, with_for_update=True, populate_existing=True)
    after = breaker.after_failure(health_of(row), wire_at, scale=scale)
    row.failures, row.opened_until, row.probing_until = after.failures, after.opened_until, after.probing_until
    row.last_failure_at, row.last_error = wire_at, error[:400]
    if asked_s is not None:
        # It asked all of us to rest, not only this message; its clock is the real one, so nothing is scaled.
        row.held_until = wire_at + dt.timedelta(seconds=min(asked_s, MAX_RETRY_AFTER_S))
    session.flush()
