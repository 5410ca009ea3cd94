"""Works, acceptance, connection and permits: what ends a case on site."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from portal.exchange.wire.values import Code, Day, Decimal, Instant, Line, ReportBase, Text, Value


class Window(Value):
    """From the first to the last day of the works, both included."""

    start_on: Day
    end_on: Day

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.end_on < self.start_on:
            raise PydanticCustomError("window_span", "the window ends before it starts")
        return self


class UserWorks(Value):
    """Works the user pays: the user names designer and contractor, a provider only checks the licence."""

    designer: Line | None = None
    contractor: Line
    licence_no: Line
    chosen_by: Literal["applicant", "user", "provider"]

    @model_validator(mode="after")
    def _free_choice(self) -> Self:
        if self.chosen_by == "provider":
            raise PydanticCustomError("chosen_by_provider", "the applicant chooses")
        return self


class WorksReport(ReportBase):
    """How far the works are."""

    kind: Literal["works"]
    status: Literal["planned", "started", "finished"]
    window: Window | None = None
    needs_road_opening: bool = False
    user_works: UserWorks | None = None

    @model_validator(mode="after")
    def _planned_with_window(self) -> Self:
        if self.status == "planned" and self.window is None:
            raise PydanticCustomError("needed_for_status", "missing {fields}", {"fields": "window"})
        return self


class AcceptanceItem(Value):
    """One thing checked, with what was measured."""

    code: Code
    measured: Annotated[str, Field(max_length=200)] | float | None = None
    ok: bool
    note: Text | None = None
    photo: Line | None = None


class AcceptanceReport(ReportBase):
    """The verdict on the finished works."""

    kind: Literal["acceptance"]
    verdict: Literal["pass", "rectify", "fail"]
    mode: Literal["site", "remote"]
    items: Annotated[tuple[AcceptanceItem, ...], Field(min_length=1, max_length=200)]
    rectify_by_on: Day | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.verdict == "rectify" and self.rectify_by_on is None:
            raise PydanticCustomError("needed_for_verdict", "missing {fields}", {"fields": "rectify_by_on"})
        if self.verdict == "pass" and not all(item.ok for item in self.items):
            raise PydanticCustomError("pass_with_failed_item", "an item is not ok")
        return self


class ConnectionPoint(Value):
    """One supply point: account and meter."""

    account_no: Annotated[str, Field(min_length=1, max_length=40)]
    meter_no: Annotated[str, Field(min_length=1, max_length=40)]
    supply_point: Line | None = None
    opening_reading: Decimal | None = None
    multiplier: Decimal | None = None
    seal_no: Annotated[str, Field(max_length=40)] | None = None
    room: Annotated[str, Field(max_length=100)] | None = None
    holder: Annotated[str, Field(max_length=100)] | None = None


class ConnectedReport(ReportBase):
    """It flows: from when, and under which accounts and meters."""

    kind: Literal["connected"]
    connected_at: Instant
    points: Annotated[tuple[ConnectionPoint, ...], Field(min_length=1, max_length=5000)]

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        pairs = {(point.account_no, point.meter_no) for point in self.points}
        if len(pairs) != len(self.points):
            raise PydanticCustomError("point_twice", "a supply point stands twice")
        return self


class PermitReport(ReportBase):
    """An office's decision on one permit."""

    kind: Literal["permit"]
    permit_kind: Code
    verdict: Literal["granted", "refused"]
    permit_no: Line | None = None
    valid_from_on: Day | None = None
    valid_until_on: Day | None = None
    conditions: Annotated[tuple[Text, ...], Field(max_length=50)] = ()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = ("permit_no", "valid_from_on", "valid_until_on") if self.verdict == "granted" else ("conditions",)
        missing = [name for name in needed if not getattr(self, name)]
        if missing:
            raise PydanticCustomError("needed_for_verdict", "missing {fields}", {"fields": ",".join(missing)})
        return self
