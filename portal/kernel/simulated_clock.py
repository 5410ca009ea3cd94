"""The demo's business clock: one stored value, moved only by the demo driver. Wire time stays real."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.clock import RealClock
from portal.kernel.database import Model, db


class BusinessClock(Model):
    """The one row: business time, and whether somebody asked to go on to the next event."""

    __tablename__ = "business_clock"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    now_at: Mapped[dt.datetime]
    advance_requested: Mapped[bool] = mapped_column(default=False)


class SimulatedClock(RealClock):
    """Business time from the stored row; real time until the row is there. Needs an application context."""

    def business_now(self) -> dt.datetime:
        """The stored business time."""
        row = db.session.get(BusinessClock, 1, populate_existing=True)
        return super().business_now() if row is None else row.now_at
