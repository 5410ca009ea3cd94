"""A quote that a provider changes after review: what it was, what it is to be, and what the applicant said."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Id, Json, Model


class QuoteChange(Model):
    """终版报价: nothing changes before the applicant has confirmed it. `option`: the confirmed one with the new quote.

    `difference_fen`: what the user would pay more (less where it is negative). At most one is open a provider.
    """

    __tablename__ = "quote_change"
    __table_args__ = (
        UniqueConstraint("case_id", "provider", "number"),
        CheckConstraint("state in ('open','accepted','refused')", name="state"),
        Index(
            "uq_quote_change_open",
            "case_id",
            "provider",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"), index=True)
    task_id: Mapped[str] = mapped_column(ForeignKey("task.id"))
    provider: Mapped[str] = mapped_column(String(64))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(16), default="open")
    before: Mapped[dict[str, Any]] = mapped_column(Json)
    option: Mapped[dict[str, Any]] = mapped_column(Json)
    reason: Mapped[str] = mapped_column(String(2000))
    difference_fen: Mapped[int] = mapped_column(BigInteger)
    reported_at: Mapped[dt.datetime]
    decided_at: Mapped[dt.datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(64))
