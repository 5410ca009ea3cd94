"""Reply, final quote and review: what a provider answers, with its price and its conditions."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from portal.exchange.wire.values import (
    AccessPoint,
    Code,
    Day,
    Decimal,
    Fen,
    Line,
    LongText,
    Metres,
    Quantity,
    ReportBase,
    Sha256,
    Text,
    Value,
)
from portal.kernel.money import multiply

Stage = Literal["survey", "reply", "review", "permits", "works", "acceptance", "connection"]


class QuoteLine(Value):
    """One price: quantity × unit price rounded half up is the amount, in fen, tax included.

    `fee_item` is a published item of the catalog; `vat_rate` is in percent.
    """

    fee_item: Code
    quantity: Quantity
    unit_price_fen: Fen
    amount_fen: Fen
    payer: Literal["user", "provider", "government"]
    payee: Line
    boundary: Literal["inside", "outside"]
    vat_rate: Decimal
    basis: Line

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        due = multiply(self.quantity, self.unit_price_fen)
        if due != self.amount_fen:
            raise PydanticCustomError(
                "amount_mismatch",
                "quantity times unit price is {due}, not {given}",
                {"due": due, "given": self.amount_fen},
            )
        return self


Quote = Annotated[tuple[QuoteLine, ...], Field(max_length=100)]


class PlanOption(Value):
    """One plan the applicant may choose."""

    code: Code
    title: Line
    summary: LongText
    access_point: AccessPoint | None = None
    works_days: Annotated[int, Field(ge=0, le=1000)]
    quote: Quote = ()
    recommended_why: Text | None = None


class Condition(Value):
    """What must be true before a stage."""

    code: Code
    text: Text
    before_stage: Stage


class NotServed(Value):
    """There is no network here: how far it is, when it is planned, what would do instead."""

    nearest_m: Metres | None
    planned_year: Annotated[int, Field(ge=2020, le=2100)] | None
    alternative: Text


class ReplyReport(ReportBase):
    """The provider's answer to the application.

    A refusal carries reason, basis, what would change it and an alternative; `not_served` what can be expected.
    """

    kind: Literal["reply"]
    verdict: Literal["approve", "conditional", "refuse", "not_concerned", "not_served"]
    options: Annotated[tuple[PlanOption, ...], Field(max_length=20)] = ()
    conditions: Annotated[tuple[Condition, ...], Field(max_length=50)] = ()
    investment_boundary: Text | None = None
    valid_until_on: Day | None = None
    not_served: NotServed | None = None
    reason_code: Code | None = None
    basis: Line | None = None
    would_change: Text | None = None
    alternative: Text | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = {
            "approve": ("options", "valid_until_on", "investment_boundary"),
            "conditional": ("options", "conditions", "valid_until_on", "investment_boundary"),
            "refuse": ("reason_code", "basis", "would_change", "alternative"),
            "not_served": ("not_served",),
            "not_concerned": (),
        }[self.verdict]
        missing = [name for name in needed if not getattr(self, name)]
        if missing:
            raise PydanticCustomError("needed_for_verdict", "missing {fields}", {"fields": ",".join(missing)})
        codes = [option.code for option in self.options]
        if len(set(codes)) != len(codes):
            raise PydanticCustomError("option_codes", "two options share a code")
        return self


class QuoteFinalReport(ReportBase):
    """The quote as it stands after review; the applicant confirms again."""

    kind: Literal["quote_final"]
    option_code: Code | None = None
    quote: Annotated[tuple[QuoteLine, ...], Field(min_length=1, max_length=100)]
    reason: Text


class DrawingVersion(Value):
    """A drawing as it was reviewed."""

    sha256: Sha256
    version: Annotated[int, Field(ge=1, le=1000)]


class Comment(Value):
    """One remark on one drawing."""

    drawing_sha256: Sha256
    location: Annotated[str, Field(min_length=1, max_length=200)]
    clause: Annotated[str, Field(min_length=1, max_length=200)]
    severity: Code
    text: Text


class ReviewReport(ReportBase):
    """The verdict on the drawings of this round; rework says what to change."""

    kind: Literal["review"]
    verdict: Literal["pass", "rework"]
    round: Annotated[int, Field(ge=1, le=100)]
    drawings: Annotated[tuple[DrawingVersion, ...], Field(min_length=1, max_length=200)]
    comments: Annotated[tuple[Comment, ...], Field(max_length=500)] = ()

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if self.verdict == "rework" and not self.comments:
            raise PydanticCustomError("needed_for_verdict", "missing {fields}", {"fields": "comments"})
        return self
