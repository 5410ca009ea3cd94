"""联合答复: each provider's verdict, options and quote come in; the applicant confirms one option a provider."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.billing import tariff
from portal.cases.tables import Case, Confirmation, JointReply
from portal.catalog import fees
from portal.exchange.wire import ReplyReport
from portal.journey import case_bill, case_files, contracts, progress
from portal.journey.case_files import CaseFile
from portal.journey.events import note_event
from portal.journey.refusals import drop_track, open_decision
from portal.journey.reporting import Reporting, set_state
from portal.kernel import audit
from portal.kernel.clock import local_date
from portal.kernel.database import transaction
from portal.kernel.errors import Conflict, FieldError, Invalid
from portal.kernel.guard import change
from portal.kernel.ids import new_id
from portal.kernel.policy import Actor, require

OFFERS = ("approve", "conditional")
OUT = ("not_concerned", "not_served")


def receive_reply(reporting: Reporting, report: ReplyReport) -> None:
    """Check the quote against the public fee list; end the task, or put a refusal before the lead agency."""
    _check_options(reporting, report)
    if report.verdict == "refuse":
        open_decision(reporting, kind="refusal", facts=report.model_dump(mode="json", exclude_none=True))
        return
    set_state(reporting, "finish")
    if report.verdict in OUT:
        drop_track(reporting)


def _check_options(reporting: Reporting, report: ReplyReport) -> None:
    file, provider = reporting.file, reporting.task.provider
    level = case_files.level_of(file, file.tracks[provider])
    errors: list[FieldError] = []
    if report.verdict in OFFERS and not report.options:
        errors.append(FieldError("options", "同意接入时至少要给出一个方案。", "missing"))
    codes = [option.code for option in report.options]
    if len(set(codes)) != len(codes):
        errors.append(FieldError("options", "方案编号不能重复。", "duplicate"))
    on = local_date(reporting.at)
    if report.valid_until_on is not None and report.valid_until_on < on:
        errors.append(FieldError("valid_until_on", "答复的有效期已过，请填写今天或以后的日期。", "expired"))
    for index, option in enumerate(report.options):
        errors += tariff.check_quote(
            [line.model_dump() for line in option.quote],
            lambda code: fees.find_item(file.catalog, provider, code, on),
            level.zero_investment,
            path=f"options.{index}.quote",
        )
    if errors:
        raise Invalid(errors, code=errors[0].code)


def confirm_reply(
    actor: Actor, *, case_no: str, choices: Mapping[str, str], at: dt.datetime, wire_at: dt.datetime
) -> None:
    """The applicant chooses one option for each provider that has replied. The bill and the contracts follow.

    `choices` maps provider code → option code. Raises Invalid naming `option-<provider>` where a choice is missing.
    """
    with transaction() as session:
        file = case_files.load_case(session, case_no=case_no)
        require(actor, "case.confirm", {"applicant_ids": frozenset({file.case.subject_id})})
        offers = open_offers(session, file)
        if not offers:
            raise Conflict("目前没有需要确认的答复。", code="nothing_to_confirm")
        chosen = _chosen(offers, choices)
        for provider, option in chosen.items():
            session.add(
                Confirmation(
                    id=new_id(),
                    case_id=file.case.id,
                    provider=provider,
                    option_code=option["code"],
                    option=option,
                    confirmed_at=at,
                    confirmed_by=actor.id,
                )
            )
        if file.case.confirmed_at is None:
            values = {"confirmed_at": at, "version": file.case.version + 1}
            change(session, Case, file.case.id, {"version": file.case.version}, values)
            session.refresh(file.case)
        facts = {"choices": {p: o["code"] for p, o in chosen.items()}}
        note_event(session, case_id=file.case.id, kind="reply_confirmed", actor=actor, at=at, facts=facts)
        audit.record(session, actor=actor, action="reply.confirmed", subject=case_no, detail=facts, at=at)
        case_bill.issue(session, file, chosen, at=at, wire_at=wire_at)
        contracts.make_contracts(session, file, chosen, at=at, wire_at=wire_at)
        progress.advance(session, case_id=file.case.id, at=at, wire_at=wire_at)


def open_offers(session: Session, file: CaseFile) -> dict[str, list[dict[str, Any]]]:
    """Provider → options that were published in the joint reply and wait for the applicant's choice."""
    published: set[str] = set()
    for part in session.scalars(select(JointReply).where(JointReply.case_id == file.case.id)):
        published |= set(part.content["provider_codes"])
    confirmed = set(session.scalars(select(Confirmation.provider).where(Confirmation.case_id == file.case.id)))
    offers: dict[str, list[dict[str, Any]]] = {}
    for provider in sorted(published - confirmed):
        task = file.tasks.get((provider, "reply"))
        report = task.result.get("reply") if task else None
        if report and report["verdict"] in OFFERS and file.tracks[provider].state == "open":
            offers[provider] = report["options"]
    return offers


def _chosen(offers: Mapping[str, list[dict[str, Any]]], choices: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    chosen: dict[str, dict[str, Any]] = {}
    errors = []
    for provider, options in offers.items():
        found = [option for option in options if option["code"] == choices.get(provider)]
        if found:
            chosen[provider] = found[0]
        else:
            errors.append(FieldError(f"option-{provider}", "请为这家单位选择一个方案。", "missing"))
    if errors:
        raise Invalid(errors)
    return chosen
