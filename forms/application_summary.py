"""An application as filed, in words: sections of labelled values, for those who check it or work on their part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from forms.application_labels import CHOICES, SECTIONS, label_of

_GROUPS = {
    "contact": "联系人",
    "legal_representative": "法定代表人",
    "agent": "代理人",
    "invoice": "发票",
}
_TABLES = {"equipment": "用电设备", "appliances": "燃气器具"}  # lists of rows, which the form titles by itself
_WORDS = frozenset({"division", "street"})  # codes that the catalog puts into words
# Free text and numbers that happen to read like a code stay as they are.
_AS_WRITTEN = frozenset({"name", "address", "title", "bank", "added_kva", "existing_kva", "count", "meters", "id_no"})
_HIDDEN = 8


@dataclass(frozen=True, slots=True)
class Row:
    """One value: its dotted path in the application, its label and the value in words."""

    path: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the application under its title."""

    title: str
    rows: tuple[Row, ...]


def sections_of(body: Mapping[str, Any], names: Mapping[str, str], *, masked: bool = False) -> tuple[Section, ...]:
    """The application section by section, in the order of the form; parts that were not filled in are left out.

    `names` puts codes of divisions and streets into words; `masked` hides the middle of identity numbers.
    """
    top = tuple(_rows_of({key: body[key] for key in ("kind", "combined_with") if key in body}, "", names, masked))
    found = [Section("业务", top)]
    for path, title in SECTIONS:
        part = _at(body, path)
        if part:
            found.append(Section(title, tuple(_rows_of(part, path, names, masked))))
    return tuple(found)


def part_rows(part: Mapping[str, Any], utility: str, names: Mapping[str, str]) -> tuple[Row, ...]:
    """One utility's own section as labelled values."""
    return tuple(_rows_of(part, f"utilities.{utility}", names, masked=False))


def _at(body: Mapping[str, Any], path: str) -> Any:
    here: Any = body
    for name in path.split("."):
        here = here.get(name) if isinstance(here, Mapping) else None
    return here


def _rows_of(node: Mapping[str, Any], path: str, names: Mapping[str, str], masked: bool) -> Iterator[Row]:
    for name, value in node.items():
        inner = f"{path}.{name}" if path else name
        if value in (None, "", [], {}):
            continue
        if name in ("boundary", "plain_facts"):
            yield Row(inner, label_of(inner), _drawn(value) if name == "boundary" else _plain(value))
        elif isinstance(value, Mapping):
            yield from _rows_of(value, inner, names, masked)
        else:
            yield Row(inner, _label(inner), _text(name, value, names, masked))


def _label(path: str) -> str:
    parts = path.split(".")
    label = _TABLES.get(parts[-1]) or label_of(path)
    group = _GROUPS.get(parts[-2], "") if len(parts) > 1 else ""
    return label if label.startswith(group) else group + label


def _text(name: str, value: Any, names: Mapping[str, str], masked: bool) -> str:
    if isinstance(value, list | tuple):
        return "；".join(_item(name, item, names, masked) for item in value)
    if isinstance(value, bool):
        return "是" if value else "否"
    if name == "id_no" and masked:
        return str(value)[:-_HIDDEN] + "*" * _HIDDEN
    if name in _WORDS:
        return names.get(str(value), str(value))
    if name in _AS_WRITTEN or (isinstance(value, int | float) and name != "load_grade"):
        return str(value)
    return CHOICES.get(str(value), str(value))


def _item(name: str, item: Any, names: Mapping[str, str], masked: bool) -> str:
    if isinstance(item, Mapping):
        return "，".join(
            f"{label_of(f'{name}.{key}')} {_text(key, value, names, masked)}" for key, value in item.items()
        )
    return label_of(str(item)) if name == "not_sure" else _text(name, item, names, masked)


def _drawn(boundary: Any) -> str:
    rings = boundary.get("coordinates", ()) if isinstance(boundary, Mapping) else ()
    points = len(rings[0]) if rings else 0
    return f"已绘制，{points} 个点" if points else "已提供"


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return "；".join(f"{label_of(key)} {inner}" for key, inner in value.items())
    return str(value)
