"""What this portal's worker does: which use case runs for which job, and what each turn of the clock brings about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from portal.journey import (
    clocks,
    delivery,
    hand_over_alarms,
    papers,
    sandbox,
    sandbox_checks,
    sealing,
    statuses,
    sweeping,
)
from portal.journey.money_jobs import MONEY_JOBS
from portal.worker.port import JobKind

SEAL_EVERY = dt.timedelta(seconds=30)
SWEEP_EVERY = dt.timedelta(minutes=10)
LOOK_AGAIN = dt.timedelta(seconds=2)


def job_kinds(base_url: str) -> Mapping[str, JobKind]:
    """Job kind → the use case that runs it; papers carry addresses under `base_url`."""

    def render_document(payload: Mapping[str, Any], at: dt.datetime, _wire_at: dt.datetime) -> object:
        return papers.render_document(payload["document_id"], at, base_url=base_url)

    return {
        **MONEY_JOBS,
        delivery.APPLY_ANSWER: delivery.apply_answer,
        "render_document": render_document,
        statuses.APPLY_STATUS: statuses.apply_status_job,
        sandbox.PROBE_JOB: sandbox_checks.run_checks,
        sandbox.PUSH_JOB: sandbox_checks.push_events,
    }


class Ticks:
    """Called often. Looks at the clocks when business time has moved, else now and then; seals the audit, sweeps."""

    def __init__(self, *, wire_at: dt.datetime) -> None:
        self._looked_for: dt.datetime | None = None
        self._looked_at = self._sealed_at = self._swept_at = wire_at

    def __call__(self, at: dt.datetime, wire_at: dt.datetime) -> None:
        """One turn; business time decides what is due, and in the demo it stands still most of the time."""
        if at != self._looked_for or wire_at - self._looked_at >= LOOK_AGAIN:
            self._looked_for, self._looked_at = at, wire_at
            clocks.tick(at=at, wire_at=wire_at)
            hand_over_alarms.watch(at=at, wire_at=wire_at)
        if wire_at - self._sealed_at >= SEAL_EVERY:
            self._sealed_at = wire_at
            sealing.seal_audit(at)
        if wire_at - self._swept_at >= SWEEP_EVERY:
            self._swept_at = wire_at
            sweeping.sweep(at)
