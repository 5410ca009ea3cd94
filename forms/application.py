"""The application as one form: fields made from the schema, errors put back onto them, entries kept."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    Field,
    FileField,
    HiddenField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import CheckboxInput, ListWidget

from forms.application_body import is_field
from forms.application_fields import MATERIALS, FieldSpec, field_specs, material_kinds, rows_of
from forms.application_labels import CHOICES, label_of, place_of
from portal.kernel.errors import FieldError

KEY_FIELD = "idempotency_key"
ADD_FIELD = "add"
WHOLE = "application"  # the anchor of the form itself
GROUPS = ("materials", "utilities")  # sections that carry errors of their own
LISTS = ("utilities.power.equipment", "utilities.gas.appliances", "survey_wishes")
_SHANGHAI = "+08:00"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_WALL_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?")


class ChoicesField(SelectMultipleField):  # type: ignore[misc]
    """Several boxes under one name."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def pre_validate(self, form: Any) -> None:
        """What may be chosen is checked with everything else, at intake."""


class MomentField(StringField):  # type: ignore[misc]
    """A day and time on the wall clock in Shanghai."""

    def _value(self) -> str:
        text = str(self.data or "")
        return text.removesuffix(_SHANGHAI) if _WALL_TIME.fullmatch(text.removesuffix(_SHANGHAI)) else text


_YES_NO = (SelectChoice("true", "是"), SelectChoice("false", "否"))


@dataclass(frozen=True, slots=True)
class Part:
    """A group of fields: those asked of everybody, and those under "more", which opens where something stands."""

    first: list[FieldSpec] = field(default_factory=list)
    more: list[FieldSpec] = field(default_factory=list)
    is_more_open: bool = False


def _make(spec: FieldSpec) -> Any:
    texts = [SelectChoice(choice, CHOICES.get(choice, label_of(choice))) for choice in spec.choices]
    asked = [SelectChoice("", "请选择")]
    makers: dict[str, Any] = {
        "choice": lambda: SelectField(spec.label, choices=asked + texts, validate_choice=False),
        "yes_no": lambda: SelectField(spec.label, choices=[*asked, *_YES_NO], validate_choice=False),
        "choices": lambda: ChoicesField(spec.label, choices=texts),
        "flag": lambda: BooleanField(spec.label),
        "json": lambda: TextAreaField(spec.label),
        "moment": lambda: MomentField(spec.label),
    }
    return makers.get(spec.kind, lambda: StringField(spec.label))()


@cache
def form_class() -> type[FlaskForm]:
    """The form's class; built once, because it has some three hundred fields."""
    fields: dict[str, Any] = {KEY_FIELD: HiddenField()}
    for spec in field_specs():
        fields[spec.path] = _make(spec)
    for index, kind in enumerate(material_kinds()):
        fields[f"{MATERIALS}.{index}.kind"] = HiddenField(default=kind)
        fields[f"{MATERIALS}.{index}.bytes"] = FileField("文件")
    return type("ApplicationForm", (FlaskForm,), fields)


def part_of(form: FlaskForm, *prefixes: str) -> Part:
    """The fields under these paths, without those that stand in rows."""
    specs = [spec for spec in field_specs() if _is_under(spec.path, prefixes) and not _is_in_row(spec.path)]
    more = [spec for spec in specs if not spec.is_first]
    is_open = any(form[spec.path].data or form[spec.path].errors for spec in more)
    return Part([spec for spec in specs if spec.is_first], more, is_open)


def _is_under(path: str, prefixes: tuple[str, ...]) -> bool:
    return any(path == prefix or path.startswith(f"{prefix}.") for prefix in prefixes)


def _is_in_row(path: str) -> bool:
    return _is_under(path, (*LISTS, MATERIALS))


def shown_rows(form: FlaskForm, path: str, *, added: str = "") -> int:
    """How many rows of this list to show: what is filled in, the usual number, and one more where one was asked for."""
    most, usual = rows_of(path)
    filled = [n for n in range(most) if any(form[s.path].data for s in _row_specs(path, n))]
    last = max(filled, default=-1) + 1
    return min(most, max(usual, last) + (path == added))


def _row_specs(path: str, index: int) -> list[FieldSpec]:
    return [spec for spec in field_specs() if spec.path.startswith(f"{path}.{index}.")]


def carried(form: FlaskForm, posted: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What was sent that the form has no place for: it goes along hidden, and nothing is lost."""
    return [(name, value) for name, value in posted if value and is_field(name) and name not in form]


def input_attributes(spec: FieldSpec, value: object) -> dict[str, str]:
    """The browser's help for this kind of field; a date that is none stays visible as text."""
    text = str(value or "")
    if spec.kind == "date" and (not text or _DAY.fullmatch(text)):
        return {"type": "date"}
    if spec.kind == "moment" and (not text or _WALL_TIME.fullmatch(text.removesuffix(_SHANGHAI))):
        return {"type": "datetime-local"}
    if spec.kind in ("number", "integer"):
        return {"inputmode": "decimal" if spec.kind == "number" else "numeric", "autocomplete": "off"}
    return {"inputmode": "tel"} if spec.path.endswith(("mobile", "phone")) else {}


@dataclass(frozen=True, slots=True)
class Shown:
    """Errors on their way to the page: (anchor, message) of each, and anchors the page must add, by field."""

    summary: list[tuple[str, str]] = field(default_factory=list)
    extra_anchors: dict[str, list[str]] = field(default_factory=dict)


def show_errors(form: FlaskForm, errors: Iterable[FieldError]) -> Shown:
    """Put each error onto its field, or onto the nearest one above it where the form does not show that field.

    The anchor is always the path the error names, so that whoever reads the summary knows what was meant.
    """
    shown = Shown()
    for error in errors:
        place = place_of(error.field)
        message = error.message if not place or place in error.message else f"{place}：{error.message}"
        shown.summary.append((error.field or WHOLE, message))
        nearest = None if error.field in GROUPS else _nearest(form, error.field)
        if nearest is not None:
            nearest.errors = [*nearest.errors, error.message]
            if nearest.id != error.field:
                shown.extra_anchors.setdefault(nearest.id, []).append(error.field)
    return shown


def _nearest(form: FlaskForm, path: str) -> Field | None:
    while path:
        if path in form:
            return form[path]
        below = [spec for spec in field_specs() if spec.path.startswith(f"{path}.")]
        if below:
            return form[next((spec.path for spec in below if spec.is_first), below[0].path)]
        path = path.rpartition(".")[0]
    return None
