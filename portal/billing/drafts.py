"""Frozen values of a bill: what the confirmed options ask for, and what pages and documents show."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LineDraft:
    """One charge the user is to pay: fen, `quantity` a decimal string, `vat_rate` in percent.

    `merged`: may share a combined order; `pay_before`: works | connection.
    """

    provider: str
    payee_name: str
    merchant_id: str
    item_code: str
    title: str
    quantity: str
    unit: str
    unit_price_fen: int
    amount_fen: int
    vat_rate: str
    basis: str
    merged: bool
    pay_before: str


@dataclass(frozen=True, slots=True)
class LineView:
    """One line as shown."""

    id: str
    provider: str
    payee_name: str
    item_code: str
    title: str
    quantity: str
    unit: str
    unit_price_fen: int
    due_fen: int
    paid_fen: int
    vat_rate: str
    basis: str
    merged: bool
    pay_before: str

    @property
    def remaining_fen(self) -> int:
        """What is still owed."""
        return self.due_fen - self.paid_fen


@dataclass(frozen=True, slots=True)
class PayeeView:
    """The lines of one payee with their sums; `merged` False means it has its own pay button."""

    provider: str
    name: str
    merged: bool
    lines: tuple[LineView, ...]

    @property
    def due_fen(self) -> int:
        """What its lines ask for."""
        return sum(line.due_fen for line in self.lines)

    @property
    def paid_fen(self) -> int:
        """What is paid on them."""
        return sum(line.paid_fen for line in self.lines)


@dataclass(frozen=True, slots=True)
class BillView:
    """A bill as its reader may see it: a provider sees its own payee only, and totals over that."""

    id: str
    number: str
    case_id: str
    case_no: str
    payer_name: str
    state: str
    issued_at: dt.datetime
    paid_at: dt.datetime | None
    document_id: str | None
    payees: tuple[PayeeView, ...]

    @property
    def total_fen(self) -> int:
        """The sum of all lines shown."""
        return sum(payee.due_fen for payee in self.payees)

    @property
    def paid_fen(self) -> int:
        """What is paid on them."""
        return sum(payee.paid_fen for payee in self.payees)
