"""How a second engine hears of jobs: it is told in the transaction that asks for one, and can be asked what it lost.

The `job` row stays the truth (its state, its lease, its error). A carrier is only the way by which the other engine
comes to look at the row; the embedded loop looks by itself and needs none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Protocol, cast

from flask import Flask, current_app
from sqlalchemy.orm import Session

_KEY = "yikou.job_carrier"


class Carrier(Protocol):
    """What an engine with a queue of its own implements. Both run inside the caller's transaction."""

    def carry(self, session: Session, job_ids: Sequence[str], *, due_at: dt.datetime | None = None) -> None:
        """Step: have these jobs looked at, now or at `due_at` (wire time); undone when the transaction is."""
        ...

    def find_lost(self, session: Session, *, due_before: dt.datetime) -> list[str]:
        """Pending jobs due before that time which nothing carries any more."""
        ...


def use_carrier(app: Flask, carrier: Carrier | None) -> None:
    """From now on jobs of this application are carried by `carrier` (None: the embedded loop looks by itself)."""
    app.extensions[_KEY] = carrier


def carry(session: Session, job_ids: Sequence[str], *, due_at: dt.datetime | None = None) -> None:
    """Step: tell the engine of these jobs, if it wants to be told."""
    carrier = cast(Carrier | None, current_app.extensions.get(_KEY))
    if carrier is not None and job_ids:
        carrier.carry(session, job_ids, due_at=due_at)


def carry_lost(session: Session, *, due_before: dt.datetime) -> int:
    """Step: carry again what was lost on the way, or queued under the other engine. Answers how many."""
    carrier = cast(Carrier | None, current_app.extensions.get(_KEY))
    lost = carrier.find_lost(session, due_before=due_before) if carrier is not None else []
    carry(session, lost)
    return len(lost)
