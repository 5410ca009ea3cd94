"""The catalog as it is in force: one row per version (never edited), and the working calendar day by day."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Date, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Json, Model


class CatalogVersion(Model):
    """One version as loaded from its files; cases pin the version they were accepted under."""

    __tablename__ = "catalog_version"

    version: Mapped[str] = mapped_column(String(64), primary_key=True)
    city: Mapped[str] = mapped_column(String(6))
    content: Mapped[dict[str, Any]] = mapped_column(Json)
    loaded_at: Mapped[dt.datetime]


class CalendarDay(Model):
    """A day that differs from Monday–Friday, or New Year's Day as the mark that the year is known."""

    __tablename__ = "calendar_day"

    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    is_working: Mapped[bool]
    provisional: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str | None] = mapped_column(String(100))
