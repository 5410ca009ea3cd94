"""How the lines of one payment become orders at the gateway (pure).

Merged lines become one combined order with a sub-order per payee, or a plain order where there is only one payee.
Lines whose provider does not merge its bill become a plain order of their own for each payee.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from portal.kernel.errors import Conflict
from portal.kernel.money import format_yuan

COMBINE, PLAIN = "COMBINE", "PLAIN"
MAX_SUB_ORDERS = 50  # WeChat Pay combine, service provider
MAX_SUB_ORDER_FEN = 1_000_000_000  # ten million yuan


@dataclass(frozen=True, slots=True)
class Payable:
    """What is to be paid on one line now, in fen, and who gets it."""

    line_id: str
    provider: str
    merchant_id: str
    amount_fen: int
    merged: bool


@dataclass(frozen=True, slots=True)
class SubPlan:
    """One payee's part of an order."""

    provider: str
    merchant_id: str
    amount_fen: int
    line_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrderPlan:
    """One order: COMBINE with 2 to 50 parts, or PLAIN with one."""

    rail: str
    subs: tuple[SubPlan, ...]

    @property
    def amount_fen(self) -> int:
        """The sum of its parts."""
        return sum(sub.amount_fen for sub in self.subs)


def plan_orders(payables: Iterable[Payable]) -> tuple[OrderPlan, ...]:
    """The orders for these lines, the merged one first; lines with nothing to pay need none.

    Raises Conflict (`over_gateway_limit`, `too_many_payees`) where the gateway could not take it, with the way out.
    """
    owed = [line for line in payables if line.amount_fen > 0]
    merged = _group([line for line in owed if line.merged])
    alone = _group([line for line in owed if not line.merged])
    for sub in (*merged, *alone):
        _check_amount(sub)
    if len(merged) > MAX_SUB_ORDERS:
        message = f"一次最多合并缴纳 {MAX_SUB_ORDERS} 个收款单位的费用，请分次勾选缴纳。"
        raise Conflict(message, code="too_many_payees", facts={"payees": len(merged)})
    plans = [OrderPlan(PLAIN if len(merged) == 1 else COMBINE, merged)] if merged else []
    return (*plans, *(OrderPlan(PLAIN, (sub,)) for sub in alone))


def _group(lines: Sequence[Payable]) -> tuple[SubPlan, ...]:
    ordered = sorted(lines, key=lambda line: (line.provider, line.merchant_id, line.line_id))
    plans = []
    for (provider, merchant_id), group in groupby(ordered, key=lambda line: (line.provider, line.merchant_id)):
        members = list(group)
        amount = sum(line.amount_fen for line in members)
        plans.append(SubPlan(provider, merchant_id, amount, tuple(line.line_id for line in members)))
    return tuple(plans)


def _check_amount(sub: SubPlan) -> None:
    if sub.amount_fen > MAX_SUB_ORDER_FEN:
        message = (
            f"本次应付同一收款单位 {format_yuan(sub.amount_fen)} 元，超过线上单笔限额 "
            f"{format_yuan(MAX_SUB_ORDER_FEN)} 元。请分次勾选缴纳，或到窗口办理转账。"
        )
        facts = {"provider": sub.provider, "amount_fen": sub.amount_fen, "limit_fen": MAX_SUB_ORDER_FEN}
        raise Conflict(message, code="over_gateway_limit", facts=facts)
