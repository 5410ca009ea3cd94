"""The shape of a dialect. What has no entry is unmapped: it is shown to people, never guessed and never dropped."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=100)]


class Unmapped(ValueError):
    """There is no entry for this: `what` is `code:5@works`, `field:bizId` or `value:utility=steam`."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what[:120]


class Part(BaseModel):
    """A frozen piece of a mapping."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldRule(Part):
    """One form field of an outgoing message: from a dotted path of the event, or a constant.

    `codes` translates the value; a value it does not name is unmapped, unless there is no value at all and the field
    is not `required`.
    """

    to: Name
    title: str = ""
    source: str = ""
    const: str | None = None
    codes: dict[str, str] = {}
    required: bool = False


class StatusRule(Part):
    """What a status code means, in one stage or (stage empty) in every other: a report kind, or `noted`.

    `values` are fixed fields of the report, `copies` says which of its fields come from which of the message's;
    a copied field whose name ends in `!number` becomes a number.
    """

    code: Name
    stage: str = ""
    title: str = ""
    report: Name
    values: dict[str, Any] = {}
    copies: dict[str, str] = {}


class Mapping(Part):
    """The dialect of one provider's system."""

    title: str
    format: Literal["json", "form"] = "json"
    paths: dict[str, str]  # event type → path behind the provider's address
    desk_events: tuple[str, ...] = ()  # events its system has no place for: they stay readable at the desk
    answer_field: str = ""  # where its answer says whether it took the message; empty: the HTTP status says it
    answer_ok: tuple[str, ...] = ()
    fields: tuple[FieldRule, ...]
    task_field: Name
    code_field: Name
    at_field: str = ""
    at_format: str = "%Y-%m-%d %H:%M:%S"
    id_field: str = ""
    operator_field: str = ""
    ref_field: str = ""
    unsigned: bool = False  # its system cannot sign: its key alone is the credential of its status messages
    reply_ok: dict[str, str] = {}  # what it wants to read when we have its message
    statuses: tuple[StatusRule, ...]


def load_mapping(path: Path) -> Mapping:
    """A dialect from its file. Raises pydantic's ValidationError, or TOMLDecodeError."""
    return Mapping.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
