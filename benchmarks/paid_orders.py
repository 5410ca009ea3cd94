"""Bills of five payees with a combined order each, ready to be captured; and the gateway's word that they are paid."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import insert

from portal.billing.port import OrderState, SubState
from portal.billing.tables import Bill, BillLine, Payment, PaymentLine, PaymentOrder, PaymentSubOrder
from portal.kernel.database import transaction
from portal.kernel.ids import new_id

AT = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
PROVIDERS = ("gas", "heating", "network", "power", "water")
LINE_FEN = 12_345
CHANNEL = "wechat"


def make_orders(count: int) -> list[tuple[str, OrderState]]:
    """(order id, what the gateway says) of `count` new orders, one a bill."""
    rows: dict[Any, list[dict[str, Any]]] = {
        model: [] for model in (Bill, BillLine, Payment, PaymentOrder, PaymentSubOrder, PaymentLine)
    }
    made = [_make_order(rows) for _ in range(count)]
    with transaction() as session:
        for model, values in rows.items():
            session.execute(insert(model), values)
    return made


def _make_order(rows: dict[Any, list[dict[str, Any]]]) -> tuple[str, OrderState]:
    bill, payment, order = new_id(), new_id(), new_id()
    total = LINE_FEN * len(PROVIDERS)
    rows[Bill].append(_bill(bill, total))
    rows[Payment].append(_payment(payment, rows[Bill][-1]["case_id"], total))
    rows[PaymentOrder].append(_order(order, payment, total))
    subs = []
    for position, provider in enumerate(PROVIDERS, start=1):
        line, sub = new_id(), new_id()
        rows[BillLine].append(_line(line, bill, position, provider, payment))
        rows[PaymentSubOrder].append(_sub(sub, order, provider))
        rows[PaymentLine].append(
            {"id": new_id(), "payment_id": payment, "sub_order_id": sub, "line_id": line, "amount_fen": LINE_FEN}
        )
        number = rows[PaymentSubOrder][-1]["sub_out_trade_no"]
        subs.append(SubState(number, f"m-{provider}", "SUCCESS", f"42-{sub}", LINE_FEN, "CNY", AT))
    return order, OrderState(rows[PaymentOrder][-1]["out_trade_no"], "wx", "1900000001", tuple(subs))


def _bill(bill: str, total: int) -> dict[str, Any]:
    return {
        "id": bill,
        "number": f"ZD-{bill[:12]}",
        "case_id": new_id(),
        "case_no": "LB1",
        "version": 1,
        "subject_id": "org-1",
        "payer_name": "河套番茄制品有限公司",
        "state": "issued",
        "total_fen": total,
        "issued_at": AT,
    }


def _line(line: str, bill: str, position: int, provider: str, payment: str) -> dict[str, Any]:
    return {
        "id": line,
        "bill_id": bill,
        "position": position,
        "provider": provider,
        "payee_name": provider,
        "merchant_id": f"m-{provider}",
        "item_code": "WORKS",
        "title": "接入工程费",
        "quantity": "1",
        "unit": "户",
        "unit_price_fen": LINE_FEN,
        "due_fen": LINE_FEN,
        "paid_fen": 0,
        "vat_rate": "9",
        "basis": "",
        "merged": True,
        "pay_before": "connection",
        "held_by": payment,
    }


def _payment(payment: str, case_id: str, total: int) -> dict[str, Any]:
    return {
        "id": payment,
        "number": f"JF-{payment[:12]}",
        "case_id": case_id,
        "subject_id": "org-1",
        "actor_id": "person-1",
        "idempotency_key": payment,
        "fingerprint": "f" * 64,
        "amount_fen": total,
        "allocation_profile": "2026-1",
        "started_at": AT,
    }


def _order(order: str, payment: str, total: int) -> dict[str, Any]:
    return {
        "id": order,
        "payment_id": payment,
        "out_trade_no": order[:27],
        "rail": "COMBINE",
        "state": "SUBMITTED",
        "amount_fen": total,
        "description": "账单",
        "is_late": False,
        "created_at": AT,
        "expires_at": AT + dt.timedelta(hours=24),
        "next_query_at": AT,
    }


def _sub(sub: str, order: str, provider: str) -> dict[str, Any]:
    return {
        "id": sub,
        "order_id": order,
        "provider": provider,
        "merchant_id": f"m-{provider}",
        "sub_out_trade_no": sub[:27],
        "amount_fen": LINE_FEN,
        "expected_fee_fen": 0,
    }
