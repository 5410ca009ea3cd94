"""The catalog as it is in force: one row per version (never edited), and the working calendar as a table to edit."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Date, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Json, Model


class CatalogVersion(Model):
    """One version as loaded from its files; `digest` is the SHA-256 of `content`, `loaded_at` when it came in force.

    Cases pin the version they were accepted under.
    """

    __tablename__ = "catalog_version"

    version: Mapped[str] = mapped_column(String(64), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    content: Mapped[dict[str, Any]] = mapped_column(Json)
    loaded_at: Mapped[dt.datetime] = mapped_column(index=True)


class CalendarDay(Model):
    """A day that differs from Monday–Friday, or New Year's Day as the mark that its year is known.

    `provisional`: the year has no official decision yet; the next import replaces these rows and no others.
    """

    __tablename__ = "calendar_day"

    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    is_working: Mapped[bool]
    note: Mapped[str] = mapped_column(String(100), default="")
    provisional: Mapped[bool] = mapped_column(default=False)
