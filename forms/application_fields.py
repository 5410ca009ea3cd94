"""The fields of the application form, walked from the published JSON schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from forms.application_labels import FIRST, label_of

SCHEMA_FILE = Path(__file__).parent / "application.schema.json"
# How many rows of a list the form can carry, and how many it shows before any is added.
ROWS = {"equipment": (20, 3), "appliances": (10, 2), "survey_wishes": (6, 2)}
MATERIALS = "materials"
UTILITIES = "utilities"
SERVER_SIDE = ("channel",)
AS_TEXT = ("boundary", "plain_facts")


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field: its dotted path (also its name), how it is shown, what it may be.

    `kind`: text, number, integer, date, moment, choice, choices (several), flag (a box), yes_no (no default), json.
    `is_first`: shown at once; the others wait under "more".
    """

    path: str
    kind: str
    label: str
    choices: tuple[str, ...] = ()
    is_first: bool = False


@cache
def schema() -> dict[str, Any]:
    """The published schema, read once."""
    content: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return content


def material_kinds() -> tuple[str, ...]:
    """The kinds of papers the schema knows, one row each on the form."""
    return tuple(schema()["properties"][MATERIALS]["items"]["properties"]["kind"]["enum"])


def rows_of(path: str) -> tuple[int, int]:
    """(how many rows of this list the form can carry, how many it shows at first)."""
    return ROWS.get(path.rpartition(".")[2], (1, 1))


def utilities() -> tuple[str, ...]:
    """The utilities that can be asked for."""
    return tuple(schema()["properties"][UTILITIES]["properties"])


@cache
def field_specs() -> tuple[FieldSpec, ...]:
    """Every field of the form in the order of the schema, rows of lists spelled out."""
    return tuple(_walk("", schema(), is_needed=True))


def _walk(path: str, node: Mapping[str, Any], *, is_needed: bool) -> Iterator[FieldSpec]:
    required = {*node.get("required", ()), *node.get("x-needed-for-new-increase-temporary", ())}
    for name, raw in node.get("properties", {}).items():
        inner = f"{path}.{name}" if path else name
        if inner not in SERVER_SIDE:
            yield from _field(inner, name, resolved(raw), is_needed=is_needed and name in required)


def _field(path: str, name: str, node: Mapping[str, Any], *, is_needed: bool) -> Iterator[FieldSpec]:
    is_first = is_needed or path in FIRST
    if name in AS_TEXT:
        yield FieldSpec(path, "json", label_of(path), is_first=is_first)
    elif path.startswith(f"{UTILITIES}.") and path.count(".") == 1:
        yield FieldSpec(path, "flag", label_of(path), is_first=True)
        yield from _walk(path, node, is_needed=True)
    elif node.get("type") == "object":
        yield from _walk(path, node, is_needed=is_needed)
    elif node.get("type") == "array":
        yield from _list(path, name, node, is_first=is_first or name == "not_sure")
    else:
        kind, choices = _scalar(node, name)
        yield FieldSpec(path, kind, label_of(path), choices, is_first)


def _list(path: str, name: str, node: Mapping[str, Any], *, is_first: bool) -> Iterator[FieldSpec]:
    items = resolved(node["items"])
    if items.get("type") == "object":
        rows = len(material_kinds()) if path == MATERIALS else rows_of(path)[0]
        for index in range(rows):
            yield from _walk(f"{path}.{index}", items, is_needed=False)
        return
    choices = tuple(items.get("enum", ()))
    if name == "not_sure":
        choices = tuple(node_at(path.rpartition(".")[0]).get("x-needed-for-new-increase-temporary", ()))
    elif name == "reuse_licences":
        choices = ("business_licence", "id_card", "property_right")
    yield FieldSpec(path, "choices", label_of(path), choices, is_first)


def _scalar(node: Mapping[str, Any], name: str) -> tuple[str, tuple[str, ...]]:
    kind = node.get("type")
    if "enum" in node:
        return "choice", tuple(str(choice) for choice in node["enum"])
    if kind == "boolean":
        # A box can only say yes: where no means something of its own, it is asked.
        is_box = node.get("default") is False or name == "promise_terms"
        return ("flag" if is_box else "yes_no"), ()
    if kind == "integer" and node.get("maximum", 99) <= 3:
        return "choice", tuple(str(n) for n in range(node["minimum"], node["maximum"] + 1))
    if kind in ("number", "integer"):
        return str(kind), ()
    return {"date": "date", "date-time": "moment"}.get(node.get("format", ""), "text"), ()


def resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """The node that a reference stands for; the node itself otherwise."""
    reference = node.get("$ref") or next((part["$ref"] for part in node.get("allOf", ()) if "$ref" in part), None)
    if reference is None:
        return node
    found: Mapping[str, Any] = schema()["$defs"][reference.rpartition("/")[2]]
    return found


def is_position(part: str) -> bool:
    """Whether this part of a path counts the entries of a list."""
    return part.isascii() and part.isdecimal() and len(part) <= 3


def node_at(path: str) -> Mapping[str, Any]:
    """The schema node of a dotted path, or an empty one for a path the schema does not have."""
    node: Mapping[str, Any] = schema()
    for part in path.split("."):
        if node.get("type") == "array":
            node = resolved(node.get("items", {}))
            if is_position(part):
                continue
        node = resolved(node.get("properties", {}).get(part, {}))
    return node
