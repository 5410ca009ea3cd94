"""How the joint visit comes about: rounds, the proposals of each, and the crews with standing hours."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Id, Json, Model


class VisitRound(Model):
    """One round of finding a time. `asked`: other slots were asked for; `offered`: the applicant may choose.

    `ends_at`: when the portal goes on by itself: the best proposal is taken, or the fewest visits are offered.
    """

    __tablename__ = "visit_round"
    __table_args__ = (
        UniqueConstraint("case_id", "number"),
        CheckConstraint("state in ('asked','offered','settled','declined')", name="state"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"), index=True)
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    opened_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime] = mapped_column(index=True)
    wishes: Mapped[list[dict[str, str]]] = mapped_column(Json, default=list)  # said when declining the round before


class VisitProposal(Model):
    """One plan the applicant may accept with one click; `visits`: [{start_at, end_at, providers, crews}]."""

    __tablename__ = "visit_proposal"
    __table_args__ = (
        UniqueConstraint("round_id", "rank"),
        CheckConstraint("state in ('offered','accepted','declined','lapsed')", name="state"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    round_id: Mapped[str] = mapped_column(ForeignKey("visit_round.id"), index=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"), index=True)
    rank: Mapped[int]
    state: Mapped[str] = mapped_column(String(16), default="offered")
    visits: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    absent: Mapped[list[str]] = mapped_column(Json, default=list)
    reason: Mapped[str] = mapped_column(String(400), default="")
    answered_at: Mapped[dt.datetime | None]
    answered_by: Mapped[str | None] = mapped_column(String(100))
    note: Mapped[str | None] = mapped_column(String(400))


class Crew(Model):
    """班组: who goes out for a provider. `week`: standing hours [{weekday 0–6, start, end}], local time."""

    __tablename__ = "crew"
    __table_args__ = (UniqueConstraint("provider", "name"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    provider: Mapped[str] = mapped_column(String(64), index=True)
    name: Mapped[str] = mapped_column(String(50))
    people: Mapped[list[str]] = mapped_column(Json, default=list)
    skills: Mapped[list[str]] = mapped_column(Json, default=list)
    week: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    is_active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)
