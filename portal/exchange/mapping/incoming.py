"""A status message of a provider's own system → the report of the protocol it stands for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping as Values
from dataclasses import dataclass
from typing import Any

from portal.exchange.mapping.model import Mapping, StatusRule, Unmapped
from portal.kernel.clock import SHANGHAI

NOTED = "noted"
_NUMBER = "!number"


@dataclass(frozen=True, slots=True)
class Status:
    """What the message says by itself, before its task is known. `at` is None where it names no time."""

    task_id: str
    code: str
    message_id: str | None
    at: dt.datetime | None


def read_status(mapping: Mapping, message: Values[str, str]) -> Status:
    """Task, code, id and time of a message. Raises Unmapped where the mapping's field is missing or unreadable."""
    at = None
    if mapping.at_field:
        try:
            local = dt.datetime.strptime(message.get(mapping.at_field, ""), mapping.at_format)  # noqa: DTZ007 - see below
        except ValueError:
            raise Unmapped(f"field:{mapping.at_field}") from None
        at = local.replace(tzinfo=local.tzinfo or SHANGHAI).astimezone(dt.UTC)  # such systems write local time
    for name in (mapping.task_field, mapping.code_field):
        if not message.get(name):
            raise Unmapped(f"field:{name}")
    message_id = message.get(mapping.id_field) if mapping.id_field else None
    return Status(message[mapping.task_field], message[mapping.code_field], message_id or None, at)


def report_of(
    mapping: Mapping, message: Values[str, str], *, stage: str, revision: int, at: dt.datetime
) -> dict[str, Any] | None:
    """The report this message stands for; None where it is only noted. Raises Unmapped.

    The message has no revision: its system works on the newest it was given. `at` stands in for a missing time.
    """
    status = read_status(mapping, message)
    rule = _rule(mapping, status.code, stage)
    if rule.report == NOTED:
        return None
    report: dict[str, Any] = {"kind": rule.report, "occurred_at": (status.at or at).isoformat(), "revision": revision}
    for name, field in (("operator", mapping.operator_field), ("provider_ref", mapping.ref_field)):
        if field and message.get(field):
            report[name] = message[field][:100]
    report |= rule.values
    for target, field in rule.copies.items():
        _copy(report, target, message, field)
    return report


def _rule(mapping: Mapping, code: str, stage: str) -> StatusRule:
    own = [rule for rule in mapping.statuses if rule.code == code]
    for rule in own:
        if rule.stage == stage:
            return rule
    for rule in own:
        if not rule.stage:
            return rule
    raise Unmapped(f"code:{code}@{stage}")


def _copy(report: dict[str, Any], target: str, message: Values[str, str], field: str) -> None:
    text = message.get(field, "")
    if not text:
        raise Unmapped(f"field:{field}")
    path, is_number = target.removesuffix(_NUMBER).split("."), target.endswith(_NUMBER)
    try:
        value: Any = float(text) if is_number else text
    except ValueError:
        raise Unmapped(f"field:{field}") from None
    for step in path[:-1]:
        report = report.setdefault(step, {})
    report[path[-1]] = value
