"""From an application file to the fields of the web form: dotted paths, one field each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from providers.simulator.html_pages import Form
from providers.simulator.sample_pdf import sample_pdf

Given = dict[str, str | list[str]]
_YES, _NO = ("true", "yes", "y", "1", "on"), ("false", "no", "n", "0")
_BOXES = ("checkbox", "radio")


def read_application(path: Path) -> dict[str, Any]:
    """One application file. Raises ValueError or TypeError if it holds no JSON object."""
    body = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(body, dict):
        raise TypeError(f"{path.name}: an application is a JSON object")
    return body


def fields_of(form: Form, body: Mapping[str, Any]) -> Given:
    """The form fields that say what `body` says. `channel` is the server's to set and is left out."""
    given: Given = {}
    for name, value in body.items():
        if name != "channel":
            _put(form, given, name, value)
    return given


def _put(form: Form, given: Given, path: str, value: Any) -> None:
    controls = form.named(path)
    if isinstance(value, Mapping):
        _put_section(form, given, path, value)
    elif isinstance(value, list):
        _put_list(form, given, path, value)
    elif isinstance(value, bool):
        options = [option for c in controls for option in ([c.value] if c.kind in _BOXES else c.options)]
        if value or not controls or controls[0].kind != "checkbox":
            wanted = _YES if value else _NO
            given[path] = next((o for o in options if o.lower() in wanted), "true" if value else "false")
    else:
        given[path] = _text(value)


def _put_section(form: Form, given: Given, path: str, value: Mapping[str, Any]) -> None:
    controls = form.named(path)
    if controls and controls[0].kind not in _BOXES:
        given[path] = json.dumps(value, ensure_ascii=False)  # one field for the whole: a boundary, plain facts
        return
    if controls:
        given[path] = controls[0].value  # the box that says "this section is wanted"
    for name, inner in value.items():
        _put(form, given, f"{path}.{name}", inner)


def _put_list(form: Form, given: Given, path: str, value: list[Any]) -> None:
    controls = form.named(path)
    is_flat = all(not isinstance(entry, dict | list) for entry in value)
    if controls and controls[0].kind not in (*_BOXES, "select"):
        given[path] = "\n".join(map(_text, value)) if is_flat else json.dumps(value, ensure_ascii=False)
    elif is_flat and not form.named(f"{path}.0"):
        given[path] = [_text(entry) for entry in value]
    else:
        for index, entry in enumerate(value):
            _put(form, given, f"{path}.{index}", entry)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) and value.is_integer() else str(value)


def papers(body: Mapping[str, Any]) -> Iterator[tuple[int, str, bytes]]:
    """(index, file name, bytes) of every paper that is uploaded now; a paper named without bytes gets a sample."""
    for index, paper in enumerate(body.get("materials", ())):
        if paper.get("source") == "upload" and paper.get("file"):
            applicant = body.get("applicant", {}).get("uscc") or "person"
            yield index, str(paper["file"]), sample_pdf(f"Sample: {paper['kind']}", f"Applicant {applicant}")
