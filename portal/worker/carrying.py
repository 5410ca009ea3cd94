"""Jobs handed to Procrastinate: one carrier row for a job, written by the caller's own connection in its transaction.

A carrier says only "look at job X". Losing one, having two or running one twice changes nothing: the job's own row
decides, and the sweep carries again what lies there with no carrier.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from procrastinate import App, SyncPsycopgConnector
from procrastinate.types import JSONDict
from sqlalchemy import text
from sqlalchemy.orm import Session

RUN_JOB = "run_job"
JOBS_QUEUE = "jobs"
_LOST = text(
    """
    SELECT job.id FROM job
    WHERE job.state = 'pending' AND job.due_at <= :due_before AND NOT EXISTS (
      SELECT 1 FROM procrastinate_jobs carrier
      WHERE carrier.status = 'todo' AND carrier.task_name = :task AND carrier.args ->> 'job_id' = job.id)
    """
)


class ProcrastinateCarrier:
    """Defers on the connection of the session it is given; has no connection of its own."""

    def __init__(self) -> None:
        self._app = App(connector=SyncPsycopgConnector())  # never opened

    def carry(self, session: Session, job_ids: Sequence[str], *, due_at: dt.datetime | None = None) -> None:
        """Step: a carrier for each of these jobs; undone when the transaction is."""
        deferrer = self._app.configure_task(
            RUN_JOB,
            queue=JOBS_QUEUE,
            schedule_at=due_at,
            connection=session.connection().connection.driver_connection,
        )
        carriers: list[JSONDict] = [{"job_id": job_id} for job_id in job_ids]
        deferrer.batch_defer(*carriers)

    def find_lost(self, session: Session, *, due_before: dt.datetime) -> list[str]:
        """Waiting jobs that no waiting carrier names. One that is being fetched right now may be among them."""
        return list(session.scalars(_LOST, {"due_before": due_before, "task": RUN_JOB}))
