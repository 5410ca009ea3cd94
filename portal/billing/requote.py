"""A quote that changed after it was billed: what is not asked any more, what is asked besides, what is owed back. Pure.

Lines that nobody has paid on are set aside and asked anew; money that has come in stays where it was booked. Per fee
item the difference to it becomes a further line or, where it is negative, a debt to the customer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from portal.billing.drafts import LineDraft


@dataclass(frozen=True, slots=True)
class Standing:
    """A bill line of the provider that still stands; fen. `kept_fen`: paid on it and not owed back yet."""

    line_id: str
    item_code: str
    due_fen: int
    kept_fen: int


@dataclass(frozen=True, slots=True)
class Requote:
    """`void`: lines set aside; `owed_back`: line → fen to give back; `added`: what is asked now."""

    void: tuple[str, ...]
    owed_back: Mapping[str, int]
    added: tuple[LineDraft, ...]


def requote(standing: Sequence[Standing], drafts: Sequence[LineDraft]) -> Requote:
    """From the lines that stand and the quote as it is now. What stands afterwards adds up to the new quote exactly."""
    kept: dict[str, int] = {}
    for line in standing:
        kept[line.item_code] = kept.get(line.item_code, 0) + line.kept_fen
    added = []
    for draft in drafts:
        covered = min(kept.get(draft.item_code, 0), draft.amount_fen)
        kept[draft.item_code] = kept.get(draft.item_code, 0) - covered
        if covered < draft.amount_fen:
            added.append(draft if not covered else _difference(draft, draft.amount_fen - covered))
    owed_back: dict[str, int] = {}
    for line in standing:
        back = min(kept.get(line.item_code, 0), line.kept_fen)
        if back:
            kept[line.item_code] -= back
            owed_back[line.line_id] = back
    void = tuple(line.line_id for line in standing if line.kept_fen == 0 and line.due_fen > 0)
    return Requote(void, owed_back, tuple(added))


def _difference(draft: LineDraft, amount_fen: int) -> LineDraft:
    title = f"{draft.title}（补差）"
    return replace(draft, title=title, quantity="1", unit="项", unit_price_fen=amount_fen, amount_fen=amount_fen)
