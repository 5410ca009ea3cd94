"""终版报价: a provider changes its quote after review; nothing is owed anew before the applicant confirms it again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.billing import tariff
from portal.cases.tables import Confirmation, Contract, Pause, QuoteChange, Task
from portal.catalog import fees
from portal.exchange.wire import QuoteFinalReport
from portal.journey import bill_changes, case_bill, case_files, pauses, progress
from portal.journey.case_files import CaseFile
from portal.journey.events import note_event, send_task_event
from portal.journey.papers import replace_document
from portal.journey.reply_papers import order_contract
from portal.journey.reporting import Reporting, set_state
from portal.kernel import audit
from portal.kernel.clock import local_date
from portal.kernel.database import transaction
from portal.kernel.errors import Conflict, FieldError, Invalid, NotFound
from portal.kernel.guard import change
from portal.kernel.ids import new_id
from portal.kernel.policy import Actor, require

PAUSE_REASON = "contract_signing"  # the clock rests while the applicant reads what it would agree to
VERDICTS = {"accept": "accepted", "refuse": "refused"}


def receive_quote_final(reporting: Reporting, report: QuoteFinalReport) -> None:
    """Keep the new quote and ask the applicant. Raises Invalid for what no published fee allows, or for no change."""
    session, task, file = reporting.session, reporting.task, reporting.file
    confirmed = case_files.confirmed_options(session, file.case.id).get(task.provider)
    if confirmed is None:
        raise Conflict("申请人尚未确认您的答复，请直接修改答复。", code="not_expected", facts={"expects": []})
    quote = report.model_dump(mode="json", exclude_none=True)["quote"]
    _check(reporting, report, confirmed, quote)
    option = {**confirmed, "quote": quote}
    query = select(func.max(QuoteChange.number)).where(
        QuoteChange.case_id == file.case.id, QuoteChange.provider == task.provider
    )
    row = QuoteChange(
        id=new_id(),
        case_id=file.case.id,
        task_id=task.id,
        provider=task.provider,
        number=(session.scalar(query) or 0) + 1,
        state="open",
        before=confirmed,
        option=option,
        reason=report.reason,
        difference_fen=user_fen(option) - user_fen(confirmed),
        reported_at=reporting.at,
    )
    session.add(row)
    set_state(reporting, "await_applicant")
    by = reporting.actor.name or task.provider
    session.add(Pause(id=new_id(), task_id=task.id, reason=PAUSE_REASON, start_at=reporting.at, evidence=row.id, by=by))
    session.flush()


def _check(
    reporting: Reporting, report: QuoteFinalReport, confirmed: Mapping[str, Any], quote: list[dict[str, Any]]
) -> None:
    file, provider, on = reporting.file, reporting.task.provider, local_date(reporting.at)
    errors: list[FieldError] = []
    if report.option_code not in (None, confirmed["code"]):
        text = f"申请人确认的是方案 {confirmed['code']}，终版报价只能针对这个方案。"
        errors.append(FieldError("option_code", text, "wrong_option"))
    errors += tariff.check_quote(
        [line.model_dump() for line in report.quote],
        lambda code: fees.find_item(file.catalog, provider, code, on),
        case_files.level_of(file, file.tracks[provider]).zero_investment,
        path="quote",
    )
    if not errors and quote == confirmed.get("quote"):
        errors.append(FieldError("quote", "报价与申请人已确认的一致，无需提交终版报价。", "unchanged"))
    if errors:
        raise Invalid(errors, code=errors[0].code)


def user_fen(option: Mapping[str, Any]) -> int:
    """What the user pays for an option as stored, in fen."""
    return sum(line["amount_fen"] for line in option.get("quote", ()) if line["payer"] == "user")


def decide_quote(
    actor: Actor, *, case_no: str, change_id: str, verdict: str, at: dt.datetime, wire_at: dt.datetime
) -> str:
    """The applicant confirms the changed quote, or keeps to the one it confirmed before; answers the state.

    Accepted: the difference goes on a further bill, or is owed back, and the contract is made anew to be signed again.
    Raises Invalid naming `verdict`, NotFound, Conflict when it was decided before or a payment is under way.
    """
    with transaction() as session:
        file = case_files.load_case(session, case_no=case_no)
        require(actor, "case.confirm", {"applicant_ids": frozenset({file.case.subject_id})})
        row = session.get(QuoteChange, change_id)
        if row is None or row.case_id != file.case.id:
            raise NotFound
        if verdict not in VERDICTS:
            raise Invalid([FieldError(f"verdict-{row.id}", "请选择是否同意新的报价。", "choice")])
        task = session.get_one(Task, row.task_id)
        if row.state != "open" or file.tracks[row.provider].state != "open" or task.state != "waiting_applicant":
            raise Conflict("这次报价调整已经处理过了。", code="already_answered")
        values = {"state": VERDICTS[verdict], "decided_at": at, "decided_by": actor.id}
        change(session, QuoteChange, row.id, {"state": "open"}, values)
        session.refresh(row)
        if verdict == "accept":
            _accept(session, file, row, actor, at, wire_at)
        reporting = Reporting(session=session, file=file, task=task, actor=actor, at=at, wire_at=wire_at)
        _go_on(reporting)
        facts = {"provider": row.provider, "verdict": row.state, "difference_fen": row.difference_fen}
        note_event(session, case_id=file.case.id, kind="quote_decided", actor=actor, at=at, facts=facts)
        audit.record(session, actor=actor, action="quote.decided", subject=row.id, detail=facts, at=at)
        progress.advance(session, case_id=file.case.id, at=at, wire_at=wire_at)
        return VERDICTS[verdict]


def _accept(
    session: Session, file: CaseFile, row: QuoteChange, actor: Actor, at: dt.datetime, wire_at: dt.datetime
) -> None:
    query = select(Confirmation).where(Confirmation.case_id == file.case.id, Confirmation.provider == row.provider)
    confirmation = session.scalars(query).one()
    confirmation.option = row.option
    drafts = case_bill.drafts_of(file, row.provider, row.option, local_date(at))
    bill_changes.apply_quote(session, file, row.provider, drafts, actor=actor, at=at, wire_at=wire_at)
    contract = session.scalars(
        select(Contract).where(Contract.case_id == file.case.id, Contract.provider == row.provider)
    ).one()
    if contract.document_id is not None:
        replace_document(session, contract.document_id)
    contract.signed_at = contract.signed_by = None
    contract.document_id = order_contract(session, file, contract, row.option, at=at, wire_at=wire_at)
    session.flush()


def _go_on(reporting: Reporting) -> None:
    """The applicant has spoken: the clock runs again and the provider goes on."""
    session, task = reporting.session, reporting.task
    query = select(Pause).where(Pause.task_id == task.id, Pause.reason == PAUSE_REASON, Pause.end_at.is_(None))
    for pause in session.scalars(query):
        pauses.end_pause(session, pause, at=reporting.at)
    set_state(reporting, "answer")
    send_task_event(session, task, "task.changed", at=reporting.at, wire_at=reporting.wire_at)
