"""An event of the protocol → the bytes a provider's own system takes."""

from __future__ import annotations

import json
from collections.abc import Mapping as Values
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from portal.exchange.mapping.model import FieldRule, Mapping, Unmapped

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Rendered:
    """What is sent, and where behind the provider's address."""

    path: str
    body: bytes
    media_type: str


def render(mapping: Mapping, event: Values[str, Any]) -> Rendered | None:
    """The message for this event; None for one the mapping leaves to the desk. Raises Unmapped."""
    kind = str(event["type"])
    if kind in mapping.desk_events:
        return None
    if kind not in mapping.paths:
        raise Unmapped(f"event:{kind}")
    values = {rule.to: text for rule in mapping.fields if (text := _value(rule, event)) is not None}
    if mapping.format == "form":
        return Rendered(mapping.paths[kind], urlencode(values).encode(), FORM)
    body = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()
    return Rendered(mapping.paths[kind], body, "application/json")


def _value(rule: FieldRule, event: Values[str, Any]) -> str | None:
    if rule.const is not None:
        return rule.const
    found = _at(event, rule.source)
    if found is None:
        if rule.required:
            raise Unmapped(f"field:{rule.to}")
        return None
    text = _text(found)
    if not rule.codes:
        return text
    if text not in rule.codes:
        raise Unmapped(f"value:{rule.source}={text}")
    return rule.codes[text]


def _at(value: Any, path: str) -> Any:
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
