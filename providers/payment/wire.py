"""WeChat Pay API v3 messages: what an order looks like as JSON, and what states and statements say. Pure."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Mapping
from typing import Any

from portal.billing.port import CURRENCY, Order, OrderState, Request, SubOrder, SubState, Theirs
from portal.kernel.clock import SHANGHAI, format_instant, parse_instant
from portal.kernel.errors import FieldError, Invalid
from portal.kernel.money import parse_yuan

COMBINE_PATH = "/v3/combine-transactions/native"
PLAIN_PATH = "/v3/pay/transactions/native"
MAX_NUMBER = 10**15  # fen; more than this is nonsense


def render_order(order: Order, *, app_id: str, merchant_id: str, notify_url: str) -> Request:
    """The request that creates `order`. Raises ValueError where the gateway could not take it."""
    if order.rail == "PLAIN":
        if len(order.subs) != 1 or order.subs[0].out_trade_no != order.out_trade_no:
            raise ValueError("a plain order has one part with the order's own number")
        sub = order.subs[0]
        body: dict[str, Any] = {
            "appid": app_id,
            "mchid": sub.merchant_id,
            "description": order.description,
            "out_trade_no": order.out_trade_no,
            "time_expire": format_instant(order.expires_at),
            "notify_url": notify_url,
            "amount": {"total": sub.amount_fen, "currency": CURRENCY},
        }
        return Request(PLAIN_PATH, _dump(body))
    if not 2 <= len(order.subs) <= 50:
        raise ValueError("a combined order has 2 to 50 parts")
    body = {
        "combine_appid": app_id,
        "combine_mchid": merchant_id,
        "combine_out_trade_no": order.out_trade_no,
        "sub_orders": [_sub_body(sub, order.description) for sub in order.subs],
        "time_expire": format_instant(order.expires_at),
        "notify_url": notify_url,
    }
    return Request(COMBINE_PATH, _dump(body))


def _sub_body(sub: SubOrder, description: str) -> dict[str, Any]:
    return {
        "mchid": sub.merchant_id,
        "attach": sub.out_trade_no,
        "amount": {"total_amount": sub.amount_fen, "currency": CURRENCY},
        "out_trade_no": sub.out_trade_no,
        "description": description,
    }


def query_target(order: Order) -> str:
    """Path and query of the question for an order's state."""
    if order.rail == "COMBINE":
        return f"/v3/combine-transactions/out-trade-no/{order.out_trade_no}"
    return f"/v3/pay/transactions/out-trade-no/{order.out_trade_no}?mchid={order.subs[0].merchant_id}"


def close_request(order: Order, *, app_id: str) -> Request:
    """The request that closes an order; a combined one names exactly its parts."""
    if order.rail == "COMBINE":
        subs = [{"mchid": sub.merchant_id, "out_trade_no": sub.out_trade_no} for sub in order.subs]
        path = f"/v3/combine-transactions/out-trade-no/{order.out_trade_no}/close"
        return Request(path, _dump({"combine_appid": app_id, "sub_orders": subs}))
    path = f"/v3/pay/transactions/out-trade-no/{order.out_trade_no}/close"
    return Request(path, _dump({"mchid": order.subs[0].merchant_id}))


def read_order(content: bytes, *, merchant_id: str) -> OrderState:
    """An order's state from a notice's resource or a query's answer. Raises Invalid naming the field.

    A plain order is the payee's own; the contract's merchant number stands for it.
    """
    body = read_object(content)
    if "combine_out_trade_no" in body:
        subs = body.get("sub_orders")
        if not isinstance(subs, list) or not all(isinstance(sub, dict) for sub in subs) or not subs:
            raise _wrong("sub_orders")
        parts = tuple(_sub_state(sub, "total_amount") for sub in subs)
        return OrderState(
            _text(body, "combine_out_trade_no"), _text(body, "combine_appid"), _text(body, "combine_mchid"), parts
        )
    return OrderState(_text(body, "out_trade_no"), _text(body, "appid"), merchant_id, (_sub_state(body, "total"),))


def _sub_state(body: Mapping[str, Any], total: str) -> SubState:
    amount = body.get("amount")
    if not isinstance(amount, dict):
        raise _wrong("amount")
    fen = amount.get(total)
    if not isinstance(fen, int) or isinstance(fen, bool) or not 0 <= fen <= MAX_NUMBER:
        raise _wrong(f"amount.{total}")
    success = body.get("success_time")
    try:
        success_at = parse_instant(success) if isinstance(success, str) and success else None
    except ValueError as bad:
        raise _wrong("success_time") from bad
    return SubState(
        out_trade_no=_text(body, "out_trade_no"),
        merchant_id=_text(body, "mchid"),
        trade_state=_text(body, "trade_state"),
        transaction_id=_text(body, "transaction_id") if body.get("transaction_id") else None,
        amount_fen=fen,
        currency=_text(amount, "currency"),
        success_at=success_at,
    )


def read_object(content: bytes) -> dict[str, Any]:
    """A JSON object from bytes. Raises Invalid."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError) as bad:
        raise _wrong("") from bad
    if not isinstance(body, dict):
        raise _wrong("")
    return body


def read_statement(content: bytes) -> tuple[Theirs, ...]:
    """The trades of a statement file (amounts in yuan, each value after a backtick). Raises Invalid naming the line.

    The last two lines are the totals; their count must agree, so that a cut-off file is noticed.
    """
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), strict=True))
    except (UnicodeDecodeError, csv.Error) as bad:
        raise _wrong("statement") from bad
    rows = [[value.removeprefix("`").strip() for value in row] for row in rows if row]
    if len(rows) < 3:
        raise _wrong("statement")
    head, trades, totals = rows[0], rows[1:-2], rows[-1]
    if totals[0] != str(len(trades)):
        raise _wrong("statement.totals")
    return tuple(_trade(number, dict(zip(head, row, strict=False))) for number, row in enumerate(trades, start=1))


def _trade(number: int, row: Mapping[str, str]) -> Theirs:
    try:
        return Theirs(
            line_no=number,
            merchant_id=row["特约商户号"],
            transaction_id=row["微信订单号"],
            out_trade_no=row["商户订单号"],
            trade_state=row["交易状态"],
            amount_fen=parse_yuan(row["订单金额"]),
            fee_fen=parse_yuan(row["手续费"]),
            success_on=dt.datetime.strptime(row["交易时间"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI).date(),
        )
    except (KeyError, ValueError) as bad:
        raise _wrong(f"statement.{number}") from bad


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 128:
        raise _wrong(name)
    return value


def _wrong(field: str) -> Invalid:
    return Invalid([FieldError(field, "支付平台的报文无法识别。")])


def _dump(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
