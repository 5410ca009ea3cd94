"""Value types of an application, with the semantics of JSON Schema 2020-12 rather than Python's.

JSON knows no tuples, dates or null-for-absent: `3.0` is an integer, `true` is no number, `null` is not "left out".
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

T = TypeVar("T")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+", re.ASCII)


class Part(BaseModel):
    """A frozen piece of an application that knows every one of its properties."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _refuse_null(value: Any) -> Any:
    if value is None:
        raise PydanticCustomError("null", "null")
    return value


def _array(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise PydanticCustomError("array", "not an array")
    return tuple(value)


def _unique(values: tuple[T, ...]) -> tuple[T, ...]:
    if len(set(values)) != len(values):
        raise PydanticCustomError("unique", "values repeat")
    return values


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _date(value: Any) -> Any:
    if not isinstance(value, str):
        raise PydanticCustomError("string_type", "not a string")
    if not _DATE.fullmatch(value):
        raise PydanticCustomError("date", "not a date")
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("date", "no such day") from None


def _instant(value: Any) -> Any:
    if not isinstance(value, str):
        raise PydanticCustomError("string_type", "not a string")
    try:
        at = dt.datetime.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("instant", "not a time") from None
    if at.tzinfo is None or len(value) < len("2026-01-01T00:00:00Z"):
        raise PydanticCustomError("instant", "no offset")
    return at


def _email(value: str) -> str:
    if not _EMAIL.fullmatch(value):
        raise PydanticCustomError("email", "not an address")
    return value


def _fact(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise PydanticCustomError("fact", "neither number nor text")
    return value


# `Maybe[X]` may be left out, but never be null.
Maybe = Annotated[T | None, BeforeValidator(_refuse_null)]
Items = Annotated[tuple[T, ...], BeforeValidator(_array)]
UniqueItems = Annotated[tuple[T, ...], BeforeValidator(_array), AfterValidator(_unique)]

Size = Annotated[float, Field(gt=0)]
Amount = Annotated[float, Field(ge=0)]
Capacity = Annotated[float, Field(gt=0, le=100_000)]
Count = Annotated[int, BeforeValidator(_whole), Field(ge=0)]
Positive = Annotated[int, BeforeValidator(_whole), Field(ge=1)]
Grade = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=3)]
WholeChoice = BeforeValidator(_whole)

Day = Annotated[dt.date, BeforeValidator(_date)]
Moment = Annotated[dt.datetime, BeforeValidator(_instant)]
Email = Annotated[str, AfterValidator(_email)]
Mobile = Annotated[str, StringConstraints(pattern=r"^1[3-9][0-9]{9}$")]
Season = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{4}$")]
PlainFact = Annotated[float | str, BeforeValidator(_fact)]
