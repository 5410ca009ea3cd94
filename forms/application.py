"""The application as one form: fields made from the schema, errors put back onto them, entries kept."""

from __future__ import annotations

from collections.abc import Iterable
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
from wtforms.widgets import CheckboxInput, ListWidget

from forms.application_fields import MATERIALS, FieldSpec, field_specs, material_kinds
from forms.application_labels import CHOICES, SECTIONS, label_of
from portal.kernel.errors import FieldError

KEY_FIELD = "idempotency_key"


class ChoicesField(SelectMultipleField):
    """Several boxes under one name."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def pre_validate(self, form: Any) -> None:
        """What may be chosen is checked with everything else, at intake."""


def _make(spec: FieldSpec) -> Any:
    texts = [(choice, CHOICES.get(choice, label_of(choice))) for choice in spec.choices]
    if spec.kind == "choice":
        return SelectField(spec.label, choices=[("", "请选择"), *texts], validate_choice=False)
    if spec.kind == "yes_no":
        return SelectField(spec.label, choices=[("", "请选择"), ("true", "是"), ("false", "否")], validate_choice=False)
    if spec.kind == "choices":
        return ChoicesField(spec.label, choices=texts)
    if spec.kind == "flag":
        return BooleanField(spec.label)
    if spec.kind == "json":
        return TextAreaField(spec.label)
    return StringField(spec.label)


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


def show_errors(form: FlaskForm, errors: Iterable[FieldError]) -> list[tuple[str, str]]:
    """Put each error onto its field; answers (anchor, message) of all of them for the summary.

    An error whose field the form does not show is tied to the nearest field above it.
    """
    summary = []
    for error in errors:
        field = _nearest(form, error.field)
        if field is not None:
            field.errors = [*field.errors, error.message]
        anchor = field.id if field is not None else "application"
        label = label_of(error.field) if error.field else ""
        summary.append((anchor, f"{label}：{error.message}" if label else error.message))
    return summary


def _nearest(form: FlaskForm, path: str) -> Field | None:
    while path:
        if path in form:
            return form[path]
        starts = [name for name in form._fields if name.startswith(f"{path}.")]
        if starts:
            return form[starts[0]]
        path = path.rpartition(".")[0]
    return None


__all__ = ["KEY_FIELD", "SECTIONS", "form_class", "show_errors"]
