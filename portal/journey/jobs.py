"""Jobs: work that follows a transaction (rendering, applying an answer), written in it and run by the worker."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, select, update
from sqlalchemy.orm import Session

from portal.exchange.dialects import insert_unless_there
from portal.exchange.outbox import WAKE
from portal.exchange.schedule import job_delay_s
from portal.exchange.tables import Job
from portal.journey.job_carrier import carry, carry_lost
from portal.kernel import failpoints
from portal.kernel.database import db, transaction
from portal.kernel.guard import change, try_change
from portal.kernel.ids import new_id

LEASE = dt.timedelta(minutes=5)
MAX_ATTEMPTS = 8
_ON_ITS_WAY = dt.timedelta(seconds=1)  # a job due just now may have been fetched and not yet claimed

_TABLE = Job.__table__
assert isinstance(_TABLE, Table)
_DUE = (
    select(_TABLE.c.id)
    .where(_TABLE.c.state == "pending", _TABLE.c.due_at <= bindparam("now"))
    .order_by(_TABLE.c.due_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_LEASE_IT = (
    update(_TABLE)
    .values(
        state="leased",
        attempts=_TABLE.c.attempts + 1,
        lease_owner=bindparam("owner"),
        lease_until=bindparam("until"),
    )
    .returning(_TABLE.c.id, _TABLE.c.kind, _TABLE.c.key, _TABLE.c.payload, _TABLE.c.attempts)
)
_CLAIM = _LEASE_IT.where(_TABLE.c.id.in_(_DUE))
_CLAIM_ONE = _LEASE_IT.where(_TABLE.c.id == bindparam("job_id"), _TABLE.c.state == "pending")
_NEXT = select(_TABLE.c.due_at).where(_TABLE.c.state == "pending").order_by(_TABLE.c.due_at).limit(1)


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """One job to run now; `attempt` counts from 1."""

    id: str
    kind: str
    key: str
    payload: Mapping[str, Any]
    attempt: int


def queue_job(
    session: Session,
    *,
    kind: str,
    key: str,
    payload: Mapping[str, Any],
    wire_at: dt.datetime,
    due_at: dt.datetime | None = None,
) -> bool:
    """Step: ask for a job once; False when (kind, key) has been asked for before. `due_at` is wire time."""
    job_id = new_id()
    is_new = insert_unless_there(
        session,
        Job,
        {
            "id": job_id,
            "kind": kind,
            "key": key,
            "payload": dict(payload),
            "state": "pending",
            "attempts": 0,
            "due_at": due_at or wire_at,
            "queued_at": wire_at,
        },
        unique=("kind", "key"),
    )
    if is_new:
        carry(session, [job_id], due_at=due_at)
    session.info[WAKE] = True
    return is_new


def claim_jobs(*, limit: int, owner: str, wire_at: dt.datetime, lease: dt.timedelta = LEASE) -> list[ClaimedJob]:
    """Use case: lease up to `limit` due jobs to `owner`."""
    with transaction() as session:
        rows = session.execute(_CLAIM, {"now": wire_at, "most": limit, "owner": owner, "until": wire_at + lease}).all()
        failpoints.hit("jobs.before-claim-commit")
    failpoints.hit("jobs.after-claim-commit")
    return [ClaimedJob(*row) for row in rows]


def claim_job(job_id: str, *, owner: str, wire_at: dt.datetime, lease: dt.timedelta = LEASE) -> ClaimedJob | None:
    """Use case: lease this one job to `owner`; None when it is not waiting (any more).

    Whether it is due was decided by the queue that brought it here, by the database's clock.
    """
    with transaction() as session:
        row = session.execute(_CLAIM_ONE, {"job_id": job_id, "owner": owner, "until": wire_at + lease}).one_or_none()
        failpoints.hit("jobs.before-claim-commit")
    failpoints.hit("jobs.after-claim-commit")
    return None if row is None else ClaimedJob(*row)


def renew_jobs(held: Mapping[str, int], *, owner: str, wire_at: dt.datetime, lease: dt.timedelta = LEASE) -> None:
    """Use case: `owner` lives and still runs these jobs (id → attempt): nobody else may take them yet."""
    with transaction() as session:
        for job_id, attempt in held.items():
            mine = {"state": "leased", "lease_owner": owner, "attempts": attempt}
            try_change(session, Job, job_id, mine, {"lease_until": wire_at + lease})


def finish_job(job: ClaimedJob, *, owner: str, wire_at: dt.datetime) -> bool:
    """Use case: the job ran to its end. False when its lease had passed to somebody else."""
    with transaction() as session:
        done = try_change(
            session,
            Job,
            job.id,
            {"state": "leased", "lease_owner": owner, "attempts": job.attempt},
            {"state": "done", "finished_at": wire_at, "lease_owner": None, "lease_until": None, "last_error": None},
        )
        failpoints.hit("jobs.before-finish-commit")
    failpoints.hit("jobs.after-finish-commit")
    return done


def fail_job(job: ClaimedJob, *, owner: str, error: str, wire_at: dt.datetime, retry_scale: float) -> None:
    """Use case: the job raised. It comes back later, or after the last try stays `failed` with its error to see."""
    is_last = job.attempt >= MAX_ATTEMPTS
    due_at = wire_at + dt.timedelta(seconds=job_delay_s(job.attempt) * retry_scale)
    with transaction() as session:
        was_mine = try_change(
            session,
            Job,
            job.id,
            {"state": "leased", "lease_owner": owner, "attempts": job.attempt},
            {
                "state": "failed" if is_last else "pending",
                "due_at": due_at,
                "last_error": error[:2000],
                "lease_owner": None,
                "lease_until": None,
            },
        )
        if was_mine and not is_last:
            carry(session, [job.id], due_at=due_at)


def reclaim_jobs(*, owner: str, wire_at: dt.datetime) -> int:
    """Use case, at boot: what a killed worker of this name held is due again. Answers how many."""
    with transaction() as session:
        return _release(session, wire_at, Job.lease_owner == owner)


def sweep_jobs(*, wire_at: dt.datetime) -> int:
    """Use case, now and then: expired leases of workers that did not come back are due again. Answers how many.

    What the engine's own queue has lost is carried again.
    """
    with transaction() as session:
        return _release(session, wire_at, Job.lease_until < wire_at) + carry_lost(
            session, due_before=wire_at - _ON_ITS_WAY
        )


def _release(session: Session, wire_at: dt.datetime, which: ColumnElement[bool]) -> int:
    released = session.scalars(
        update(Job)
        .where(Job.state == "leased", which)
        .values(state="pending", due_at=wire_at, lease_owner=None, lease_until=None)
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    ).all()
    carry(session, released)
    return len(released)


def replay_job(job_id: str, *, wire_at: dt.datetime) -> None:
    """Use case: a person sends a failed job round again. Raises Conflict when it is not failed."""
    with transaction() as session:
        change(session, Job, job_id, {"state": "failed"}, {"state": "pending", "attempts": 0, "due_at": wire_at})
        carry(session, [job_id])
        session.info[WAKE] = True


def next_job_at() -> dt.datetime | None:
    """When the earliest waiting job is due (wire time)."""
    return db.session.scalars(_NEXT).one_or_none()


def failed_jobs(limit: int = 100) -> Sequence[Job]:
    """The jobs that need a person, newest first."""
    return db.session.scalars(
        select(Job).where(Job.state == "failed").order_by(Job.queued_at.desc()).limit(limit)
    ).all()
