"""The engines by name, and what each of them needs of the database and of every process that queues jobs."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask

from portal.journey.job_carrier import use_carrier
from portal.worker.carrying import ProcrastinateCarrier
from portal.worker.loop import run_embedded
from portal.worker.port import Engine
from portal.worker.procrastinate_engine import run_procrastinate

ENGINES: Mapping[str, Engine] = {"embedded": run_embedded, "procrastinate": run_procrastinate}


def use_engine(app: Flask, name: str) -> Engine:
    """Jobs queued by this application go to the engine `name`; answers how to run it."""
    use_carrier(app, ProcrastinateCarrier() if name == "procrastinate" else None)
    return ENGINES[name]
