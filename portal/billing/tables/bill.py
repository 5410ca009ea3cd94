"""联合账单 and its lines. Issued lines are never rewritten; only what is paid on them moves, and a CHECK bounds it."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Id, Model


class Bill(Model):
    """One bill of a case; later parts of the reply bring further versions. A bill of zero is paid at once.

    `revision`: raised when lines were set aside; its paper is made anew then. `total_fen`: of the lines that stand.
    """

    __tablename__ = "bill"
    __table_args__ = (
        UniqueConstraint("case_id", "version"),
        CheckConstraint("state in ('issued','paid')", name="state"),
        CheckConstraint("total_fen >= 0", name="total"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    case_id: Mapped[str] = mapped_column(Id, index=True)
    case_no: Mapped[str] = mapped_column(String(32))
    version: Mapped[int]
    subject_id: Mapped[str] = mapped_column(String(64), index=True)
    payer_name: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(16))
    total_fen: Mapped[int] = mapped_column(BigInteger)
    revision: Mapped[int] = mapped_column(default=1)
    document_id: Mapped[str | None] = mapped_column(Id)
    issued_at: Mapped[dt.datetime]
    paid_at: Mapped[dt.datetime | None]


class BillLine(Model):
    """One charge of one payee. `held_by` is the payment under way for it, so that two tabs cannot pay it twice.

    `void_at`: since when nothing is asked for it any more (its provider left, its quote changed); what was paid on it
    is owed back. `owed_back_fen`: the part of what was paid that is owed back on a line that stands.
    """

    __tablename__ = "bill_line"
    __table_args__ = (
        UniqueConstraint("bill_id", "position"),
        CheckConstraint("0 <= paid_fen and paid_fen <= due_fen", name="paid"),
        CheckConstraint("0 <= owed_back_fen and owed_back_fen <= paid_fen", name="owed_back"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    bill_id: Mapped[str] = mapped_column(ForeignKey("bill.id"), index=True)
    position: Mapped[int]
    provider: Mapped[str] = mapped_column(String(64))
    payee_name: Mapped[str] = mapped_column(String(200))
    merchant_id: Mapped[str] = mapped_column(String(32))
    item_code: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(200))
    quantity: Mapped[str] = mapped_column(String(32))
    unit: Mapped[str] = mapped_column(String(32))
    unit_price_fen: Mapped[int] = mapped_column(BigInteger)
    due_fen: Mapped[int] = mapped_column(BigInteger)
    paid_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    vat_rate: Mapped[str] = mapped_column(String(16))
    basis: Mapped[str] = mapped_column(String(400))
    merged: Mapped[bool]
    pay_before: Mapped[str] = mapped_column(String(16))
    held_by: Mapped[str | None] = mapped_column(Id)
    void_at: Mapped[dt.datetime | None]
    owed_back_fen: Mapped[int] = mapped_column(BigInteger, default=0)

    @property
    def owed_fen(self) -> int:
        """What is still asked for."""
        return 0 if self.void_at else self.due_fen - self.paid_fen

    @property
    def refund_fen(self) -> int:
        """What of the money paid is owed back to the customer."""
        return self.paid_fen if self.void_at else self.owed_back_fen
