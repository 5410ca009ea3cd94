"""Moving the demo's calendar. Only a portal in demo mode offers it, and time never goes back."""

from __future__ import annotations

import datetime as dt

from portal.kernel.database import transaction
from portal.kernel.errors import Conflict
from portal.kernel.simulated_clock import BusinessClock


def set_clock(at: dt.datetime) -> None:
    """Start the simulated calendar at `at`, unless it runs already."""
    with transaction() as session:
        if session.get(BusinessClock, 1) is None:
            session.add(BusinessClock(id=1, now_at=at, advance_requested=False))


def move_clock(to: dt.datetime) -> None:
    """Move business time forward to `to`; what was asked for is thereby done. Raises Conflict for a time gone by."""
    with transaction() as session:
        row = session.get(BusinessClock, 1, with_for_update=True)
        if row is None:
            session.add(BusinessClock(id=1, now_at=to, advance_requested=False))
            return
        if to < row.now_at:
            raise Conflict("演示时间只能向前。", code="clock_goes_forward")
        row.now_at, row.advance_requested = to, False


def request_advance() -> None:
    """Somebody wants to see what happens next; the demo driver moves the clock when nothing is under way."""
    with transaction() as session:
        row = session.get(BusinessClock, 1, with_for_update=True)
        if row is not None:
            row.advance_requested = True
