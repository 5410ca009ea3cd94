"""Validation errors in plain Chinese, each on the dotted path of the value itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from portal.kernel.errors import FieldError


def _choices(context: Mapping[str, Any]) -> str:
    return f"可用的值：{context['expected']}。".replace(" or ", ", ")


_TEXTS: dict[str, str | Callable[[Mapping[str, Any]], str]] = {
    "missing": "必填，请补上。",
    "extra_forbidden": "没有这个字段，请删去或核对字段名。",
    "literal_error": _choices,
    "string_type": "应当是文字。",
    "string_too_short": "不能为空。",
    "string_too_long": lambda ctx: f"太长，最多 {ctx['max_length']} 个字符。",
    "string_pattern_mismatch": "格式不对，请核对字母、数字和长度。",
    "int_type": "应当是整数。",
    "int_from_float": "应当是整数。",
    "float_type": "应当是数字。",
    "bool_type": "应当是 true 或 false。",
    "finite_number": "应当是有限的数字。",
    "greater_than": lambda ctx: f"应当大于 {ctx['gt']}。",
    "greater_than_equal": lambda ctx: f"不能小于 {ctx['ge']}。",
    "less_than_equal": lambda ctx: f"不能大于 {ctx['le']}。",
    "too_short": lambda ctx: f"至少要有 {ctx['min_length']} 项。",
    "too_long": lambda ctx: f"最多 {ctx['max_length']} 项。",
    "tuple_type": "应当是列表。",
    "model_type": "应当是一组字段（JSON 对象）。",
    "model_attributes_type": "应当是一组字段（JSON 对象）。",
    "timezone_aware": "时间要带时区，例如 2026-11-23T09:00:00+08:00。",
    "decimal_text": "应当是不带符号的数字，小数最多六位，例如 12.5。",
    "decimal_string": '应当是写成文字的数字，例如 "12.5"。',
    "amount_mismatch": lambda ctx: f"数量乘单价（四舍五入到分）应为 {ctx['due']} 分，报的是 {ctx['given']} 分。",
    "slot_span": "结束时间应晚于开始时间，且不超过一天。",
    "window_span": "结束日期不能早于开始日期。",
    "option_codes": "两个方案用了同一个编号。",
    "chosen_by_provider": "用户出资的工程由用户自主选择设计和施工单位，供应单位不得指定。",
    "pass_with_failed_item": "有不合格项时不能判为通过。",
    "point_twice": "同一户号和表号出现了两次。",
}
# Errors that stand on a whole object but mean particular fields of it.
_NAMED_FIELD = {
    "amount_mismatch": "amount_fen",
    "chosen_by_provider": "chosen_by",
    "slot_span": "end_at",
    "window_span": "end_on",
}
_MISSING = ("needed_for_verdict", "needed_for_status")


def errors_of(wrong: ValidationError, body: Mapping[str, Any]) -> list[FieldError]:
    """All errors, in the order of the fields; `body` is the input as parsed, to keep only real path parts."""
    found: dict[tuple[str, str], FieldError] = {}
    for error in wrong.errors(include_url=False):
        for made in _field_errors(error, body):
            found.setdefault((made.field, made.code), made)
    # A list whose items are wrong also counts as too short; that complaint would only mislead.
    paths = [path for path, _ in found]
    return [
        made
        for (path, code), made in found.items()
        if code != "too_short" or not any(other.startswith(f"{path}.") for other in paths)
    ]


def _field_errors(error: ErrorDetails, body: Mapping[str, Any]) -> list[FieldError]:
    kind, context = error["type"], error.get("ctx", {})
    path = _real_path(error["loc"], body, kind)
    if kind in _MISSING:
        names = str(context["fields"]).split(",")
        return [FieldError(_join([*path, name]), "作出该结论时必填，请补上。", "missing") for name in names]
    if name := _NAMED_FIELD.get(kind):
        path = [*path, name]
    return [FieldError(_join(path), _text(kind, context), kind)]


def _text(kind: str, context: Mapping[str, Any]) -> str:
    text = _TEXTS.get(kind)
    if text is None:
        is_time = kind.startswith(("datetime", "date", "time"))
        return "时间或日期写法不对，例如 2026-11-23T09:00:00+08:00 或 2026-11-23。" if is_time else "内容不符合要求。"
    return text if isinstance(text, str) else text(context)


def _real_path(loc: tuple[int | str, ...], body: Any, kind: str) -> list[str]:
    """The location without the names of union members, which are no part of the input."""
    path: list[str] = []
    here = body
    for part in loc:
        if isinstance(here, dict) and part in here:
            here = here[str(part)]
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            here = here[part]
        elif not (isinstance(here, dict) and kind == "missing"):
            continue
        path.append(str(part))
    return path


def _join(path: list[str]) -> str:
    return ".".join(path)
