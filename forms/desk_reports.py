"""From what was entered at the desk to one report of the provider protocol, and its errors back onto the fields."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from forms.desk_report_fields import FORMS, Entry, Rows
from portal.catalog.model import FeeItem
from portal.kernel.clock import SHANGHAI, format_instant
from portal.kernel.errors import FieldError
from portal.kernel.money import multiply, parse_yuan

Report = dict[str, Any]
Errors = Iterable[FieldError]
_OFFERS = ("approve", "conditional")
# Parts of a reply that belong to some verdicts only: what was left standing in other fields is not sent.
_REPLY_PARTS = {
    "approve": ("options", "investment_boundary", "valid_until_on"),
    "conditional": ("options", "investment_boundary", "valid_until_on", "conditions"),
    "refuse": ("reason_code", "basis", "would_change", "alternative"),
    "not_served": ("not_served",),
    "not_concerned": (),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a report takes from the task and the city instead of from the reader."""

    revision: int
    operator: str
    at: dt.datetime
    payee: str
    document: Mapping[str, Any]
    items: Mapping[str, FeeItem]


@dataclass(frozen=True, slots=True)
class Entered:
    """A report ready to submit; `places` leads a path in the report back to the name of its field."""

    report: Report
    places: Mapping[str, str] = field(default_factory=dict)

    def field_errors(self, errors: Errors) -> dict[str, str]:
        """Name of the field → message; an error that belongs to no field stands under `""`."""
        found: dict[str, str] = {}
        for error in errors:
            found.setdefault(self._place(error.field), error.message)
        return found

    def _place(self, path: str) -> str:
        path = path.replace("unit_price_fen", "unit_price").replace("amount_fen", "quantity")
        if path.startswith("trench.route."):  # a point of the line: one field holds them all
            return "trench.route"
        head = path
        while head:
            if head in self.places:
                return self.places[head] + path[len(head) :]
            head = head.rpartition(".")[0]
        return path


def report_of(kind: str, given: Mapping[str, str], facts: Facts) -> Entered:
    """The report of `kind` from the posted fields. What is no number or time is passed on, for the checks to name it.

    Raises KeyError for a kind that has no form.
    """
    tree: Report = {}
    for entry, name in fields_of(kind):
        text = given.get(name, "").strip()
        if text:
            _put(tree, name.split("."), _value(entry, text))
    places: dict[str, str] = {}
    body = _listed(tree, "", "", places)
    body |= {"kind": kind, "revision": facts.revision, "occurred_at": format_instant(facts.at)}
    body |= {"operator": facts.operator[:100]} if facts.operator else {}
    shape = _SHAPES.get(kind)
    return Entered(shape(body, facts) if shape else body, places)


def fields_of(kind: str) -> list[tuple[Entry, str]]:
    """Every field of the form with its name, rows spelled out."""
    found: list[tuple[Entry, str]] = []
    for part in FORMS[kind].parts:
        if isinstance(part, Rows):
            found += [(e, f"{part.path}.{i}.{e.name}") for i in range(part.count) for e in part.entries]
        else:
            found.append((part, part.name))
    return found


def defaults_of(kind: str, document: Mapping[str, Any], at: dt.datetime) -> dict[str, str]:
    """What a form starts with: the site for the access point, now for the connection."""
    if kind == "findings":
        site = document["site"]
        location = {f"access_point.location.{axis}": str(site["location"][axis]) for axis in ("lon", "lat")}
        return {"access_point.description": site["address"], **location}
    if kind == "connected":
        return {"connected_at": at.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M")}
    return {}


def _put(tree: Report, parts: list[str], value: Any) -> None:
    for part in parts[:-1]:
        tree = tree.setdefault(part, {})
    tree[parts[-1]] = value


def _listed(node: Any, path: str, place: str, places: dict[str, str]) -> Any:
    """Turns numbered keys into lists without gaps and notes where each row stood on the form."""
    if not isinstance(node, dict):
        return node
    if not all(key.isdigit() for key in node) or not node:
        return {k: _listed(v, f"{path}.{k}".strip("."), f"{place}.{k}".strip("."), places) for k, v in node.items()}
    rows = []
    for index, key in enumerate(sorted(node, key=int)):
        places[f"{path}.{index}"] = f"{place}.{key}"
        rows.append(_listed(node[key], f"{path}.{index}", f"{place}.{key}", places))
    return rows


def _value(entry: Entry, text: str) -> Any:
    if entry.kind == "flag":
        return True
    if entry.kind == "moment":
        return f"{text}:00+08:00" if len(text) == len("2026-11-23T09:00") else text
    converts: dict[str, Callable[[str], Any]] = {"number": float, "integer": int, "line": _line}
    try:
        return converts.get(entry.kind, str)(text)
    except ValueError:
        return text


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.replace("，", "、").replace(",", "、").split("、") if name.strip()]


def _availability(body: Report, _facts: Facts) -> Report:
    return {**body, "people": _names(body.pop("people", ""))}


def _findings(body: Report, _facts: Facts) -> Report:
    lists: Report = {name: _names(body[name]) for name in ("obstacles", "photos") if name in body}
    return {**body, **lists}


def _line(text: str) -> Any:
    """A GeoJSON line from one point a row; what is no pair of numbers is passed on, for the checks to name it."""
    points = []
    for row in text.replace("，", ",").splitlines():
        if row.strip():
            try:
                points.append([float(part) for part in row.split(",")])
            except ValueError:
                return text
    return {"type": "LineString", "coordinates": points}


def _resume(body: Report, facts: Facts) -> Report:
    paused = facts.document.get("paused") or {}
    return {**body, "reason_code": paused.get("reason_code", "")}


def _reply(body: Report, facts: Facts) -> Report:
    verdict = body.get("verdict", "")
    parts = {name for names in _REPLY_PARTS.values() for name in names}
    alternative = body.get("alternative")
    kept = {key: value for key, value in body.items() if key not in parts or key in _REPLY_PARTS.get(verdict, ())}
    if verdict in _OFFERS and "options" in kept:
        kept["options"] = [_option(code, o, facts) for code, o in zip("AB", kept["options"], strict=False)]
    if verdict == "not_served":
        gap = {"nearest_m": None, "planned_year": None, **body.get("not_served", {})}
        kept["not_served"] = {**gap, **({"alternative": alternative} if alternative else {})}
    return kept


def _option(code: str, option: Report, facts: Facts) -> Report:
    quote = [_quote_line(line, facts) for line in option.get("quote", ())]
    return {"code": code, **option, "quote": quote}


def _quote_line(line: Report, facts: Facts) -> Report:
    """Price, rate, boundary and basis come from the published item; the amount is computed, never entered."""
    item = facts.items.get(line.get("fee_item", ""))
    if item is None:
        return {key: value for key, value in line.items() if key != "unit_price"}
    quantity = line.get("quantity", "")
    price = _price(line.get("unit_price"), item)
    return {
        "fee_item": item.code,
        "quantity": quantity,
        "unit_price_fen": price,
        "amount_fen": _amount(quantity, price),
        "payer": line.get("payer", item.payer),
        "payee": facts.payee,
        "boundary": item.boundary,
        "vat_rate": item.vat_rate,
        "basis": item.basis,
    }


def _quote_final(body: Report, facts: Facts) -> Report:
    return {**body, "quote": [_quote_line(line, facts) for line in body.get("quote", ())]}


def _price(text: str | None, item: FeeItem) -> Any:
    try:
        return parse_yuan(text) if text else item.price_fen
    except ValueError:
        return text


def _amount(quantity: str, price: Any) -> int:
    try:
        return multiply(quantity, price)
    except (ValueError, TypeError):
        return 0


def _review(body: Report, facts: Facts) -> Report:
    latest = {drawing["kind"]: drawing for drawing in facts.document["drawings"]}
    drawings = [{"sha256": d["sha256"], "version": d["version"]} for d in latest.values()]
    given = body.pop("comments", ()) if drawings else ()
    comments = [{"drawing_sha256": drawings[0]["sha256"], **comment} for comment in given]
    return {**body, "round": facts.revision, "drawings": drawings, "comments": comments}


def _acceptance(body: Report, _facts: Facts) -> Report:
    items = [{**item, "ok": item.get("ok") == "yes"} for item in body.get("items", ())]
    return {**body, "items": items}


_SHAPES: dict[str, Callable[[Report, Facts], Report]] = {
    "availability": _availability,
    "findings": _findings,
    "resume": _resume,
    "reply": _reply,
    "quote_final": _quote_final,
    "review": _review,
    "acceptance": _acceptance,
}
