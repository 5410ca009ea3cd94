"""What providers' answers contradict each other in, and who settled it how."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Id, Json, Model


class AnswerConflict(Model):
    """冲突: found before a reply goes out. `gone`: other answers came in, and there is nothing to settle any more.

    `agreed`: provider → {resolution, note, by}: what each proposes; the same of all settles it without the agency.
    """

    __tablename__ = "answer_conflict"
    __table_args__ = (
        UniqueConstraint("case_id", "key"),
        CheckConstraint("state in ('open','settled','gone')", name="state"),
        CheckConstraint("(state = 'settled') = (settled_by is not null)", name="settled"),
        Index("ix_answer_conflict_state_due", "state", "due_at"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case.id"), index=True)
    key: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(16))
    utilities: Mapped[list[str]] = mapped_column(Json)
    providers: Mapped[list[str]] = mapped_column(Json)
    facts: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(16), default="open")
    opened_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime | None]
    agreed: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    settled_at: Mapped[dt.datetime | None]
    settled_by: Mapped[str | None] = mapped_column(String(100))
    resolution: Mapped[str | None] = mapped_column(String(40))
    note: Mapped[str | None] = mapped_column(String(400))
