"""The ledger: entries of balanced transfers, insert-only; a stored balance only where a CHECK must bite."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Id, Model, insert_only


@insert_only
class Account(Model):
    """An account by its code, as `PAYABLE:<provider>`; kind A or L. No balance: it follows from the transfers."""

    __tablename__ = "account"
    __table_args__ = (CheckConstraint("kind in ('A','L')", name="kind"),)

    code: Mapped[str] = mapped_column(String(120), primary_key=True)
    kind: Mapped[str] = mapped_column(String(1))


class AccountGuard(Model):
    """The stored balance of a payable, so that the database itself keeps it from falling below 0."""

    __tablename__ = "account_guard"
    __table_args__ = (CheckConstraint("balance_fen >= 0", name="balance"),)

    account: Mapped[str] = mapped_column(ForeignKey("account.code"), primary_key=True)
    balance_fen: Mapped[int] = mapped_column(BigInteger, default=0)


@insert_only
class Entry(Model):
    """One happening; says itself how many transfers it has and what they sum to. A correction is a reversal."""

    __tablename__ = "entry"
    __table_args__ = (
        UniqueConstraint("source_type", "source_id", "kind"),
        Index("ix_entry_accounting_day", "accounting_day"),
        CheckConstraint("n > 0 and total_fen > 0", name="size"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    source_type: Mapped[str] = mapped_column(String(24))
    source_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(24))
    accounting_day: Mapped[dt.date]
    value_time: Mapped[dt.datetime]
    posted_at: Mapped[dt.datetime]
    n: Mapped[int]
    total_fen: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))
    reverses_id: Mapped[str | None] = mapped_column(ForeignKey("entry.id"), unique=True)


@insert_only
class TransferRow(Model):
    """One balanced transfer: Dr `dr`, Cr `cr`, fen."""

    __tablename__ = "transfer"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("dr <> cr", name="sides"),
        Index("ix_transfer_dr", "dr", "entry_id"),
        Index("ix_transfer_cr", "cr", "entry_id"),
    )

    entry_id: Mapped[str] = mapped_column(ForeignKey("entry.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    dr: Mapped[str] = mapped_column(ForeignKey("account.code"))
    cr: Mapped[str] = mapped_column(ForeignKey("account.code"))
    amount_fen: Mapped[int] = mapped_column(BigInteger)


class BookDay(Model):
    """An accounting day: open for posting, closed when settled, reconciled when the statement agrees."""

    __tablename__ = "book_day"
    __table_args__ = (CheckConstraint("state in ('open','closed','reconciled')", name="state"),)

    day: Mapped[dt.date] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(16), default="open")
