"""联合答复书 and the supply contracts: what the providers offer, and what is agreed on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from portal.cases.tables import Contract, Task
from portal.catalog import fees
from portal.journey.case_files import CaseFile
from portal.journey.conflict_checks import settled_conditions
from portal.journey.notices import STAGE_NAMES, common_values, party
from portal.journey.papers import order_document
from portal.kernel.clock import local_date

REFUSED = ("refuse", "declined")
_CAPACITY = {
    "power": ("added_kva", "{} kVA"),
    "water": ("daily_m3", "{} m³/日"),
    "gas": ("peak_m3_h", "{} m³/时"),
    "heating": ("heated_area_m2", "{} m²"),
    "network": ("bandwidth_mbps", "{} Mbps"),
}


def order_reply_paper(
    session: Session,
    file: CaseFile,
    tasks: Sequence[Task],
    late: Sequence[str],
    *,
    part: int,
    number: str,
    at: dt.datetime,
    wire_at: dt.datetime,
) -> str:
    """One part of the joint reply as a paper; late providers and refusals by name."""
    on, settled = local_date(at), settled_conditions(session, file)
    refused = [task for task in tasks if verdict_of(task) in REFUSED]
    values = {
        **common_values(file, number=number, at=at),
        "part": part,
        "replies": [
            _reply(file, task, on, settled.get(task.provider, [])) for task in tasks if verdict_of(task) not in REFUSED
        ],
        "refused": [_refusal(file, task) for task in refused],
        "late": [{**party(file, code), "note": "答复后以补充答复送达"} for code in late],
        "supplement_note": f"本文书是对 {file.case.case_no}-DF1 的补充。" if part > 1 else None,
    }
    return order_document(
        session,
        kind="joint_reply",
        case_id=file.case.id,
        subject_id=file.case.subject_id,
        number=number,
        values=values,
        at=at,
        wire_at=wire_at,
    )


def verdict_of(task: Task) -> str:
    """The verdict of a reply task; `declined` where the provider gave none."""
    if task.state == "declined":
        return "declined"
    return str((task.result.get("reply") or {}).get("verdict", "declined"))


def _reply(file: CaseFile, task: Task, on: dt.date, settled: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    report = task.result["reply"]
    away = report.get("not_served") or {}
    return {
        **party(file, task.provider),
        "verdict": report["verdict"],
        "options": [_option(file, task.provider, option, on) for option in report.get("options", ())],
        "conditions": [
            {"text": c["text"], "before_stage": STAGE_NAMES.get(c["before_stage"])}
            for c in (*report.get("conditions", ()), *settled)
        ],
        "boundary": report.get("investment_boundary"),
        "valid_until_on": report.get("valid_until_on"),
        "nearest_m": away.get("nearest_m"),
        "planned_year": away.get("planned_year"),
        "alternative": away.get("alternative"),
    }


def _option(file: CaseFile, provider: str, option: Mapping[str, Any], on: dt.date) -> dict[str, Any]:
    return {
        "code": option["code"],
        "title": option["title"],
        "summary": option["summary"],
        "access_point": (option.get("access_point") or {}).get("description"),
        "works_days": option["works_days"],
        "lines": [_line(file, provider, line, on) for line in option.get("quote", ())],
        "recommended_why": option.get("recommended_why"),
    }


def _line(file: CaseFile, provider: str, line: Mapping[str, Any], on: dt.date) -> dict[str, Any]:
    item = fees.find_item(file.catalog, provider, line["fee_item"], on)
    return {
        "item": item.title if item else line["fee_item"],
        "quantity": str(line["quantity"]),
        "unit": item.unit if item else "",
        "unit_price_fen": line["unit_price_fen"],
        "amount_fen": line["amount_fen"],
        "payer": line["payer"],
        "basis": line.get("basis"),
    }


def _refusal(file: CaseFile, task: Task) -> dict[str, Any]:
    report = task.result.get("declined") if task.state == "declined" else task.result.get("reply")
    report = report or {}
    return {
        **party(file, task.provider),
        "reason": file.catalog.code_text(report.get("reason_code", "")) or "供应单位未受理",
        "basis": report.get("basis"),
        "would_change": report.get("would_change"),
        "alternative": report.get("alternative"),
    }


def order_contract(
    session: Session,
    file: CaseFile,
    contract: Contract,
    option: Mapping[str, Any],
    *,
    at: dt.datetime,
    wire_at: dt.datetime,
    signer: str | None = None,
) -> str:
    """The supply contract with one provider; with `signer` the signed version, which is a paper of its own."""
    provider = file.catalog.provider(contract.provider)
    utility = provider.utility
    section = file.body["utilities"][utility]
    name, form = _CAPACITY[utility]
    number = contract.number if signer else f"{contract.number}-CG"
    values = {
        **common_values(file, number=number, at=at, issuer=provider.name),
        "title": provider.contract_title,
        "utility": utility,
        "supplier": {"name": provider.name, "identity_no": provider.uscc, "phone": provider.hotline},
        "user": _user(file.body),
        "supply_point": (option.get("access_point") or {}).get("description") or file.body["site"]["address"],
        "capacity": form.format(section[name]) if section.get(name) is not None else "以接入方案为准",
        "prices": [_price(line) for line in _charged(file, provider.code, option, local_date(at))],
        "supplier_signature": {"by": provider.name, "at": at} if signer else None,
        "user_signature": {"by": signer, "at": at} if signer else None,
    }
    return order_document(
        session,
        kind="supply_contract",
        case_id=file.case.id,
        subject_id=file.case.subject_id,
        provider=provider.code,
        number=number,
        values=values,
        at=at,
        wire_at=wire_at,
    )


def _user(body: Mapping[str, Any]) -> dict[str, Any]:
    applicant = body["applicant"]
    return {
        "name": applicant["name"],
        "identity_no": applicant.get("uscc"),
        "address": body["site"]["address"],
        "contact": applicant["contact"]["name"],
        "phone": applicant["contact"].get("mobile"),
    }


def _charged(file: CaseFile, provider: str, option: Mapping[str, Any], on: dt.date) -> list[dict[str, Any]]:
    return [_line(file, provider, line, on) for line in option.get("quote", ()) if line["payer"] == "user"]


def _price(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: line[name] for name in ("item", "quantity", "unit", "unit_price_fen", "amount_fen", "basis")}
