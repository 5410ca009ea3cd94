"""联合账单: issuing it at confirmation, and the questions others ask of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.billing.drafts import BillView, LineDraft, LineView, PayeeView
from portal.billing.queries import is_bill_paid, is_paid_for
from portal.billing.tables import Bill, BillLine
from portal.journey.case_files import load_case
from portal.journey.notices import common_values
from portal.journey.papers import order_document, replace_document
from portal.kernel.clock import local_date
from portal.kernel.errors import NotFound
from portal.kernel.ids import new_id, new_number
from portal.kernel.policy import Actor, may, require

__all__ = ["LineDraft", "bill_view", "case_bills", "is_bill_paid", "is_paid_for", "issue_bill", "renew_paper"]


def issue_bill(
    session: Session,
    *,
    case_id: str,
    case_no: str,
    subject_id: str,
    payer_name: str,
    lines: Sequence[LineDraft],
    at: dt.datetime,
    wire_at: dt.datetime,
) -> str:
    """Step: issue a bill and order its document; answers the bill id. A bill of zero is paid at once.

    A case may get further bills (a late part of the reply, a changed quote): each is a new version.
    Raises ValueError for a negative amount.
    """
    if any(line.amount_fen < 0 for line in lines):
        raise ValueError("a bill line is never negative")
    total = sum(line.amount_fen for line in lines)
    version = (session.scalar(select(func.max(Bill.version)).where(Bill.case_id == case_id)) or 0) + 1
    bill = Bill(
        id=new_id(),
        number=new_number("ZD", local_date(at).strftime("%y%m%d")),
        case_id=case_id,
        case_no=case_no,
        version=version,
        subject_id=subject_id,
        payer_name=payer_name,
        state="issued" if total else "paid",
        total_fen=total,
        revision=1,
        issued_at=at,
        paid_at=None if total else at,
    )
    session.add(bill)
    session.flush()
    rows = _add_lines(session, bill, lines)
    bill.document_id = _order_paper(session, bill, rows, at=at, wire_at=wire_at)
    session.flush()
    return bill.id


def renew_paper(
    session: Session, bill: Bill, rows: Sequence[BillLine], *, at: dt.datetime, wire_at: dt.datetime
) -> None:
    """Step: the bill's paper anew with the lines that stand; the former one is replaced."""
    if bill.document_id is not None:
        replace_document(session, bill.document_id)
    bill.document_id = _order_paper(session, bill, rows, at=at, wire_at=wire_at)
    session.flush()


def _add_lines(session: Session, bill: Bill, lines: Sequence[LineDraft]) -> list[BillLine]:
    rows = [_line(bill.id, position, draft) for position, draft in enumerate(lines, start=1)]
    session.add_all(rows)
    session.flush()
    return rows


def _order_paper(
    session: Session, bill: Bill, rows: Sequence[BillLine], *, at: dt.datetime, wire_at: dt.datetime
) -> str:
    file = load_case(session, case_id=bill.case_id, lock=False)
    number = bill.number if bill.revision == 1 else f"{bill.number}-{bill.revision}"
    return order_document(
        session,
        kind="joint_bill",
        case_id=bill.case_id,
        subject_id=bill.subject_id,
        number=number,
        values={**common_values(file, number=number, at=at), **_document_values(bill, rows)},
        at=at,
        wire_at=wire_at,
    )


def _line(bill_id: str, position: int, draft: LineDraft) -> BillLine:
    return BillLine(
        id=new_id(),
        bill_id=bill_id,
        position=position,
        provider=draft.provider,
        payee_name=draft.payee_name,
        merchant_id=draft.merchant_id,
        item_code=draft.item_code,
        title=draft.title,
        quantity=draft.quantity,
        unit=draft.unit,
        unit_price_fen=draft.unit_price_fen,
        due_fen=draft.amount_fen,
        paid_fen=0,
        vat_rate=draft.vat_rate,
        basis=draft.basis,
        merged=draft.merged,
        pay_before=draft.pay_before,
    )


def _document_values(bill: Bill, rows: Sequence[BillLine]) -> dict[str, Any]:
    return {
        "payer": bill.payer_name,
        "total_fen": bill.total_fen,
        "payees": [_payee_values(group) for group in _by_payee(rows)],
    }


def _by_payee(rows: Iterable[BillLine]) -> list[list[BillLine]]:
    """The lines of each payee together, in the order in which the bill has them."""
    groups: dict[tuple[str, str, bool], list[BillLine]] = {}
    for row in sorted(rows, key=lambda row: row.position):
        groups.setdefault(_payee_of(row), []).append(row)
    return list(groups.values())


def _payee_of(row: BillLine) -> tuple[str, str, bool]:
    return row.provider, row.payee_name, row.merged


def _payee_values(rows: Sequence[BillLine]) -> dict[str, Any]:
    lines = [
        {
            "item": row.title,
            "quantity": row.quantity,
            "unit": row.unit,
            "unit_price_fen": row.unit_price_fen,
            "amount_fen": row.due_fen,
            "basis": row.basis or None,
        }
        for row in rows
    ]
    return {"payee": rows[0].payee_name, "merged": rows[0].merged, "lines": lines}


def bill_view(session: Session, actor: Actor, *, bill_id: str | None = None, case_id: str | None = None) -> BillView:
    """A bill by its id, or the newest of a case. Raises NotFound where it is absent or not this actor's to see."""
    query = (
        select(Bill).where(Bill.id == bill_id) if bill_id is not None else select(Bill).where(Bill.case_id == case_id)
    )
    bill = session.scalars(query.order_by(Bill.version.desc()).limit(1)).first()
    if bill is None:
        raise NotFound
    return _view(session, actor, bill)


def case_bills(session: Session, actor: Actor, *, case_id: str) -> tuple[BillView, ...]:
    """All bills of a case, oldest first; empty before confirmation. Raises NotFound where they are not to be seen."""
    bills = session.scalars(select(Bill).where(Bill.case_id == case_id).order_by(Bill.version)).all()
    return tuple(_view(session, actor, bill) for bill in bills)


def _view(session: Session, actor: Actor, bill: Bill) -> BillView:
    stands = (BillLine.bill_id == bill.id, BillLine.void_at.is_(None))
    rows = session.scalars(select(BillLine).where(*stands).order_by(BillLine.position)).all()
    facts: Mapping[str, object] = {"applicant_ids": frozenset({bill.subject_id})}
    if not may(actor, "case.view", facts) and not may(actor, "finance.view") and actor.kind != "system":
        require(actor, "document.view", {**facts, "provider": _payee_among(actor, rows)})
        rows = [row for row in rows if row.provider == actor.provider_code]
    payees = tuple(
        PayeeView(lines[0].provider, lines[0].payee_name, lines[0].merged, tuple(map(_line_view, lines)))
        for lines in _by_payee(rows)
    )
    return BillView(
        id=bill.id,
        number=bill.number,
        case_id=bill.case_id,
        case_no=bill.case_no,
        payer_name=bill.payer_name,
        state=bill.state,
        issued_at=bill.issued_at,
        paid_at=bill.paid_at,
        document_id=bill.document_id,
        payees=payees,
    )


def _payee_among(actor: Actor, rows: Iterable[BillLine]) -> str | None:
    return next((row.provider for row in rows if row.provider == actor.provider_code), None)


def _line_view(row: BillLine) -> LineView:
    return LineView(
        id=row.id,
        provider=row.provider,
        payee_name=row.payee_name,
        item_code=row.item_code,
        title=row.title,
        quantity=row.quantity,
        unit=row.unit,
        unit_price_fen=row.unit_price_fen,
        due_fen=row.due_fen,
        paid_fen=row.paid_fen,
        vat_rate=row.vat_rate,
        basis=row.basis,
        merged=row.merged,
        pay_before=row.pay_before,
    )
