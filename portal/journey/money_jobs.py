"""The jobs of the money side: which use case runs for which job kind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from portal.journey.payment_answers import apply_notice, query_order
from portal.journey.reconciliation import reconcile_day
from portal.journey.settlement import settle_day


def _apply_notice(payload: Mapping[str, Any], at: dt.datetime, wire_at: dt.datetime) -> None:
    apply_notice(payload["notice_id"], at=at, wire_at=wire_at)


def _query_payment(payload: Mapping[str, Any], at: dt.datetime, wire_at: dt.datetime) -> None:
    query_order(payload["order_id"], at=at, wire_at=wire_at, attempt=payload["attempt"])


def _settle_day(payload: Mapping[str, Any], at: dt.datetime, wire_at: dt.datetime) -> None:
    settle_day(dt.date.fromisoformat(payload["day"]), at=at, wire_at=wire_at)


def _reconcile_day(payload: Mapping[str, Any], at: dt.datetime, wire_at: dt.datetime) -> None:
    reconcile_day(dt.date.fromisoformat(payload["day"]), at=at, wire_at=wire_at)


# Job kind -> what runs it (payload, business time, wire time).
MONEY_JOBS: Mapping[str, Callable[[Mapping[str, Any], dt.datetime, dt.datetime], None]] = {
    "apply_notice": _apply_notice,
    "query_payment": _query_payment,
    "settle_day": _settle_day,
    "reconcile_day": _reconcile_day,
}
