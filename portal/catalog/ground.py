"""What the city knows of its ground: how far lines keep apart, which roads may not be opened, what is planned.

Lengths in metres, positions (lon, lat) in degrees, CGCS2000. Every figure names its standard.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field

from portal.catalog.parts import Line, Part, Position, UtilityCode

Metres = Annotated[float, Field(ge=0, le=100)]


class Spacing(Part):
    """The clear distance two lines keep: side by side, and one above the other where they cross."""

    a: UtilityCode
    b: UtilityCode
    beside_m: Metres
    crossing_m: Metres
    source: Line


class Cover(Part):
    """The least earth above a line."""

    utility: UtilityCode
    least_m: Metres
    source: Line


class Exclusion(Part):
    """Two kinds of works that may not go on in one trench on the same day."""

    a: UtilityCode
    b: UtilityCode
    why: Line


class ConditionOrder(Part):
    """A condition code that says: connect `after` first."""

    code: str
    after: UtilityCode


class Contradiction(Part):
    """Two condition codes that cannot both be met where they come from different providers."""

    a: str
    b: str
    why: Line


class GroundRules(Part):
    """The figures of the joint works. `trench_fen_per_m`: what a metre of trench with its road surface comes to."""

    survey_accuracy_m: Metres = 0.05
    same_place_m: Metres = 0.5
    near_works_m: float = Field(default=200, gt=0, le=5000)
    road_width_m: float = Field(default=20, gt=0, le=200)
    trench_fen_per_m: int = Field(default=0, ge=0, le=100_000_000)
    trench_price_source: Line = "未公布"
    new_road_years: int = Field(default=5, ge=0, le=50)
    overhauled_road_years: int = Field(default=3, ge=0, le=50)
    road_source: Line = "《城市道路管理条例》第三十三条"


class Road(Part):
    """A road by its middle line. `finished_on`: when it was built or last overhauled."""

    code: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    name: Line
    division: str
    built: Literal["new", "overhauled"]
    finished_on: dt.date
    line: tuple[Position, ...] = Field(min_length=2)


class PlannedWorks(Part):
    """Works somebody else has announced for a stretch of road."""

    code: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    name: Line
    division: str
    owner: Line
    from_on: dt.date
    until_on: dt.date
    line: tuple[Position, ...] = Field(min_length=2)
