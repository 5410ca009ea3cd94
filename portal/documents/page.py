"""The template environment of documents: sandboxed, autoescaped, with the few ways a value is printed on paper."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from portal.kernel.clock import local_date, to_local
from portal.kernel.money import capital_numerals, format_yuan

TEMPLATE_FOLDER = Path(__file__).resolve().parents[2] / "templates" / "documents"

_WEEKDAYS = "一二三四五六日"
_NUMERALS = ("", "一", "二", "三", "四", "五", "六", "七", "八", "九")
_WORDS: Mapping[str, str] = {
    "ready": "具备接入条件",
    "ready_with_conditions": "有条件接入",
    "not_ready": "暂不具备条件",
    "approve": "同意接入",
    "conditional": "有条件同意",
    "refuse": "不同意接入",
    "not_concerned": "不涉及",
    "not_served": "暂未通达",
    "pass": "通过",
    "rework": "修改后再审",
    "rectify": "限期整改",
    "fail": "不通过",
    "must": "必须修改",
    "should": "建议修改",
    "note": "提示",
    "user": "用户",
    "provider": "供应单位",
    "government": "政府",
    "site": "现场",
    "remote": "远程",
}
# Colour is never alone: each tone has its own shape in front of the word.
_TONES: Mapping[str, tuple[str, str]] = {
    "ready": ("good", "●"),
    "approve": ("good", "●"),
    "pass": ("good", "●"),
    "ready_with_conditions": ("care", "▲"),
    "conditional": ("care", "▲"),
    "rework": ("care", "▲"),
    "rectify": ("care", "▲"),
    "must": ("care", "▲"),
    "not_ready": ("bad", "■"),
    "refuse": ("bad", "■"),
    "fail": ("bad", "■"),
}


def compose(template: str, values: Mapping[str, Any]) -> str:
    """One document as HTML. An unknown name in a template is an error, not a blank."""
    return _environment().get_template(template).render(values)


@functools.cache
def _environment() -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATE_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(FILTERS)
    return environment


def show_date(day: dt.date) -> str:
    """2026年11月23日."""
    return f"{day.year}年{day.month}月{day.day}日"


def show_moment(at: dt.datetime) -> str:
    """2026年11月23日（周一）09:05, on a wall clock in Asia/Shanghai."""
    local = to_local(at)
    return f"{show_date(local.date())}（周{_WEEKDAYS[local.weekday()]}）{local:%H:%M}"


def show_clock(at: dt.datetime) -> str:
    """09:05 in Asia/Shanghai."""
    return f"{to_local(at):%H:%M}"


def show_second(at: dt.datetime) -> str:
    """2026年11月23日 09:05:33 in Asia/Shanghai, for what is looked up in other books by its second."""
    local = to_local(at)
    return f"{show_date(local.date())} {local:%H:%M:%S}"


def show_number(value: float) -> str:
    """A measure without needless zeros: 1,800 or 0.5."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def show_code(code: str) -> str:
    """A code in groups of five, easier to read aloud and to type."""
    return "-".join(code[start : start + 5] for start in range(0, len(code), 5))


def show_article(number: int) -> str:
    """第十二条, for 1 to 99."""
    tens, ones = divmod(number, 10)
    head = {0: "", 1: "十"}.get(tens, f"{_NUMERALS[tens]}十")
    return f"第{head}{_NUMERALS[ones]}条"


def show_word(code: str) -> str:
    """The Chinese word for a coded value on a paper."""
    return _WORDS[code]


def tone_of(code: str) -> tuple[str, str]:
    """The style class and the shape that go with a coded verdict."""
    return _TONES.get(code, ("plain", "○"))


FILTERS: dict[str, Callable[..., Any]] = {
    "yuan": format_yuan,
    "capital": capital_numerals,
    "date": show_date,
    "moment": show_moment,
    "clock": show_clock,
    "second": show_second,
    "local_day": local_date,
    "number": show_number,
    "code": show_code,
    "article": show_article,
    "word": show_word,
    "tone": tone_of,
}
