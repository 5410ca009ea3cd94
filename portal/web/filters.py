"""How values are written on a page: money, times, names of stages and states."""

from __future__ import annotations

import datetime as dt

from flask import Flask

from portal.journey.notices import STAGE_NAMES
from portal.kernel.clock import parse_instant, to_local
from portal.kernel.money import format_yuan

STATE_NAMES = {
    "issued": "已派发",
    "received": "已签收",
    "working": "办理中",
    "waiting_applicant": "等待申请人",
    "paused": "已暂停",
    "done": "已完成",
    "declined": "不予受理",
    "withdrawn": "已撤回",
    "failed": "需人工处理",
    "open": "办理中",
    "closed": "已办结",
    "filed": "待受理",
    "accepted": "已受理",
    "returned": "待补正",
}


def moment(value: dt.datetime | str | None) -> str:
    """`2026年11月23日 09:00` in Shanghai; empty for nothing."""
    if value is None:
        return ""
    at = to_local(parse_instant(value) if isinstance(value, str) else value)
    return f"{at.year}年{at.month}月{at.day}日 {at:%H:%M}"


def day(value: dt.date | dt.datetime | str | None) -> str:
    """`2026年11月23日`; a time is taken in Shanghai."""
    if value is None:
        return ""
    if isinstance(value, str):
        value = dt.date.fromisoformat(value[:10])
    on = to_local(value).date() if isinstance(value, dt.datetime) else value
    return f"{on.year}年{on.month}月{on.day}日"


def number(value: object) -> str:
    """A figure without trailing zeros: `1`, `0.5`."""
    return f"{float(str(value)):g}"


def stage_name(code: str) -> str:
    """The stage in the reader's words."""
    return STAGE_NAMES.get(code, code)


def state_name(code: str) -> str:
    """The state in the reader's words."""
    return STATE_NAMES.get(code, code)


def register_filters(app: Flask) -> None:
    """Give the templates these words."""
    app.jinja_env.filters.update(
        yuan=format_yuan, number=number, moment=moment, day=day, stage_name=stage_name, state_name=state_name
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
