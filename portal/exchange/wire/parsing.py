"""Bytes from outside → one typed report, or everything that is wrong with them, each with its dotted path.

The bounds come first: size, then nesting, then the number of points, so that nothing hostile is parsed at length.
"""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import ValidationError

from portal.exchange.wire import answers, completion, groundwork
from portal.exchange.wire.complaints import errors_of
from portal.exchange.wire.values import ReportBase
from portal.kernel.errors import FieldError, Invalid

MAX_BYTES = 1_048_576
MAX_DEPTH = 12
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")

Report = (
    groundwork.ReceivedReport
    | groundwork.DeclinedReport
    | groundwork.QuestionReport
    | groundwork.LineCheckReport
    | groundwork.PauseReport
    | groundwork.ResumeReport
    | groundwork.ExtensionReport
    | groundwork.AvailabilityReport
    | groundwork.FindingsReport
    | answers.ReplyReport
    | answers.QuoteFinalReport
    | answers.ReviewReport
    | completion.WorksReport
    | completion.AcceptanceReport
    | completion.ConnectedReport
    | completion.PermitReport
)

REPORT_MODELS: dict[str, type[ReportBase]] = {
    "received": groundwork.ReceivedReport,
    "declined": groundwork.DeclinedReport,
    "question": groundwork.QuestionReport,
    "line_check": groundwork.LineCheckReport,
    "pause": groundwork.PauseReport,
    "resume": groundwork.ResumeReport,
    "extension": groundwork.ExtensionReport,
    "availability": groundwork.AvailabilityReport,
    "findings": groundwork.FindingsReport,
    "reply": answers.ReplyReport,
    "quote_final": answers.QuoteFinalReport,
    "review": answers.ReviewReport,
    "works": completion.WorksReport,
    "acceptance": completion.AcceptanceReport,
    "connected": completion.ConnectedReport,
    "permit": completion.PermitReport,
}


def parse_report(raw: bytes) -> Report:
    """One report from its JSON bytes (UTF-8, ≤ 1 MiB). Raises Invalid with all field errors."""
    body = parse_object(raw)
    kind = body.get("kind")
    model = REPORT_MODELS.get(kind) if isinstance(kind, str) else None
    if model is None:
        known = "、".join(REPORT_MODELS)
        raise Invalid([FieldError("kind", f"请填写回报种类，可用：{known}。", "kind")])
    try:
        report = model.model_validate_json(raw)
    except ValidationError as wrong:
        errors = errors_of(wrong, body)
        codes = {error.code for error in errors}
        raise Invalid(errors, code=codes.pop() if codes == {"amount_mismatch"} else None) from wrong
    return report  # type: ignore[return-value]  # every model of the table is a member of the union


def parse_object(raw: bytes) -> dict[str, Any]:
    """A JSON object within the bounds; numbers are finite, names unique, text storable. Raises Invalid."""
    if len(raw) > MAX_BYTES:
        raise _whole("内容过大，一次最多 1 MiB。", "too_large")
    if _depth(raw) > MAX_DEPTH:
        raise _whole("内容嵌套过深。", "too_deep")
    try:
        body = json.loads(raw.decode(), object_pairs_hook=_unique, parse_constant=_refuse)
        json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as wrong:
        raise _whole("内容不是正确的 JSON（UTF-8）。", "not_json") from wrong
    if not isinstance(body, dict):
        raise _whole("内容应当是一个 JSON 对象。", "not_an_object")
    if b"\\u0000" in raw:  # PostgreSQL cannot store it, and no text needs it
        raise _whole("文字中有不可用的字符。", "bad_character")
    return body


def check_for_utility(report: ReportBase, utility: str) -> None:
    """Rules that depend on the utility: gas is accepted on site, always. Raises Invalid."""
    if utility == "gas" and isinstance(report, completion.AcceptanceReport) and report.mode != "site":
        raise Invalid([FieldError("mode", "燃气必须现场验收，不能远程验收。", "gas_on_site")])


def _whole(message: str, code: str) -> Invalid:
    return Invalid([FieldError("", message, code)])


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    body = dict(pairs)
    if len(body) != len(pairs):
        raise ValueError("a name stands twice")
    return body


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _depth(raw: bytes) -> int:
    """How deep brackets nest outside strings; linear in the size, so it cannot itself be overrun."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(_TEXT.sub(b"", raw)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest
