"""The simulator's own books: orders, what was paid, everybody's balance, and a log of every effect.

All money moves through `_move`, so that balances always sum to zero; the log lets a test count doubles.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PAYER = "payer"


class Refused(Exception):
    """The gateway says no: HTTP status and its code."""

    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(message or code)
        self.status, self.code, self.message = status, code, message or code


@dataclass(slots=True)
class Part:
    """One payee's part of an order; fen."""

    out_trade_no: str
    merchant_id: str
    amount_fen: int
    transaction_id: str = ""


@dataclass(slots=True)
class SimOrder:
    """An order as the gateway holds it."""

    number: str
    is_combined: bool
    app_id: str
    merchant_id: str
    description: str
    notify_url: str
    expires_at: dt.datetime
    parts: tuple[Part, ...]
    fingerprint: str
    token: str
    state: str = "NOTPAY"
    success_at: dt.datetime | None = None

    @property
    def amount_fen(self) -> int:
        """The sum of its parts."""
        return sum(part.amount_fen for part in self.parts)


@dataclass(slots=True)
class Book:
    """All orders under one lock. `now` is business time and given by the caller."""

    fee_ppm: int = 0
    orders: dict[str, SimOrder] = field(default_factory=dict)
    by_token: dict[str, SimOrder] = field(default_factory=dict)
    numbers: set[str] = field(default_factory=set)
    balances: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    effects: list[dict[str, Any]] = field(default_factory=list)
    activity: Counter[str] = field(default_factory=Counter)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _serial: int = 0

    def create(self, body: Mapping[str, Any], *, is_combined: bool) -> SimOrder:
        """Create an order; the same number with the same body gives the same one. Raises Refused."""
        fingerprint = json.dumps(body, sort_keys=True)
        number = str(body.get("combine_out_trade_no" if is_combined else "out_trade_no", ""))
        with self.lock:
            if (known := self.orders.get(number)) is not None:
                if known.fingerprint != fingerprint:
                    raise Refused(400, "OUT_TRADE_NO_USED", "the number stands for another order")
                if known.state != "NOTPAY":
                    raise Refused(400, "ORDERPAID" if known.state == "SUCCESS" else "ORDER_CLOSED")
                return known
            order = _read_order(body, number, fingerprint, is_combined=is_combined)
            taken = {part.out_trade_no for part in order.parts} & self.numbers
            if taken:
                raise Refused(400, "OUT_TRADE_NO_USED", sorted(taken)[0])
            self.numbers |= {part.out_trade_no for part in order.parts}
            self.orders[number] = order
            self.by_token[order.token] = order
            self._log("order", order)
            return order

    def find(self, number: str) -> SimOrder:
        """An order by its number. Raises Refused."""
        with self.lock:
            if (order := self.orders.get(number)) is None:
                raise Refused(404, "ORDER_NOT_EXIST")
            return order

    def pay(self, token: str, now: dt.datetime) -> bool:
        """The payer confirms on the cashier page; False where the order is paid already. Raises Refused."""
        with self.lock:
            if (order := self.by_token.get(token)) is None:
                raise Refused(404, "ORDER_NOT_EXIST")
            if order.state == "SUCCESS":
                return False
            if order.state == "CLOSED" or now > order.expires_at:
                raise Refused(400, "ORDER_CLOSED", "the order is closed")
            order.state, order.success_at = "SUCCESS", now
            for part in order.parts:
                self._serial += 1
                part.transaction_id = f"42{now:%Y%m%d}{self._serial:018d}"
                self._move(PAYER, part.merchant_id, part.amount_fen)
            self._log("paid", order)
            return True

    def close(self, number: str, parts: set[str] | None) -> None:
        """Close an unpaid order; a combined one only with exactly its parts. Raises Refused."""
        with self.lock:
            order = self.find(number)
            if parts is not None and parts != {part.out_trade_no for part in order.parts}:
                raise Refused(400, "PARAM_ERROR", "sub_orders must be those of the order")
            if order.state == "SUCCESS":
                raise Refused(400, "ORDERPAID")
            if order.state != "CLOSED":
                order.state = "CLOSED"
                self._log("closed", order)

    def paid_on(self, day: dt.date, zone: dt.tzinfo) -> list[tuple[SimOrder, Part]]:
        """Every part paid on a calendar day in `zone`, in the order of payment."""
        with self.lock:
            paid = [o for o in self.orders.values() if o.success_at and o.success_at.astimezone(zone).date() == day]
            paid.sort(key=lambda order: order.parts[0].transaction_id)
            return [(order, part) for order in paid for part in order.parts]

    def fee_of(self, amount_fen: int) -> int:
        """The gateway's fee on an amount, rounded half up to the fen."""
        return (amount_fen * self.fee_ppm + 500_000) // 1_000_000

    def _move(self, source: str, target: str, amount_fen: int) -> None:
        self.balances[source] -= amount_fen
        self.balances[target] += amount_fen

    def _log(self, effect: str, order: SimOrder) -> None:
        self.activity[effect] += 1
        self.effects.append({"effect": effect, "number": order.number, "amount_fen": order.amount_fen})


def _read_order(body: Mapping[str, Any], number: str, fingerprint: str, *, is_combined: bool) -> SimOrder:
    try:
        prefix = "combine_" if is_combined else ""
        raw = body["sub_orders"] if is_combined else [body]
        total = "total_amount" if is_combined else "total"
        parts = tuple(_read_part(part, total) for part in raw)
        order = SimOrder(
            number=number,
            is_combined=is_combined,
            app_id=str(body[f"{prefix}appid"]),
            merchant_id=str(body[f"{prefix}mchid"]),
            description=str(raw[0]["description"]),
            notify_url=str(body["notify_url"]),
            expires_at=dt.datetime.fromisoformat(str(body["time_expire"])),
            parts=parts,
            fingerprint=fingerprint,
            token=secrets.token_urlsafe(16),
        )
    except (KeyError, TypeError, ValueError, IndexError) as bad:
        raise Refused(400, "PARAM_ERROR", f"cannot read the order: {bad}") from bad
    is_count_good = 2 <= len(parts) <= 50 if is_combined else len(parts) == 1
    if not is_count_good or len({p.out_trade_no for p in parts}) != len(parts) or not 6 <= len(number) <= 32:
        raise Refused(400, "PARAM_ERROR", "2 to 50 sub orders with numbers of their own")
    return order


def _read_part(raw: Mapping[str, Any], total: str) -> Part:
    amount = raw["amount"]
    fen = amount[total]
    if amount["currency"] != "CNY" or type(fen) is not int or not 0 < fen <= 1_000_000_000:
        raise Refused(400, "PARAM_ERROR", "an amount is 1 fen to 10 million yuan, in CNY")
    return Part(str(raw["out_trade_no"]), str(raw["mchid"]), fen)
