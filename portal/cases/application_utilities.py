"""The five utility sections of an application, field by field as in the published schema."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from portal.cases.application_types import (
    Amount,
    Capacity,
    Count,
    Day,
    Grade,
    Items,
    Maybe,
    Part,
    PlainFact,
    Positive,
    Season,
    Size,
    UniqueItems,
    WholeChoice,
)

Kind = Literal[
    "new", "increase", "reduce", "temporary", "alter", "relocate", "transfer", "change_class", "suspend", "close"
]
AccountNo = Annotated[str, Field(max_length=30)]
PipeSize = Annotated[Literal[15, 20, 25, 32, 40, 50, 80, 100, 150, 200, 250, 300], WholeChoice]
Operator = Literal["telecom", "mobile", "unicom", "cable_tv"]
UTILITIES = ("power", "water", "gas", "heating", "network")


class Equipment(Part):
    """Machines or burners of one sort: rated kW each, and how many."""

    name: str
    kw: Size
    count: Positive


class Section(Part):
    """What every utility section may say. `NEEDED`: fields a new, increased or temporary supply must name."""

    NEEDED: ClassVar[tuple[str, ...]] = ()

    kind: Maybe[Kind] = None
    not_sure: UniqueItems[str] = ()
    account_no: Maybe[AccountNo] = None
    new_class: Maybe[str] = None
    last_day_on: Maybe[Day] = None
    plain_facts: Maybe[dict[str, PlainFact]] = None
    wanted_on: Maybe[Day] = None


class Power(Section):
    """电: sizes in kVA, or kW when only the load is known."""

    NEEDED = ("load_class", "added_kva", "voltage", "sources")

    load_class: Maybe[Literal["residential", "general_commercial", "large_industrial", "agricultural"]] = None
    existing_kva: Amount = 0
    added_kva: Maybe[Capacity] = None
    temporary_kva: Maybe[Size] = None
    voltage: Maybe[Literal["220V", "380V", "10kV", "35kV", "110kV"]] = None
    sources: Maybe[Literal["single", "dual", "multi"]] = None
    load_grade: Maybe[Grade] = None
    own_generation: bool = False
    disturbing_load: bool = False
    charging_piles: Maybe[Count] = None
    temporary_wanted_on: Maybe[Day] = None
    equipment: Items[Equipment] = ()
    added_kw: Maybe[Size] = None
    temporary_until_on: Maybe[Day] = None
    ebike_charging: Maybe[Count] = None
    parking_spaces: Maybe[Count] = None


class Water(Section):
    """水: cubic metres a day and an hour, pipe size in mm."""

    NEEDED = ("use", "daily_m3", "pipe_dn_mm")

    use: Maybe[Literal["residential", "commercial", "industrial", "special"]] = None
    daily_m3: Maybe[Size] = None
    peak_hour_m3: Maybe[Size] = None
    pipe_dn_mm: Maybe[PipeSize] = None
    indoor_hydrants: Maybe[Count] = None
    outdoor_hydrants: Maybe[Count] = None
    booster: bool = False
    top_floor_m: Maybe[float] = None
    tank_m3: Maybe[float] = None
    meters: Maybe[Positive] = None
    drainage: Maybe[Literal["municipal_sewer", "own_treatment", "none"]] = None
    temporary_m3_d: Maybe[Size] = None
    temporary_wanted_on: Maybe[Day] = None
    temporary_until_on: Maybe[Day] = None


class Gas(Section):
    """气: cubic metres an hour at the peak, a day and a year, and the pressure wanted."""

    NEEDED = ("use", "peak_m3_h", "pressure")

    use: Maybe[Literal["residential", "commercial", "industrial", "heating", "cng"]] = None
    peak_m3_h: Maybe[Size] = None
    daily_m3: Maybe[Size] = None
    annual_m3: Maybe[Size] = None
    pressure: Maybe[Literal["low", "medium_b", "medium_a", "high"]] = None
    interruptible: bool = False
    households: Maybe[Count] = None
    appliances: Items[Equipment] = ()


class Heating(Section):
    """暖: heated area and, where known, the heat load."""

    NEEDED = ("use", "heated_area_m2")

    use: Maybe[Literal["residential", "public", "industrial", "hot_water"]] = None
    heated_area_m2: Maybe[Size] = None
    heat_load_kw: Maybe[Size] = None
    storey_height_m: Maybe[Size] = None
    terminal: Maybe[Literal["radiator", "floor", "fan_coil"]] = None
    metered: bool = True
    exchange_station: Maybe[Literal["own", "shared", "none"]] = None
    first_season: Maybe[Season] = None


class Network(Section):
    """网: each chosen operator is a provider of its own."""

    NEEDED = ("service",)

    service: Maybe[Literal["broadband", "leased_line", "fibre_to_building", "mobile_coverage"]] = None
    operators: Annotated[UniqueItems[Operator], Field(min_length=1)]
    bandwidth_mbps: Maybe[Positive] = None
    fibre_cores: Maybe[Positive] = None
    households: Maybe[Count] = None
    ducts: Maybe[Count] = None


class Utilities(Part):
    """The utilities chosen; at least one."""

    power: Maybe[Power] = None
    water: Maybe[Water] = None
    gas: Maybe[Gas] = None
    heating: Maybe[Heating] = None
    network: Maybe[Network] = None

    @model_validator(mode="after")
    def _at_least_one(self) -> Utilities:
        if not self.sections():
            raise PydanticCustomError("no_utility", "nothing chosen")
        return self

    def sections(self) -> dict[str, Section]:
        """The chosen sections by utility, in the order of `UTILITIES`."""
        found = ((name, getattr(self, name)) for name in UTILITIES)
        return {name: section for name, section in found if section is not None}
