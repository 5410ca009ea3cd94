"""From confirmed options to bill lines: what the user pays, to whom, under which published item."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from portal.catalog import fees
from portal.journey import bills
from portal.journey.case_files import CaseFile
from portal.kernel.clock import local_date

PAYER_USER = "user"


def issue(
    session: Session,
    file: CaseFile,
    options: Mapping[str, Mapping[str, Any]],
    *,
    at: dt.datetime,
    wire_at: dt.datetime,
) -> None:
    """Issue the joint bill for these providers' options (provider → option). A bill of zero counts as paid."""
    lines = [
        line
        for provider in sorted(options, key=file.place_of)
        for line in drafts_of(file, provider, options[provider], local_date(at))
    ]
    bills.issue_bill(
        session,
        case_id=file.case.id,
        case_no=file.case.case_no,
        subject_id=file.case.subject_id,
        payer_name=file.body["applicant"]["name"],
        lines=lines,
        at=at,
        wire_at=wire_at,
    )


def drafts_of(file: CaseFile, code: str, option: Mapping[str, Any], on: dt.date) -> list[bills.LineDraft]:
    """What the user is to pay this provider for an option, line by line."""
    provider = file.catalog.provider(code)
    track = file.tracks[code]
    pay_before = provider.pay_before if provider.pay_before in track.stages else "connection"
    drafts = []
    for line in option["quote"]:
        if line["payer"] != PAYER_USER:
            continue
        item = fees.find_item(file.catalog, code, line["fee_item"], on)
        drafts.append(
            bills.LineDraft(
                provider=code,
                payee_name=provider.name,
                merchant_id=provider.merchant_id,
                item_code=line["fee_item"],
                title=item.title if item else line["fee_item"],
                quantity=str(line["quantity"]),
                unit=item.unit if item else "",
                unit_price_fen=line["unit_price_fen"],
                amount_fen=line["amount_fen"],
                vat_rate=str(line.get("vat_rate") or (item.vat_rate if item else "0")),
                basis=line.get("basis") or (item.basis if item else ""),
                merged=provider.merged_bill and bool(file.body.get("merged_bill", True)),
                pay_before=pay_before,
            )
        )
    return drafts
