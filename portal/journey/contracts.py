"""Supply contracts: one a provider, made at confirmation from its template, all signed in one session."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.cases.tables import Case, Contract
from portal.journey import case_files, progress
from portal.journey.case_files import CaseFile
from portal.journey.events import note_event
from portal.journey.papers import replace_document
from portal.journey.reply_papers import order_contract
from portal.kernel import audit
from portal.kernel.database import transaction
from portal.kernel.errors import Conflict
from portal.kernel.guard import change
from portal.kernel.ids import new_id
from portal.kernel.policy import Actor, require


def make_contracts(
    session: Session, file: CaseFile, options: Mapping[str, Mapping[str, Any]], *, at: dt.datetime, wire_at: dt.datetime
) -> None:
    """Make the contract of each provider whose option was confirmed; the applicant reads it before signing."""
    for provider in sorted(options, key=file.place_of):
        row = Contract(
            id=new_id(),
            case_id=file.case.id,
            provider=provider,
            number=f"{file.case.case_no}-HT-{provider}",
            made_at=at,
        )
        session.add(row)
        session.flush()
        row.document_id = order_contract(session, file, row, options[provider], at=at, wire_at=wire_at)


def sign_contracts(actor: Actor, *, case_no: str, at: dt.datetime, wire_at: dt.datetime) -> int:
    """The applicant signs every contract that is ready, in one act; answers how many. Conflict when there is none."""
    with transaction() as session:
        file = case_files.load_case(session, case_no=case_no)
        require(actor, "case.sign", {"applicant_ids": frozenset({file.case.subject_id})})
        live = {track.provider for track in file.live_tracks()}
        query = select(Contract).where(
            Contract.case_id == file.case.id, Contract.signed_at.is_(None), Contract.provider.in_(live)
        )
        contracts = session.scalars(query.order_by(Contract.provider)).all()
        if not contracts:
            raise Conflict("目前没有待签署的合同。", code="nothing_to_sign")
        options = case_files.confirmed_options(session, file.case.id)
        for contract in contracts:
            contract.signed_at, contract.signed_by = at, actor.id
            if contract.document_id is not None:
                replace_document(session, contract.document_id)
            contract.document_id = order_contract(
                session, file, contract, options[contract.provider], at=at, wire_at=wire_at, signer=actor.name
            )
        if file.case.signed_at is None:
            values = {"signed_at": at, "version": file.case.version + 1}
            change(session, Case, file.case.id, {"version": file.case.version}, values)
            session.refresh(file.case)
        facts = {"contracts": [contract.number for contract in contracts]}
        note_event(session, case_id=file.case.id, kind="contracts_signed", actor=actor, at=at, facts=facts)
        audit.record(session, actor=actor, action="contracts.signed", subject=case_no, detail=facts, at=at)
        progress.advance(session, case_id=file.case.id, at=at, wire_at=wire_at)
        return len(contracts)
