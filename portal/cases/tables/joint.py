"""What all providers of a case share: the visit, the reply, the applicant's choice, the contracts."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Id, Json, Model


class Visit(Model):
    """到场: one appointment of the joint survey, found from all slots."""

    __tablename__ = "visit"
    __table_args__ = (
        UniqueConstraint("case_id", "round"),
        CheckConstraint("state in ('fixed','done','cancelled')", name="state"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"), index=True)
    round: Mapped[int]
    state: Mapped[str] = mapped_column(String(16), default="fixed")
    start_at: Mapped[dt.datetime]
    end_at: Mapped[dt.datetime]
    providers: Mapped[list[str]] = mapped_column(Json)
    reason: Mapped[str] = mapped_column(String(400), default="")
    crews: Mapped[dict[str, str]] = mapped_column(Json, default=dict)  # provider -> who comes for it


class JointReply(Model):
    """联合答复: part 1 and numbered supplements. `content` is the merged reply as issued (frozen values)."""

    __tablename__ = "joint_reply"
    __table_args__ = (UniqueConstraint("case_id", "part"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"), index=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    part: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(Json)
    document_id: Mapped[str | None] = mapped_column(Id)
    issued_at: Mapped[dt.datetime]


class Confirmation(Model):
    """The applicant's choice of one option per provider; issuing the bill and the contracts follows from it."""

    __tablename__ = "confirmation"
    __table_args__ = (UniqueConstraint("case_id", "provider"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"), index=True)
    provider: Mapped[str] = mapped_column(String(64))
    option_code: Mapped[str] = mapped_column(String(40))
    option: Mapped[dict[str, Any]] = mapped_column(Json)
    confirmed_at: Mapped[dt.datetime]
    confirmed_by: Mapped[str] = mapped_column(String(64))


class Contract(Model):
    """The supply contract with one provider (供用电、供用水…合同); all are signed in one session."""

    __tablename__ = "contract"
    __table_args__ = (UniqueConstraint("case_id", "provider"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"), index=True)
    provider: Mapped[str] = mapped_column(String(64))
    number: Mapped[str] = mapped_column(String(40), unique=True)
    document_id: Mapped[str | None] = mapped_column(Id)
    made_at: Mapped[dt.datetime]
    signed_at: Mapped[dt.datetime | None]
    signed_by: Mapped[str | None] = mapped_column(String(64))
