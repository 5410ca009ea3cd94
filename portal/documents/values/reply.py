"""联合答复书: all providers' verdicts, options and quotes in one paper; late and refused ones by name."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field

from portal.documents.values.head import Days, Fen, Head, Metres, Party, Quantity, Short, Text, Values

Verdict = Literal["approve", "conditional", "refuse", "not_concerned", "not_served"]
Payer = Literal["user", "provider", "government"]


class QuoteLine(Values):
    """One line of a quote: `quantity` × `unit_price_fen` = `amount_fen` (checked where the quote came in)."""

    item: Short
    quantity: Quantity
    unit: Short = ""
    unit_price_fen: Fen
    amount_fen: Fen
    payer: Payer = "user"
    basis: Text | None = None


class Option(Values):
    """One plan the applicant may choose. What the user pays is the sum of its `user` lines."""

    code: Short
    title: Short
    summary: Text = ""
    access_point: Text | None = None
    works_days: Days | None = None
    lines: tuple[QuoteLine, ...] = ()
    recommended_why: Text | None = None

    @property
    def user_fen(self) -> int:
        """What the applicant pays for this option."""
        return sum(line.amount_fen for line in self.lines if line.payer == "user")


class Condition(Values):
    """What must be done first, and before which stage."""

    text: Text
    before_stage: Short | None = None


class UtilityReply(Party):
    """One provider's answer. `boundary` says who pays for what (投资界面)."""

    verdict: Verdict
    explanation: Text | None = None
    options: tuple[Option, ...] = ()
    conditions: tuple[Condition, ...] = ()
    boundary: Text | None = None
    valid_until_on: dt.date | None = None
    nearest_m: Metres | None = None
    planned_year: int | None = None
    alternative: Text | None = None


class LateReply(Party):
    """A provider that has not answered in time; its reply follows as a supplement."""

    due_on: dt.date | None = None
    note: Text | None = None


class Refusal(Party):
    """A refusal the lead agency has confirmed: why, on what basis, what would change it, what else is possible."""

    reason: Text
    basis: Text | None = None
    would_change: Text | None = None
    alternative: Text | None = None


class JointReply(Head):
    """联合答复书. `part` 1 is the reply, later parts are supplements that say what they add to."""

    part: int = Field(default=1, ge=1)
    replies: tuple[UtilityReply, ...] = ()
    late: tuple[LateReply, ...] = ()
    refused: tuple[Refusal, ...] = ()
    conflicts: tuple[Text, ...] = ()
    supplement_note: Text | None = None
    confirm_by_on: dt.date | None = None
    notes: tuple[Text, ...] = ()
