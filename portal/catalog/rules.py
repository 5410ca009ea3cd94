"""The tables of the catalog: service levels, fee items and papers, each with the conditions under which it applies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, PlainSerializer, model_validator

from portal.catalog.parts import Line, Part, UtilityCode

StageName = Literal["survey", "reply", "review", "works", "acceptance", "connection"]
STAGE_ORDER = ("survey", "reply", "review", "works", "acceptance", "connection")
Days = Annotated[float, Field(ge=0, le=400)]
Number = Annotated[Decimal, PlainSerializer(float, when_used="json")]
Note = Annotated[str, Field(min_length=1, max_length=400)]
_BOUNDS = ("at_least", "at_most", "above", "below")
_TESTS = ("known", "equals", "one_of", *_BOUNDS)


class Condition(Part):
    """One test over one fact. A fact that is unknown (None) passes only `known = false`.

    `one_of` over a fact that is a set: any one of them is in it.
    """

    fact: str
    known: bool | None = None
    equals: str | bool | None = None
    one_of: tuple[str, ...] | None = None
    at_least: Number | None = None
    at_most: Number | None = None
    above: Number | None = None
    below: Number | None = None

    @model_validator(mode="after")
    def _check(self) -> Condition:
        given = [name for name in _TESTS if getattr(self, name) is not None]
        if not given or (len(given) > 1 and not set(given) <= set(_BOUNDS)):
            raise ValueError(f"give one test for {self.fact!r}: {', '.join(_TESTS)}; only bounds may stand together")
        return self


class ServiceLevel(Part):
    """Which stages a connection of this class takes and what each may last; the first whose `when` holds applies.

    `counted_stages` (default: all but works) sum up to the provider's own cap `cap_days`; `average_days` and
    `best_days` are fleet figures, never a cap. `road_opening`: lines outside the site are to be buried.
    `survey_skills`: what a provider's standing crew must be trained for to survey this class.
    """

    code: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$")
    utility: UtilityCode
    title: Line
    when: tuple[Condition, ...] = ()
    stages: tuple[StageName, ...]
    limits: Mapping[StageName, Days]
    counted_stages: tuple[StageName, ...] = ()
    cap_days: int | None = Field(default=None, ge=1)
    survey_skills: tuple[str, ...] = ()
    average_days: Days | None = None
    best_days: Days | None = None
    zero_investment: bool = False
    needs_line_check: bool = False
    road_opening: bool = False
    basis: Note
    source: Note

    @model_validator(mode="after")
    def _check(self) -> ServiceLevel:
        if list(self.stages) != [stage for stage in STAGE_ORDER if stage in self.stages]:
            raise ValueError(f"stages stand once each, in the order {' '.join(STAGE_ORDER)}")
        if not {"reply", "connection"} <= set(self.stages):
            raise ValueError("every level has a reply and a connection")
        if set(self.limits) != set(self.stages):
            raise ValueError("limits must name exactly the stages of the level")
        if not set(self.counted_stages) <= set(self.stages):
            raise ValueError("counted_stages are stages of the level")
        if self.cap_days is not None and self.own_days > self.cap_days:
            raise ValueError(f"the counted limits sum to {self.own_days}, more than the cap of {self.cap_days} days")
        return self

    @property
    def own_days(self) -> float:
        """The provider's own steps together, in working days: what a cap bounds."""
        counted = self.counted_stages or tuple(stage for stage in self.stages if stage != "works")
        return float(sum(Decimal(str(self.limits[stage])) for stage in counted))


class FeeItem(Part):
    """One line of the public fee list; a range has `max_price_fen`. No `providers`: every one of the utility's.

    A cancelled item (`cancelled_on`) stays in the list, so that a charge under its name is refused with the reason.
    """

    code: str = Field(pattern=r"^[a-z0-9]+([.\-][a-z0-9]+)*$", max_length=40)
    utility: UtilityCode
    title: Line
    unit: Line
    price_fen: int = Field(ge=0)
    max_price_fen: int | None = None
    vat_rate: str = Field(pattern=r"^\d{1,2}(\.\d{1,2})?$")
    basis: Note
    source: Note
    state: Literal["published", "cancelled"] = "published"
    boundary: Literal["inside", "outside"] = "inside"
    payer: Literal["user", "provider", "government"] = "user"
    providers: tuple[str, ...] = ()
    from_on: dt.date
    until_on: dt.date | None = None
    cancelled_on: dt.date | None = None
    version: str = Field(min_length=1, max_length=20)
    illustrative: bool

    @model_validator(mode="after")
    def _check(self) -> FeeItem:
        if self.max_price_fen is not None and self.max_price_fen < self.price_fen:
            raise ValueError("max_price_fen is below price_fen")
        if self.until_on is not None and self.until_on < self.from_on:
            raise ValueError("until_on is before from_on")
        if (self.state == "cancelled") != (self.cancelled_on is not None):
            raise ValueError("a cancelled item has state cancelled and the day, cancelled_on; no other has either")
        return self


class MaterialRule(Part):
    """One paper, or any one of several: why it is asked for, for whom, and what happens without it.

    Rules of the same `paper` are read in order and the first whose `when` holds applies.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    paper: str
    kinds: tuple[str, ...] = Field(min_length=1)
    title: Line
    class_: Literal["main", "owed", "waived"] = Field(alias="class")
    when: tuple[Condition, ...] = ()
    why: Line
    for_whom: Line
    without_it: Line
    due_stage: StageName | None = None

    @model_validator(mode="after")
    def _check(self) -> MaterialRule:
        if (self.class_ == "owed") != (self.due_stage is not None):
            raise ValueError("an owed paper has a due_stage, and no other has")
        return self
