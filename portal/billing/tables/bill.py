"""联合账单 and its lines. Issued lines are never rewritten; only what is paid on them moves, and a CHECK bounds it."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Id, Model


class Bill(Model):
    """One bill of a case; later parts of the reply bring further versions. A bill of zero is paid at once."""

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
    document_id: Mapped[str | None] = mapped_column(Id)
    issued_at: Mapped[dt.datetime]
    paid_at: Mapped[dt.datetime | None]


class BillLine(Model):
    """One charge of one payee. `held_by` is the payment under way for it, so that two tabs cannot pay it twice."""

    __tablename__ = "bill_line"
    __table_args__ = (
        UniqueConstraint("bill_id", "position"),
        CheckConstraint("0 <= paid_fen and paid_fen <= due_fen", name="paid"),
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
