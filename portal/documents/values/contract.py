"""The supply contract of one provider (供用电合同 and its sisters). Its clauses are frozen with its values."""

from __future__ import annotations

from pydantic import AwareDatetime, Field, model_validator

from portal.documents.clauses import standard_clauses
from portal.documents.values.head import Fen, Head, Quantity, Short, Text, Values


class ContractParty(Values):
    """One side of the contract; `identity_no` is the credit code of an organisation."""

    name: Short
    identity_no: Short | None = None
    address: Short | None = None
    representative: Short | None = None
    contact: Short | None = None
    phone: Short | None = None


class Term(Values):
    """A figure agreed on, as in 供电电压 — 10 kV."""

    label: Short
    value: Text


class PriceLine(Values):
    """A price the contract rests on; `unit_price_fen` is missing where the published tariff applies as it changes."""

    item: Short
    quantity: Quantity | None = None
    unit: Short = ""
    unit_price_fen: Fen | None = None
    amount_fen: Fen | None = None
    basis: Text | None = None


class Clause(Values):
    """One article; its number is its place in the contract."""

    title: Short
    text: Text


class Signature(Values):
    """Who signed for a side, and when."""

    by: Short
    at: AwareDatetime


class SupplyContract(Head):
    """A supply contract. `title` is the provider's own (供用电合同 …), from the catalog.

    `utility` is the code by which standard clauses are chosen when `clauses` is left empty; the chosen text is
    frozen into the values, so that a contract never changes with the template.
    """

    title: Short
    utility: Short
    supplier: ContractParty
    user: ContractParty
    supply_point: Text
    capacity: Short
    terms: tuple[Term, ...] = ()
    prices: tuple[PriceLine, ...] = ()
    clauses: tuple[Clause, ...] = Field(default=())
    supplier_signature: Signature | None = None
    user_signature: Signature | None = None

    @model_validator(mode="before")
    @classmethod
    def _fill_clauses(cls, raw: object) -> object:
        if isinstance(raw, dict) and not raw.get("clauses"):
            chosen = [{"title": title, "text": text} for title, text in standard_clauses(str(raw.get("utility", "")))]
            return {**raw, "clauses": chosen}
        return raw
