"""联合审图意见, 联合施工计划 and 联合验收意见: the papers of the building stages."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import AwareDatetime, Field, model_validator

from portal.documents.values.head import Days, Head, Metres, Party, Short, Text, Values

Severity = Literal["must", "should", "note"]


class Drawing(Values):
    """A drawing under review; `sha256` fixes which bytes were read."""

    title: Short
    version: int = Field(ge=1)
    sha256: Short
    provider_name: Short | None = None


class Comment(Values):
    """One review comment: where, which clause, how severe."""

    drawing: Short | None = None
    location: Short | None = None
    clause: Short | None = None
    severity: Severity = "must"
    text: Text


class Opinion(Party):
    """One provider's verdict on the drawings."""

    verdict: Literal["pass", "rework"]
    comments: tuple[Comment, ...] = ()


class Clash(Values):
    """Two lines too near each other; metres, `basis` names the standard's clause."""

    between: Short
    location: Short | None = None
    required_m: Metres
    found_m: Metres
    basis: Short | None = None


class ReviewOpinion(Head):
    """联合审图意见."""

    round: int = Field(default=1, ge=1)
    drawings: tuple[Drawing, ...]
    opinions: tuple[Opinion, ...] = Field(min_length=1)
    clashes: tuple[Clash, ...] = ()
    resubmit_by_on: dt.date | None = None

    @property
    def passed(self) -> bool:
        """Whether every provider passed the drawings."""
        return all(opinion.verdict == "pass" for opinion in self.opinions)


class Window(Party):
    """One provider's days on site, both ends included."""

    start_on: dt.date
    end_on: dt.date
    content: Text = ""
    contractor: Short | None = None
    needs_road_opening: bool = False

    @model_validator(mode="after")
    def _check_order(self) -> Window:
        if self.end_on < self.start_on:
            raise ValueError("a window ends on or after its first day")
        return self


class TrenchGroup(Values):
    """Lines that share one trench: its length, and what digging apart would have come to; metres."""

    route: Short
    members: tuple[Short, ...]
    shared_m: Metres
    separate_m: Metres


class Permit(Values):
    """A permit the works rest on."""

    kind_name: Short
    office_name: Short
    permit_no: Short | None = None
    valid_until_on: dt.date | None = None


class WorksPlan(Head):
    """联合施工计划."""

    windows: tuple[Window, ...] = Field(min_length=1)
    trenches: tuple[TrenchGroup, ...] = ()
    permits: tuple[Permit, ...] = ()
    site_contact: Short | None = None
    notes: tuple[Text, ...] = ()

    @property
    def first_on(self) -> dt.date:
        """The first day anybody works."""
        return min(window.start_on for window in self.windows)

    @property
    def last_on(self) -> dt.date:
        """The last day anybody works."""
        return max(window.end_on for window in self.windows)

    @property
    def saved_m(self) -> float:
        """Metres of trench not dug because lines share one."""
        return sum(group.separate_m - group.shared_m for group in self.trenches)


class AcceptanceItem(Values):
    """One thing inspected, with what was measured."""

    title: Short
    measured: Short | None = None
    ok: bool
    note: Text | None = None


class Inspection(Party):
    """One provider's part of the joint acceptance."""

    verdict: Literal["pass", "rectify", "fail"]
    mode: Literal["site", "remote"] = "site"
    inspector: Short | None = None
    items: tuple[AcceptanceItem, ...] = ()
    rectify_by_on: dt.date | None = None
    recheck: Text | None = None


class AcceptanceOpinion(Head):
    """联合验收意见."""

    inspected_at: AwareDatetime
    inspections: tuple[Inspection, ...] = Field(min_length=1)
    working_days: Days | None = None
    notes: tuple[Text, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every provider passed the works."""
        return all(inspection.verdict == "pass" for inspection in self.inspections)
