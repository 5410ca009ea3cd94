"""The summary at the end of the demo, as somebody at a terminal reads it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from providers.simulator.summary import FIELDS, print_table

ENTRY = dict(FIELDS) | {
    "application": "05-housing-estate-1200-homes.json",
    "accepted": True,
    "case_no": "LB261124-R59A1Y",
    "stage": "closed",
    "providers": ["a"] * 8,
    "visits": 1,
    "bill": {"total_fen": 12_345_678_90},
    "payment": {"paid_fen": 12_345_678_90, "orders": 2},
    "settlements": [{"provider": "a", "state": "RECONCILED"}] * 8,
    "elapsed_s": 60.1,
}
REFUSED = dict(FIELDS) | {
    "application": "my-own-application.json",
    "errors": [{"field": "applicant.uscc", "message": "统一社会信用代码的校验位不正确。"}],
}


@pytest.mark.parametrize("width", [80, 120])
def test_nothing_is_cut_off(width: int) -> None:
    out = io.StringIO()
    print_table([ENTRY, REFUSED], Console(file=out, width=width))
    text = out.getvalue()
    assert "…" not in text
    for word in ("05", "LB261124-R59A1Y", "已办结", "12,345,678.90", "已缴清", "8/8", "60 秒", "未受理"):
        assert word in text
    assert "my-own-application.json：applicant.uscc" in text


def test_what_is_still_owed_shows() -> None:
    out = io.StringIO()
    print_table([ENTRY | {"payment": {"paid_fen": 1, "orders": 1}}], Console(file=out, width=80))
    assert "0.01" in out.getvalue()
    assert "已缴清" not in out.getvalue()
