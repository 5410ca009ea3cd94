"""The fields of the application form, walked from the published JSON schema; and from a posted form to a body."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from forms.application_labels import label_of

SCHEMA_FILE = Path(__file__).parent / "application.schema.json"
ROWS = {"equipment": 6, "appliances": 4, "survey_wishes": 3}
MATERIALS = "materials"
SERVER_SIDE = ("channel",)
_JSON_FIELDS = ("boundary", "plain_facts")


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field: its dotted path (also its name), how it is shown, what it may be.

    `kind`: text, number, integer, date, choice, choices (several), flag (a box), yes_no (no default), json.
    """

    path: str
    kind: str
    label: str
    choices: tuple[str, ...] = ()
    is_needed: bool = False


@cache
def schema() -> dict[str, Any]:
    """The published schema, read once."""
    content: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return content


def material_kinds() -> tuple[str, ...]:
    """The kinds of papers the schema knows, one row each on the form."""
    return tuple(schema()["properties"][MATERIALS]["items"]["properties"]["kind"]["enum"])


@cache
def field_specs() -> tuple[FieldSpec, ...]:
    """Every field of the form in the order of the schema, rows of lists spelled out."""
    return tuple(_walk("", schema()))


def _walk(path: str, node: Mapping[str, Any]) -> Iterator[FieldSpec]:
    required = set(node.get("required", ()))
    for name, raw in node.get("properties", {}).items():
        inner = f"{path}.{name}" if path else name
        if inner in SERVER_SIDE:
            continue
        yield from _field(inner, name, _resolved(raw), is_needed=name in required)


def _field(path: str, name: str, node: Mapping[str, Any], *, is_needed: bool) -> Iterator[FieldSpec]:
    if name in _JSON_FIELDS:
        yield FieldSpec(path, "json", label_of(path))
    elif path.startswith("utilities."):
        if path.count(".") == 1:
            yield FieldSpec(path, "flag", label_of(path))
            yield from _walk(path, node)
        else:
            yield from _plain(path, name, node, is_needed=is_needed)
    else:
        yield from _plain(path, name, node, is_needed=is_needed)


def _plain(path: str, name: str, node: Mapping[str, Any], *, is_needed: bool) -> Iterator[FieldSpec]:
    if node.get("type") == "object":
        yield from _walk(path, node)
    elif node.get("type") == "array":
        yield from _list(path, name, _resolved(node["items"]), node)
    else:
        kind, choices = _scalar(node)
        if kind == "flag" and "default" not in node and name != "promise_terms":
            kind = "yes_no"
        yield FieldSpec(path, kind, label_of(path), choices, is_needed)


def _list(path: str, name: str, items: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[FieldSpec]:
    if items.get("type") == "object":
        rows = len(material_kinds()) if path == MATERIALS else ROWS.get(name, 1)
        for index in range(rows):
            yield from _walk(f"{path}.{index}", items)
        return
    choices = tuple(items.get("enum", ()))
    if name == "not_sure":
        parent = _node_at(path.rpartition(".")[0])
        choices = tuple(parent.get("x-needed-for-new-increase-temporary", ()))
    elif name == "reuse_licences":
        choices = ("business_licence", "id_card", "property_right")
    yield FieldSpec(path, "choices", label_of(path), choices)


def _scalar(node: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    if "enum" in node:
        return "choice", tuple(str(choice) for choice in node["enum"])
    kind = node.get("type")
    if kind == "boolean":
        return "flag", ()
    if kind == "integer" and node.get("maximum", 99) <= 3:
        return "choice", tuple(str(n) for n in range(node["minimum"], node["maximum"] + 1))
    if kind in ("number", "integer"):
        return str(kind), ()
    return ("date" if node.get("format") == "date" else "text"), ()


def _resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = node.get("$ref") or next((part["$ref"] for part in node.get("allOf", ()) if "$ref" in part), None)
    if reference is None:
        return node
    found: Mapping[str, Any] = schema()["$defs"][reference.rpartition("/")[2]]
    return found


def _node_at(path: str) -> Mapping[str, Any]:
    """The schema node of a dotted path, or an empty one for a path the schema does not have."""
    node: Mapping[str, Any] = schema()
    for part in path.split("."):
        if node.get("type") == "array":
            node = _resolved(node["items"])
            if part.isdigit():
                continue
        node = _resolved(node.get("properties", {}).get(part, {}))
    return node


def body_of(posted: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The application that posted (dotted name, text) pairs say; empty fields are left out.

    Texts become the schema's types where they can; one that cannot stays as it was typed, so that the checks name it.
    """
    pairs = [(name, value.strip()) for name, value in posted if _is_field(name)]
    wanted = {name.split(".")[1] for name, value in pairs if name.startswith("utilities.") and name.count(".") == 1}
    tree: dict[str, Any] = {"utilities": {utility: {} for utility in sorted(wanted)}}
    for name, value in pairs:
        parts = name.split(".")
        if value and not (parts[0] == "utilities" and (len(parts) == 2 or parts[1] not in wanted)):
            _put(tree, parts, _typed(value, _node_at(name), parts[-1]), many=_is_many(name))
    tree[MATERIALS] = _rows(tree.get(MATERIALS))
    return _listed(tree)


def _is_field(name: str) -> bool:
    return name.split(".")[0] in schema()["properties"] and not name.endswith(".bytes")


def _is_many(name: str) -> bool:
    node = _node_at(name)
    return node.get("type") == "array" and _resolved(node["items"]).get("type") != "object"


def _typed(text: str, node: Mapping[str, Any], name: str) -> Any:
    if name in _JSON_FIELDS:
        return _json_or_facts(text, name)
    kind = node.get("type")
    if kind == "boolean":
        return text.lower() in ("true", "on", "yes", "1")
    if kind in ("number", "integer") or all(isinstance(c, int) for c in node.get("enum", ("",))):
        return _number(text)
    return text


def _number(text: str) -> Any:
    for make in (int, float):
        try:
            return make(text)
        except ValueError:
            continue
    return text


def _json_or_facts(text: str, name: str) -> Any:
    """A boundary is GeoJSON; facts may be JSON, or one `name：value` a line."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        if name != "plain_facts":
            return text
    facts: dict[str, Any] = {}
    for line in text.splitlines():
        key, colon, value = line.replace("：", ":").partition(":")
        if colon and key.strip():
            facts[key.strip()] = _number(value.strip())
    return facts


def _put(tree: dict[str, Any], parts: list[str], value: Any, *, many: bool) -> None:
    node = tree
    for part in parts[:-1]:
        node = node.setdefault(part, {})
        if not isinstance(node, dict):
            return
    if many:
        node.setdefault(parts[-1], []).append(value)
    else:
        node[parts[-1]] = value


def _rows(rows: Any) -> Any:
    """Papers of which something was chosen: a row that only carries its kind was left alone."""
    if not isinstance(rows, dict):
        return {}
    return {index: row for index, row in rows.items() if not isinstance(row, dict) or set(row) - {"kind"}}


def _listed(node: Any) -> Any:
    """Objects whose keys are positions become lists, in order."""
    if isinstance(node, list):
        return node
    if not isinstance(node, dict):
        return node
    if node and all(key.isdigit() for key in node):
        return [_listed(node[key]) for key in sorted(node, key=int)]
    return {key: ([] if key == MATERIALS and not value else _listed(value)) for key, value in node.items()}
