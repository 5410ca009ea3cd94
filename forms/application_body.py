"""From a posted form to an application: dotted names become a tree, texts the schema's types where they can."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from forms.application_fields import (
    AS_TEXT,
    MATERIALS,
    UTILITIES,
    is_position,
    node_at,
    resolved,
    schema,
    utilities,
)
from portal.kernel.errors import FieldError

Pairs = Sequence[tuple[str, str]]
# What a browser's field for day and time sends: no offset, and usually no seconds.
_WALL_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?")
_DIGITS = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?[0-9]+\.[0-9]+")
_DEEPEST = 8
_LONGEST_NUMBER = 15  # digits a float keeps; anything longer is no figure of an application


@dataclass(frozen=True, slots=True)
class Entered:
    """What a form says: the application, and which row of the form each entry of a list stands in.

    Rows left empty do not count in the application, so `materials.0` of it may be `materials.2` of the form.
    """

    body: dict[str, Any]
    rows: dict[str, str] = field(default_factory=dict)

    def field_of(self, path: str) -> str:
        """The form's field for a path of the application."""
        parts = path.split(".")
        for length in range(len(parts), 0, -1):
            row = self.rows.get(".".join(parts[:length]))
            if row is not None:
                return ".".join([row, *parts[length:]])
        return path

    def on_form(self, errors: Iterable[FieldError]) -> list[FieldError]:
        """The same errors under the names of the form."""
        return [FieldError(self.field_of(error.field), error.message, error.code) for error in errors]


def read_entries(posted: Iterable[tuple[str, str]]) -> Entered:
    """The application that posted (dotted name, text) pairs say; empty fields are left out.

    A text that does not read as its type stays as it was typed, so that the checks name it.
    """
    pairs = [(name, value.strip()) for name, value in posted if is_field(name)]
    wanted = _wanted(pairs)
    tree = _empty_needed(schema())
    tree[UTILITIES] = {utility: {} for utility in utilities() if utility in wanted}
    for name, value in pairs:
        parts = name.split(".")
        if value and not (parts[0] == UTILITIES and (len(parts) == 2 or parts[1] not in wanted)):
            _put(tree, parts, _typed(value, node_at(name), parts[-1]), many=_is_many(name))
    tree[MATERIALS] = _rows(tree.get(MATERIALS))
    rows: dict[str, str] = {}
    body: dict[str, Any] = _listed(tree, "", "", rows)
    return Entered(body, rows)


def _empty_needed(node: Mapping[str, Any]) -> dict[str, Any]:
    """The parts every application has, empty: a missing part is then told field by field."""
    parts = {name: resolved(node["properties"][name]) for name in node.get("required", ())}
    return {name: _empty_needed(part) for name, part in parts.items() if part.get("type") == "object"}


def is_field(name: str) -> bool:
    """Whether the schema has such a field; the bytes of a paper are a file of the form, not of the application."""
    parts = name.split(".")
    return parts[0] in schema()["properties"] and parts[-1] != "bytes" and len(parts) <= _DEEPEST


def forgotten_ticks(posted: Iterable[tuple[str, str]]) -> list[FieldError]:
    """One error for each utility that was filled in but not ticked: nothing typed may vanish unseen."""
    pairs = [(name, value.strip()) for name, value in posted if is_field(name)]
    filled = {name.split(".")[1] for name, value in pairs if name.startswith(f"{UTILITIES}.") and value}
    return [
        FieldError(
            f"{UTILITIES}.{utility}",
            "您填写了这一专业的内容，但没有勾选“办理”。请勾选，或清空这些内容。",
            "not_ticked",
        )
        for utility in utilities()
        if utility in filled - _wanted(pairs)
    ]


def _wanted(pairs: Pairs) -> set[str]:
    return {name.split(".")[1] for name, _ in pairs if name.startswith(f"{UTILITIES}.") and name.count(".") == 1}


def _is_many(name: str) -> bool:
    node = node_at(name)
    return node.get("type") == "array" and resolved(node.get("items", {})).get("type") != "object"


def _typed(text: str, node: Mapping[str, Any], name: str) -> Any:
    kind = node.get("type")
    if name in AS_TEXT:
        return _json_or_facts(text, name)
    if kind == "boolean":
        return {"true": True, "on": True, "false": False}.get(text.lower(), text)
    if kind in ("number", "integer") or all(isinstance(choice, int) for choice in node.get("enum", ("",))):
        return _number(text)
    if node.get("format") == "date-time" and _WALL_TIME.fullmatch(text):
        return f"{text}{'' if text.count(':') == 2 else ':00'}+08:00"
    return text


def _number(text: str) -> Any:
    """A figure as people write it, full-width digits and thousands commas included; otherwise the text itself."""
    plain = text.translate(_NARROW).replace(",", "")
    if len(plain) > _LONGEST_NUMBER:
        return text
    if _DIGITS.fullmatch(plain):
        return int(plain)
    return float(plain) if _DECIMAL.fullmatch(plain) else text


_NARROW = {ord("０") + n: str(n) for n in range(10)} | {ord("．"): ".", ord("，"): ",", ord("－"): "-"}


def _json_or_facts(text: str, name: str) -> Any:
    """A boundary is GeoJSON; facts may be JSON, or one `name：value` a line."""
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        if name != "plain_facts":
            return text
    facts: dict[str, Any] = {}
    for line in text.splitlines():
        key, colon, value = line.replace("：", ":").partition(":")
        if not colon or not key.strip():
            return text
        facts[key.strip()] = _number(value.strip())
    return facts


def _put(tree: dict[str, Any], parts: list[str], value: Any, *, many: bool) -> None:
    node = tree
    for part in parts[:-1]:
        node = node.setdefault(part, {})
        if not isinstance(node, dict):
            return
    if many:
        values = node.setdefault(parts[-1], [])
        if isinstance(values, list):
            values.append(value)
    else:
        node[parts[-1]] = value


def _rows(rows: Any) -> Any:
    """Papers of which something was chosen: a row that only carries its kind was left alone."""
    if not isinstance(rows, dict):
        return {}
    return {index: row for index, row in rows.items() if not isinstance(row, dict) or set(row) - {"kind"}}


def _listed(node: Any, path: str, row: str, rows: dict[str, str]) -> Any:
    """Objects whose keys are positions become lists, in order; `rows` notes where each entry stood."""
    if not isinstance(node, dict):
        return node
    if node and all(is_position(key) for key in node):
        keys = sorted(node, key=int)
        for index, key in enumerate(keys):
            rows[f"{path}.{index}"] = f"{row}.{key}"
        return [_listed(node[key], f"{path}.{index}", f"{row}.{key}", rows) for index, key in enumerate(keys)]
    before, above = (f"{path}.", f"{row}.") if path else ("", "")
    inner = {key: _listed(value, before + key, above + key, rows) for key, value in node.items()}
    return {key: [] if key == MATERIALS and value == {} else value for key, value in inner.items()}
