"""The description as a page to read: the same document as `/api/v1/openapi.json`, without a script."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template

from portal.api.description import describe
from portal.kernel.routes import action

bp = Blueprint("api_page", __name__)
_FIRST = ("Application", "Report", "TaskDocument", "Event", "Problem")


@dataclass(frozen=True, slots=True)
class Shown:
    """One schema as the page shows it: its fields, and an example as text where there is one."""

    name: str
    text: str
    fields: tuple[dict[str, Any], ...]
    example: str | None


@bp.get("/developers/api")
@action("public.api_description")
def show() -> str:
    """All calls, events and schemas."""
    document = describe()
    calls = [
        {"method": method.upper(), "path": path, **operation, "bodies": _bodies(operation)}
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    schemas = document["components"]["schemas"]
    names = [*_FIRST, *sorted(schemas.keys() - set(_FIRST))]
    return render_template(
        "public/api.html",
        document=document,
        calls=calls,
        schemas=[_shown(name, schemas[name]) for name in names],
        name_of=_name_of,
    )


def _bodies(operation: dict[str, Any]) -> list[tuple[str, str]]:
    content = operation.get("requestBody", {}).get("content", {})
    return [(media, _kind(one["schema"])) for media, one in content.items()]


def _shown(name: str, schema: dict[str, Any]) -> Shown:
    needed = set(schema.get("required", ()))
    fields = tuple(
        {
            "name": field,
            "kind": _kind(one),
            "is_needed": field in needed,
            "text": " ".join(str(one.get("description", "")).split()),
        }
        for field, one in schema.get("properties", {}).items()
    )
    examples = schema.get("examples")
    example = json.dumps(examples[0], ensure_ascii=False, indent=2) if examples else None
    text = " ".join(str(schema.get("description", "")).split())
    if "oneOf" in schema:
        text = "One of: " + ", ".join(_name_of(one["$ref"]) for one in schema["oneOf"])
    return Shown(name, text, fields, example)


def _kind(schema: dict[str, Any]) -> str:
    """A schema in a few words: the type, what it may hold, or the name of what it refers to."""
    if "$ref" in schema:
        return _name_of(schema["$ref"])
    if "anyOf" in schema:
        return " | ".join(_kind(one) for one in schema["anyOf"])
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        items = schema.get("items")
        return f"[{_kind(items)}]" if isinstance(items, dict) else "array"
    form = schema.get("format")
    return f"{schema.get('type', 'any')} ({form})" if form else str(schema.get("type", "any"))


def _name_of(reference: str) -> str:
    return reference.rsplit("/", 1)[-1]
