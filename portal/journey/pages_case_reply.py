"""The joint reply for the case page: every provider's options side by side, with published names of what they cost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.cases.tables import JointReply
from portal.catalog import fees
from portal.journey.case_files import CaseFile
from portal.kernel.clock import local_date

PAYERS = {"user": "您支付", "provider": "供应单位承担", "government": "政府承担"}


@dataclass(frozen=True, slots=True)
class QuoteView:
    """One price of an option; amounts in fen."""

    title: str
    quantity: str
    unit: str
    unit_price_fen: int
    amount_fen: int
    payer: str


@dataclass(frozen=True, slots=True)
class OptionView:
    """One plan. `user_fen` is what the applicant pays in all; `marks` are words such as 费用最低."""

    code: str
    title: str
    summary: str
    works_days: int | None
    user_fen: int
    quote: tuple[QuoteView, ...]
    marks: tuple[str, ...]
    why: str
    access_point: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class ProviderReply:
    """One provider's answer. `is_open`: the applicant still has to choose one of its options."""

    code: str
    name: str
    utility: str
    verdict: str
    verdict_text: str
    options: tuple[OptionView, ...]
    conditions: tuple[str, ...]
    boundary: str
    valid_until_on: dt.date | None
    basis: str
    would_change: str
    alternative: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class ReplyView:
    """One part of the joint reply: part 1, or a supplement."""

    number: str
    part: int
    issued_at: dt.datetime
    document_id: str | None
    state_text: str
    summary: str
    late: tuple[str, ...]
    providers: tuple[ProviderReply, ...]


def reply_view(row: JointReply, file: CaseFile, *, chosen: Mapping[str, str], is_open: frozenset[str]) -> ReplyView:
    """One part as issued; `chosen`: provider → option code confirmed, `is_open`: who waits for a choice."""
    content = row.content
    return ReplyView(
        number=row.number,
        part=row.part,
        issued_at=row.issued_at,
        document_id=row.document_id,
        state_text=content["state_text"],
        summary=content["summary"],
        late=tuple(part["provider_name"] for part in content["late"]),
        providers=tuple(
            _provider(part, file, chosen.get(part["provider"]), part["provider"] in is_open, row.issued_at)
            for part in content["providers"]
        ),
    )


def _provider(
    part: Mapping[str, Any], file: CaseFile, chosen: str | None, is_open: bool, issued_at: dt.datetime
) -> ProviderReply:
    until = part.get("valid_until_on")
    on = local_date(issued_at)
    return ProviderReply(
        code=part["provider"],
        name=part["name"],
        utility=file.catalog.utility(part["utility"]).name,
        verdict=part["verdict"],
        verdict_text=part["verdict_text"],
        options=tuple(_option(option, file, part["provider"], chosen, on) for option in part["options"]),
        conditions=tuple(condition["text"] for condition in part["conditions"]),
        boundary=part.get("investment_boundary") or "",
        valid_until_on=dt.date.fromisoformat(until) if until else None,
        basis=part.get("basis") or "",
        would_change=part.get("would_change") or "",
        alternative=part.get("alternative") or "",
        is_open=is_open,
    )


def _option(option: Mapping[str, Any], file: CaseFile, provider: str, chosen: str | None, on: dt.date) -> OptionView:
    marks = (("is_recommended", "推荐"), ("is_cheapest", "费用最低"), ("is_fastest", "工期最短"))
    return OptionView(
        code=option["code"],
        title=option["title"],
        summary=option["summary"],
        works_days=option["works_days"],
        user_fen=option["user_fen"],
        quote=tuple(_line(line, file, provider, on) for line in option["quote"]),
        marks=tuple(word for key, word in marks if option[key]),
        why=option.get("recommended_why") or "",
        access_point=option.get("access_point") or "",
        is_chosen=option["code"] == chosen,
    )


def _line(line: Mapping[str, Any], file: CaseFile, provider: str, on: dt.date) -> QuoteView:
    item = fees.find_item(file.catalog, provider, line["fee_item"], on)
    return QuoteView(
        title=item.title if item else line["title"],
        quantity=line["quantity"],
        unit=item.unit if item else "",
        unit_price_fen=line["unit_price_fen"],
        amount_fen=line["amount_fen"],
        payer=PAYERS.get(line["payer"], line["payer"]),
    )
