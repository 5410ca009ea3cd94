"""结算: a finished accounting day is closed for posting and summed up per provider and rail.

On COMBINE and PLAIN the money is with the provider already; a settlement is its statement, reconciled afterwards.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.billing.ledger import insert_absent
from portal.billing.tables import (
    Allocation,
    BookDay,
    PaymentSubOrder,
    ReconItem,
    Settlement,
    SettlementItem,
    StatementFile,
)
from portal.journey.events import send_case_event
from portal.kernel import audit
from portal.kernel.clock import format_instant
from portal.kernel.database import transaction
from portal.kernel.guard import try_change
from portal.kernel.ids import new_id, new_number
from portal.kernel.policy import SYSTEM


def days_to_settle(session: Session, before_day: dt.date) -> list[dt.date]:
    """Accounting days before `before_day` with allocations in no settlement yet, oldest first."""
    settled = select(SettlementItem.allocation_id)
    query = (
        select(Allocation.booked_on)
        .where(Allocation.booked_on < before_day, Allocation.id.not_in(settled))
        .distinct()
        .order_by(Allocation.booked_on)
    )
    return list(session.scalars(query))


def days_to_reconcile(session: Session, before_day: dt.date) -> list[dt.date]:
    """Days before `before_day` whose statement is wanted and not imported yet, oldest first.

    Wanted: days on which money was booked, and the day after one that left an item to roll over.
    """
    booked = set(session.scalars(select(PaymentSubOrder.booked_on).where(PaymentSubOrder.booked_on < before_day)))
    rolled = session.scalars(select(ReconItem.day).where(ReconItem.state == "rolled"))
    wanted = {day for day in booked if day is not None} | {day + dt.timedelta(days=1) for day in rolled}
    done = set(session.scalars(select(StatementFile.day)))
    return sorted(day for day in wanted - done if day < before_day)


def settle_day(day: dt.date, *, at: dt.datetime, wire_at: dt.datetime) -> list[str]:
    """Use case (job): close `day` for posting and freeze its settlements; answers the ids of new ones.

    Running it again, or twice at once, adds nothing.
    """
    del wire_at
    with transaction() as session:
        insert_absent(session, BookDay, [{"day": day, "state": "open"}])
        # Postings hold a share of this row until they commit, so that none can slip in behind the sum.
        session.scalars(select(BookDay.day).where(BookDay.day == day).with_for_update()).one()
        try_change(session, BookDay, day, {"state": "open"}, {"state": "closed"})
        settled = select(SettlementItem.allocation_id)
        rows = session.scalars(
            select(Allocation)
            .where(Allocation.booked_on == day, Allocation.id.not_in(settled))
            .order_by(Allocation.provider, Allocation.rail, Allocation.id)
        ).all()
        made = [
            _freeze(session, day, provider, rail, list(group), at)
            for (provider, rail), group in groupby(rows, key=lambda row: (row.provider, row.rail))
        ]
        if made:
            detail = {"day": day.isoformat(), "settlements": len(made)}
            audit.record(session, actor=SYSTEM, action="settlement.day", subject=day.isoformat(), detail=detail, at=at)
        return made


def _freeze(
    session: Session, day: dt.date, provider: str, rail: str, rows: Sequence[Allocation], at: dt.datetime
) -> str:
    gross = sum(row.amount_fen for row in rows)
    settlement = Settlement(
        id=new_id(),
        number=new_number("JS", day.strftime("%y%m%d")),
        provider=provider,
        rail=rail,
        day=day,
        state="FROZEN",
        n=len(rows),
        gross_fen=gross,
        fee_fen=0,
        net_fen=gross,
        settled_at=at,
    )
    session.add(settlement)
    session.flush()
    session.add_all(
        SettlementItem(allocation_id=row.id, settlement_id=settlement.id, amount_fen=row.amount_fen) for row in rows
    )
    session.flush()
    return settlement.id


def confirm_settlements(
    session: Session,
    day: dt.date,
    *,
    fees: dict[str, int],
    disputed: Iterable[str],
    at: dt.datetime,
    wire_at: dt.datetime,
) -> None:
    """Step: after reconciliation, settlements whose every part agrees become RECONCILED and are told to the provider.

    `fees`: fen per sub-order as the statement shows them; `disputed`: sub-orders that do not agree (HELD).
    """
    bad = frozenset(disputed)
    for settlement in session.scalars(select(Settlement).where(Settlement.day == day).order_by(Settlement.provider)):
        if settlement.state == "RECONCILED":
            continue
        subs = set(session.scalars(_sub_orders_of(settlement.id)))
        if not subs <= fees.keys() or subs & bad:
            try_change(session, Settlement, settlement.id, {"state": "FROZEN"}, {"state": "HELD"})
            continue
        fee = sum(fees[sub] for sub in subs)
        values = {
            "state": "RECONCILED",
            "fee_fen": fee,
            "net_fen": settlement.gross_fen - fee,
            "reconciled_at": at,
        }
        if try_change(session, Settlement, settlement.id, {"state": settlement.state}, values):
            session.refresh(settlement)
            _tell_provider(session, settlement, at=at, wire_at=wire_at)


def _sub_orders_of(settlement_id: str) -> Any:
    return (
        select(Allocation.sub_order_id)
        .join(SettlementItem, SettlementItem.allocation_id == Allocation.id)
        .where(SettlementItem.settlement_id == settlement_id)
    )


def _tell_provider(session: Session, settlement: Settlement, *, at: dt.datetime, wire_at: dt.datetime) -> None:
    data = settlement_values(settlement)
    send_case_event(
        session,
        case_id=None,
        providers=[settlement.provider],
        type_="settlement.paid",
        data=data,
        at=at,
        wire_at=wire_at,
    )


def settlement_values(settlement: Settlement) -> dict[str, Any]:
    """A settlement as its provider may read it (event `settlement.paid`, `GET /api/v1/settlements`)."""
    return {
        "settlement_id": settlement.id,
        "number": settlement.number,
        "provider": settlement.provider,
        "rail": settlement.rail,
        "day": settlement.day.isoformat(),
        "state": settlement.state,
        "count": settlement.n,
        "gross_fen": settlement.gross_fen,
        "fee_fen": settlement.fee_fen,
        "net_fen": settlement.net_fen,
        "currency": "CNY",
        "reconciled_at": format_instant(settlement.reconciled_at) if settlement.reconciled_at else None,
    }
