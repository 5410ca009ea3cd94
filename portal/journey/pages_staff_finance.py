"""The finance page: settlements, what reconciliation left open, and whether the books balance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from portal.billing.queries import ledger_balances, ledger_facts
from portal.billing.tables import BookDay, ReconItem, Settlement
from portal.catalog.queries import current_catalog
from portal.journey.pages_case_load import names_in
from portal.journey.pages_staff import PAGE_SIZE, Paged, counts_by, offset_of
from portal.kernel.database import db
from portal.kernel.policy import Actor, require

MOST_ITEMS = 100
MOST_DAYS = 14


@dataclass(frozen=True, slots=True)
class FinanceBoard:
    """`settlements`: rows of Settlement, newest day first; `items`: what is not closed; `days`: accounting days."""

    settlements: Paged
    items: tuple[ReconItem, ...]
    compared: dict[str, int]  # closed items by class
    days: tuple[BookDay, ...]
    ledger: dict[str, Any]
    balances: dict[str, int]
    names: dict[str, str]


def finance_board(actor: Actor, *, page: int) -> FinanceBoard:
    """The state of the money now; amounts in fen. Raises NotAllowed."""
    require(actor, "finance.view")
    session = db.session()
    total = session.scalar(select(func.count()).select_from(Settlement)) or 0
    query = select(Settlement).order_by(Settlement.day.desc(), Settlement.provider, Settlement.rail)
    items = select(ReconItem).where(ReconItem.state != "closed").order_by(ReconItem.state, ReconItem.day)
    return FinanceBoard(
        settlements=Paged(tuple(session.scalars(query.offset(offset_of(page)).limit(PAGE_SIZE))), max(page, 1), total),
        items=tuple(session.scalars(items.limit(MOST_ITEMS))),
        compared=counts_by(session, ReconItem.class_, ReconItem.state == "closed"),
        days=tuple(session.scalars(select(BookDay).order_by(BookDay.day.desc()).limit(MOST_DAYS))),
        ledger=ledger_facts(session),
        balances=ledger_balances(session),
        names=names_in(current_catalog(session)),
    )
