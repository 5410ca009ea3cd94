"""联合施工计划: the one trench of a case, when it is open, what it saves and for whom."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, Date, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Id, Json, Model


class JointWorks(Model):
    """One row a case that opens the ground; remade while nobody has started, `version` counts.

    `lines`: [{provider, utility, depth_m, coordinates}]; `shares`: [{provider, length_m, alone_fen, share_fen}];
    lengths in metres, money in fen; `protected` and `near`: what stands in the way, as found when it was made.
    """

    __tablename__ = "joint_works"
    __table_args__ = (CheckConstraint("state in ('planned','started','finished')", name="state"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"), unique=True)
    division: Mapped[str] = mapped_column(String(6), index=True)
    state: Mapped[str] = mapped_column(String(16), default="planned")
    start_on: Mapped[dt.date] = mapped_column(Date)
    end_on: Mapped[dt.date] = mapped_column(Date)
    lines: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    single_m: Mapped[float]
    union_m: Mapped[float]
    saved_m: Mapped[float]
    price_fen: Mapped[int]
    saved_fen: Mapped[int]
    shares: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    protected: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    near: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    version: Mapped[int] = mapped_column(default=1)
    made_at: Mapped[dt.datetime]
