"""What one provider answers, as values: options with their quotes, conditions, and the reasons of a refusal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# What only some verdicts carry, taken over as reported.
_DETAILS = ("reason_code", "basis", "would_change", "alternative")


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """One price as the provider reported it. Amounts in fen; `title` is the published name of the fee item."""

    fee_item: str
    title: str
    quantity: str
    unit_price_fen: int
    amount_fen: int
    payer: str
    payee: str | None = None
    boundary: str | None = None
    vat_rate: str | None = None
    basis: str | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """One plan. `user_fen` is what the applicant pays for it; the marks are set where there is a choice."""

    code: str
    title: str
    summary: str
    works_days: int | None
    quote: tuple[QuoteLine, ...]
    access_point: str | None = None
    recommended_why: str | None = None

    @property
    def user_fen(self) -> int:
        """The sum of the lines the applicant pays, in fen."""
        return sum(line.amount_fen for line in self.quote if line.payer == "user")


@dataclass(frozen=True, slots=True)
class Condition:
    code: str
    text: str
    before_stage: str | None
    providers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplyPart:
    """One provider's answer. `details` carries what only some verdicts have: refusal reasons, nearest network …"""

    provider: str
    provider_name: str
    utility: str
    verdict: str
    options: tuple[Option, ...] = ()
    conditions: tuple[Condition, ...] = ()
    investment_boundary: str | None = None
    valid_until_on: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_report(
        cls,
        *,
        provider: str,
        provider_name: str,
        utility: str,
        report: Mapping[str, Any],
        titles: Mapping[str, str] | None = None,
    ) -> ReplyPart:
        """From a reply report as stored (plain JSON, already checked); `titles`: fee item code → published name."""
        details = {name: report[name] for name in _DETAILS if report.get(name) is not None}
        return cls(
            provider=provider,
            provider_name=provider_name,
            utility=utility,
            verdict=report["verdict"],
            options=tuple(_option(option, titles or {}) for option in report.get("options", ())),
            conditions=tuple(_condition(condition) for condition in report.get("conditions", ())),
            investment_boundary=report.get("investment_boundary"),
            valid_until_on=_day_text(report.get("valid_until_on")),
            details=details | dict(report.get("not_served") or {}),
        )


@dataclass(frozen=True, slots=True)
class MissingPart:
    """A provider that has not answered in time; it is named, and its answer follows as a supplement."""

    provider: str
    provider_name: str
    utility: str


def _option(option: Mapping[str, Any], titles: Mapping[str, str]) -> Option:
    place = option.get("access_point")
    return Option(
        code=option["code"],
        title=option["title"],
        summary=option.get("summary") or "",
        works_days=option.get("works_days"),
        quote=tuple(_line(line, titles) for line in option.get("quote", ())),
        access_point=place.get("description") if isinstance(place, Mapping) else place,
        recommended_why=option.get("recommended_why"),
    )


def _line(line: Mapping[str, Any], titles: Mapping[str, str]) -> QuoteLine:
    rate = line.get("vat_rate")
    return QuoteLine(
        fee_item=line["fee_item"],
        title=titles.get(line["fee_item"], line["fee_item"]),
        quantity=str(line["quantity"]),
        unit_price_fen=line["unit_price_fen"],
        amount_fen=line["amount_fen"],
        payer=line["payer"],
        payee=line.get("payee"),
        boundary=line.get("boundary"),
        vat_rate=None if rate is None else str(rate),
        basis=line.get("basis"),
    )


def _condition(condition: Mapping[str, Any]) -> Condition:
    return Condition(condition["code"], condition["text"].strip(), condition.get("before_stage"))


def _day_text(day: str | dt.date | None) -> str | None:
    return day.isoformat() if isinstance(day, dt.date) else day
