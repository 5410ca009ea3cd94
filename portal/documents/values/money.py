"""联合账单 and 缴费凭证. Amounts in fen; a total that is not the sum of its parts is refused."""

from __future__ import annotations

import datetime as dt

from pydantic import AwareDatetime, Field, model_validator

from portal.documents.values.head import Fen, Head, Quantity, Short, Text, Values


class BillLine(Values):
    """One charge: the published item, how much of it, and the rule it rests on."""

    item: Short
    quantity: Quantity
    unit: Short = ""
    unit_price_fen: Fen
    amount_fen: Fen
    basis: Text | None = None


class BillPayee(Values):
    """What goes to one payee. `merged` false: on the bill for information, paid with its own order."""

    payee: Short
    lines: tuple[BillLine, ...] = Field(min_length=1)
    merged: bool = True
    pay_before: Short | None = None

    @property
    def subtotal_fen(self) -> int:
        """The sum of the payee's lines."""
        return sum(line.amount_fen for line in self.lines)


class JointBill(Head):
    """联合账单. `total_fen` is the sum over all payees."""

    payer: Short
    due_on: dt.date | None = None
    payees: tuple[BillPayee, ...] = ()
    total_fen: Fen
    pay_url: Short | None = None
    notes: tuple[Text, ...] = ()

    @property
    def separate_fen(self) -> int:
        """What is paid with orders of its own, payee by payee."""
        return sum(payee.subtotal_fen for payee in self.payees if not payee.merged)

    @model_validator(mode="after")
    def _check_total(self) -> JointBill:
        found = sum(payee.subtotal_fen for payee in self.payees)
        if found != self.total_fen:
            raise ValueError(f"the lines sum to {found} fen, the bill says {self.total_fen}")
        return self


class PaidShare(Values):
    """What one payee got out of an order."""

    payee: Short
    amount_fen: Fen


class PaidOrder(Values):
    """One payment order at the gateway and how it was shared."""

    order_no: Short
    transaction_no: Short
    channel: Short | None = None
    paid_at: AwareDatetime
    amount_fen: Fen
    shares: tuple[PaidShare, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check_shares(self) -> PaidOrder:
        if sum(share.amount_fen for share in self.shares) != self.amount_fen:
            raise ValueError(f"the shares of order {self.order_no} do not sum to its amount")
        return self


class PaymentReceipt(Head):
    """缴费凭证. Never an invoice; those come from each payee."""

    payer: Short
    bill_no: Short
    orders: tuple[PaidOrder, ...] = Field(min_length=1)
    total_fen: Fen

    @model_validator(mode="after")
    def _check_total(self) -> PaymentReceipt:
        if sum(order.amount_fen for order in self.orders) != self.total_fen:
            raise ValueError("the orders do not sum to the receipt's total")
        return self
