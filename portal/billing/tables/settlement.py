"""结算 per provider, rail and day, and 对账 against the gateway's statements."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Id, Model, insert_only


class Settlement(Model):
    """One provider's money of one day and rail. On COMBINE and PLAIN the provider has it already: a statement.

    `fee_fen` is the fee the gateway's statement shows, known once reconciled; net = gross − fee.
    """

    __tablename__ = "settlement"
    __table_args__ = (
        UniqueConstraint("provider", "rail", "day"),
        CheckConstraint("state in ('FROZEN','HELD','RECONCILED')", name="state"),
        CheckConstraint("net_fen = gross_fen - fee_fen", name="net"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    provider: Mapped[str] = mapped_column(String(64), index=True)
    rail: Mapped[str] = mapped_column(String(16))
    day: Mapped[dt.date] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(String(16), default="FROZEN")
    n: Mapped[int]
    gross_fen: Mapped[int] = mapped_column(BigInteger)
    fee_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    net_fen: Mapped[int] = mapped_column(BigInteger)
    settled_at: Mapped[dt.datetime]
    reconciled_at: Mapped[dt.datetime | None]


@insert_only
class SettlementItem(Model):
    """An allocation is in one settlement at most."""

    __tablename__ = "settlement_item"

    allocation_id: Mapped[str] = mapped_column(ForeignKey("allocation.id"), primary_key=True)
    settlement_id: Mapped[str] = mapped_column(ForeignKey("settlement.id"), index=True)
    amount_fen: Mapped[int] = mapped_column(BigInteger)


@insert_only
class StatementFile(Model):
    """The gateway's statement of one day, as fetched."""

    __tablename__ = "statement_file"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    day: Mapped[dt.date] = mapped_column(unique=True)
    sha1: Mapped[str] = mapped_column(String(40))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    imported_at: Mapped[dt.datetime]


@insert_only
class StatementLine(Model):
    """One trade of a statement; fen."""

    __tablename__ = "statement_line"
    __table_args__ = (UniqueConstraint("file_id", "line_no"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    file_id: Mapped[str] = mapped_column(ForeignKey("statement_file.id"))
    line_no: Mapped[int]
    merchant_id: Mapped[str] = mapped_column(String(32))
    transaction_id: Mapped[str] = mapped_column(String(64), index=True)
    out_trade_no: Mapped[str] = mapped_column(String(32), index=True)
    trade_state: Mapped[str] = mapped_column(String(16))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    fee_fen: Mapped[int] = mapped_column(BigInteger)
    success_on: Mapped[dt.date]


class ReconItem(Model):
    """One compared item. `rolled`: missing on one side, waits for the next day; `open`: a person must look."""

    __tablename__ = "recon_item"
    __table_args__ = (
        UniqueConstraint("day", "key"),
        CheckConstraint(
            "class in ('MATCHED','LONG','SHORT','AMOUNT','FEE','STATUS','DUPLICATE','CUTOFF')", name="class"
        ),
        CheckConstraint("state in ('closed','rolled','open')", name="state"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    day: Mapped[dt.date]
    key: Mapped[str] = mapped_column(String(48))  # `their:<line>` or `our:<sub-order>`
    class_: Mapped[str] = mapped_column("class", String(16))
    state: Mapped[str] = mapped_column(String(16), index=True)
    statement_line_id: Mapped[str | None] = mapped_column(ForeignKey("statement_line.id"))
    sub_order_id: Mapped[str | None] = mapped_column(ForeignKey("payment_sub_order.id"), index=True)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    diff_fen: Mapped[int] = mapped_column(BigInteger)
    entry_id: Mapped[str | None] = mapped_column(ForeignKey("entry.id"))  # where it sits in suspense
    found_at: Mapped[dt.datetime]
    closed_at: Mapped[dt.datetime | None]
