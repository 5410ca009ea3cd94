"""The application as plain JSON: what may not be stored at all, and how numbers look when written out again."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from portal.cases.application_texts import TEXTS
from portal.kernel.errors import FieldError

MAX_DEPTH = 40
_EXACT = 2**53


def hostile_texts(body: object) -> list[FieldError]:
    """Every text with a NUL or a lone surrogate (no database stores them), and nesting beyond `MAX_DEPTH`."""
    errors: list[FieldError] = []
    waiting: list[tuple[str, object, int]] = [("", body, 0)]
    while waiting:
        path, value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            return [FieldError(path.partition(".")[0], TEXTS["too_deep"], "too_deep")]
        if isinstance(value, str) and not _is_storable(value):
            errors.append(FieldError(path, TEXTS["text"], "text"))
        for key, inner in _members(value):
            if not _is_storable(key):
                errors.append(FieldError(path, TEXTS["text"], "text"))
            else:
                waiting.append((f"{path}.{key}" if path else key, inner, depth + 1))
    return errors[::-1]


def subject_of(body: object) -> str:
    """Whose case a document filed by key is: `uscc:<code>`, or `person:<digest of the identity number>`.

    Empty when the document names nobody; the checks refuse it then. The digest keeps the number out of indexes.
    """
    applicant = body.get("applicant") if isinstance(body, dict) else None
    if not isinstance(applicant, dict):
        return ""
    kind, uscc, id_no = (applicant.get(name) for name in ("kind", "uscc", "id_no"))
    if kind != "person" and isinstance(uscc, str):
        return f"uscc:{uscc[:18]}"
    return f"person:{sha256(id_no.upper().encode(errors='replace')).hexdigest()[:40]}" if isinstance(id_no, str) else ""


def _members(value: object) -> list[tuple[str, object]]:
    if isinstance(value, dict):
        return [(str(key), inner) for key, inner in value.items()]
    if isinstance(value, list):
        return [(str(index), inner) for index, inner in enumerate(value)]
    return []


def _is_storable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def tidy(value: Any) -> Any:
    """The same JSON with whole numbers written whole: `315`, not `315.0`, as they were filed."""
    if isinstance(value, dict):
        return {key: tidy(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [tidy(inner) for inner in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    return value
