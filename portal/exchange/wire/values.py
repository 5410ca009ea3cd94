"""Small values that all reports share. Requests are strict: no unknown field, no silent conversion, all bounded."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

MAX_FEN = 10**13  # 100 billion yuan: far above any case, far below what a 64-bit column holds
MAX_METRES = 1_000_000

Code = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.\-]+$")]
Line = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(min_length=1, max_length=1000)]
LongText = Annotated[str, Field(min_length=1, max_length=4000)]
Metres = Annotated[float, Field(ge=0, le=MAX_METRES, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Fen = Annotated[int, Field(ge=0, le=MAX_FEN)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")


def _decimal_text(value: Any) -> str:
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        raise PydanticCustomError("decimal_text", "a decimal number is needed")
    return text


def _decimal_string(value: Any) -> str:
    if not isinstance(value, str):
        raise PydanticCustomError("decimal_string", "a decimal string is needed")
    return _decimal_text(value)


_DECIMAL_SCHEMA = {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,6})?$"}
# `quantity` is money's factor: a float has no business there.
Quantity = Annotated[str, BeforeValidator(_decimal_string), WithJsonSchema(_DECIMAL_SCHEMA)]
# Readings, multipliers and rates are taken as a number or as text and kept as text.
Decimal = Annotated[
    str, BeforeValidator(_decimal_text), WithJsonSchema({"anyOf": [_DECIMAL_SCHEMA, {"type": "number", "minimum": 0}]})
]
# Within a century: no conversion of what passes can overflow.
Instant = Annotated[
    AwareDatetime, Field(ge=dt.datetime(2000, 1, 1, tzinfo=dt.UTC), le=dt.datetime(2100, 1, 1, tzinfo=dt.UTC))
]
Day = Annotated[dt.date, Field(ge=dt.date(2000, 1, 1), le=dt.date(2100, 1, 1))]


class Value(BaseModel):
    """A frozen value of a request: unknown fields are an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Place(Value):
    """A point, degrees in EPSG:4490."""

    lon: Annotated[float, Field(ge=73, le=136, allow_inf_nan=False)]
    lat: Annotated[float, Field(ge=3, le=54, allow_inf_nan=False)]


class AccessPoint(Value):
    """Where the provider's line is met."""

    location: Place | None = None
    description: Line


Position = Annotated[
    tuple[Annotated[float, Field(ge=73, le=136)], Annotated[float, Field(ge=3, le=54)]],
    Field(description="lon, lat"),
]


class LineString(Value):
    """A GeoJSON line, degrees in EPSG:4490."""

    type: Literal["LineString"]
    coordinates: Annotated[tuple[Position, ...], Field(min_length=2, max_length=5000)]


class ReportBase(Value):
    """What every report carries beside its kind. `revision` is that of the task answered."""

    occurred_at: Instant
    revision: Annotated[int, Field(ge=1, le=10_000)]
    provider_ref: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    operator: Annotated[str, Field(min_length=1, max_length=100)] | None = None
