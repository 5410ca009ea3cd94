"""Is a SUCCESS of the gateway the order we asked for? Compared before anything is booked."""

from __future__ import annotations

from collections.abc import Sequence

from portal.billing.port import CURRENCY, OrderState, SubState
from portal.billing.tables import PaymentOrder, PaymentSubOrder


def find_difference(order: PaymentOrder, subs: Sequence[PaymentSubOrder], state: OrderState) -> str | None:
    """Why this SUCCESS is not the order we asked for, or None: number, payees, amounts and currency are compared."""
    if state.out_trade_no != order.out_trade_no:
        return "out_trade_no"
    theirs = {sub.out_trade_no: sub for sub in state.subs}
    if len(theirs) != len(state.subs) or theirs.keys() != {sub.sub_out_trade_no for sub in subs}:
        return "sub_orders"
    for sub in subs:
        if reason := _difference(sub, theirs[sub.sub_out_trade_no]):
            return f"{sub.sub_out_trade_no}: {reason}"
    return None


def _difference(ours: PaymentSubOrder, theirs: SubState) -> str | None:
    if theirs.merchant_id != ours.merchant_id:
        return f"merchant {theirs.merchant_id} for {ours.merchant_id}"
    if theirs.currency != CURRENCY:
        return f"currency {theirs.currency}"
    if theirs.amount_fen != ours.amount_fen:
        return f"amount {theirs.amount_fen} for {ours.amount_fen}"
    if not theirs.transaction_id or theirs.success_at is None:
        return "transaction_id or success_time is missing"
    return None
