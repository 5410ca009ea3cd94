"""What the simulator says: order states, notification bodies, the statement file."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Sequence
from typing import Any

from portal.kernel.clock import SHANGHAI, format_instant
from providers.payment.seals import seal_resource
from providers.simulator.gateway.book import Book, Part, SimOrder

_HEAD = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
_TOTALS = "总交易单数,应结订单总额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
HEAD, TOTALS = _HEAD.split(","), _TOTALS.split(",")


def order_state(order: SimOrder, *, extra_fen: int = 0) -> dict[str, Any]:
    """An order as queries and notifications show it; `extra_fen` makes the first amount wrong."""
    parts = [_part_state(order, part, extra_fen if i == 0 else 0) for i, part in enumerate(order.parts)]
    if not order.is_combined:
        return {"appid": order.app_id, **parts[0]}
    return {
        "combine_appid": order.app_id,
        "combine_mchid": order.merchant_id,
        "combine_out_trade_no": order.number,
        "sub_orders": parts,
    }


def _part_state(order: SimOrder, part: Part, extra_fen: int) -> dict[str, Any]:
    total = "total_amount" if order.is_combined else "total"
    state: dict[str, Any] = {
        "mchid": part.merchant_id,
        "out_trade_no": part.out_trade_no,
        "trade_type": "NATIVE",
        "trade_state": order.state,
        "amount": {total: part.amount_fen + extra_fen, "currency": "CNY"},
    }
    if order.success_at is not None:
        state |= {
            "transaction_id": part.transaction_id,
            "success_time": format_instant(order.success_at),
            "bank_type": "OTHERS",
        }
    return state


def notification(order: SimOrder, api_v3_key: bytes, *, notice_id: str, extra_fen: int = 0) -> bytes:
    """The body of a notification that `order` is paid, its resource encrypted."""
    plain = json.dumps(order_state(order, extra_fen=extra_fen), separators=(",", ":")).encode()
    body = {
        "id": notice_id,
        "create_time": format_instant(order.success_at) if order.success_at else "",
        "resource_type": "encrypt-resource",
        "event_type": "TRANSACTION.SUCCESS",
        "summary": "支付成功",
        "resource": {"original_type": "transaction", **seal_resource(api_v3_key, plain, "transaction")},
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def statement_file(book: Book, day: dt.date, faults: Sequence[str]) -> bytes | None:
    """The statement of a day, or None where nothing was traded; `faults` change its last line."""
    rows = [_row(book, order, part) for order, part in book.paid_on(day, SHANGHAI)]
    for fault in faults:
        rows = _spoil(rows, fault, day)
    if not rows:
        return None
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEAD)
    writer.writerows([f"`{row[name]}" for name in HEAD] for row in rows)
    writer.writerow(TOTALS)
    total, fees = sum(_fen(row["订单金额"]) for row in rows), sum(_fen(row["手续费"]) for row in rows)
    figures = [str(len(rows)), _yuan(total), "0.00", "0.00", _yuan(fees), _yuan(total), "0.00"]
    writer.writerow(f"`{figure}" for figure in figures)
    return out.getvalue().encode()


def _row(book: Book, order: SimOrder, part: Part) -> dict[str, str]:
    assert order.success_at is not None
    known = {
        "交易时间": order.success_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S"),
        "公众账号ID": order.app_id,
        "商户号": order.merchant_id,
        "特约商户号": part.merchant_id,
        "微信订单号": part.transaction_id,
        "商户订单号": part.out_trade_no,
        "交易类型": "NATIVE",
        "交易状态": "SUCCESS",
        "付款银行": "OTHERS",
        "货币种类": "CNY",
        "应结订单金额": _yuan(part.amount_fen),
        "商品名称": order.description,
        "手续费": _yuan(book.fee_of(part.amount_fen)),
        "费率": f"{book.fee_ppm / 10_000:.2f}%",
        "订单金额": _yuan(part.amount_fen),
    }
    return {name: known.get(name, "") for name in HEAD}


def _spoil(rows: list[dict[str, str]], fault: str, day: dt.date) -> list[dict[str, str]]:
    if fault == "extra":
        # The same on every fetch of the day: the hash that was signed must fit the file that is fetched next.
        alien = {"微信订单号": f"42{day:%Y%m%d}{'9' * 18}", "商户订单号": f"ALIEN{day:%Y%m%d}"}
        base = rows[-1] if rows else {**dict.fromkeys(HEAD, ""), "特约商户号": "1900000000", "交易状态": "SUCCESS"}
        when = {"交易时间": f"{day.isoformat()} 12:00:00", "订单金额": "1.00", "手续费": "0.00"}
        return [*rows, {**base, **when, **alien}]
    if not rows:
        return rows
    *rest, last = rows
    return {
        "missing": rest,
        "altered": [*rest, {**last, "订单金额": _yuan(_fen(last["订单金额"]) + 1)}],
        "duplicate": [*rows, last],
        "fee": [*rest, {**last, "手续费": _yuan(_fen(last["手续费"]) + 1)}],
        "status": [*rest, {**last, "交易状态": "REFUND"}],
    }[fault]


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def _fen(yuan: str) -> int:
    whole, _, cents = yuan.partition(".")
    return int(whole) * 100 + int(cents)
