"""What a run of the demo leaves behind: each case's documents as files and one summary of all applications."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from providers.simulator.people import Supervisor

FIELDS: Mapping[str, Any] = {
    "application": "",
    "accepted": False,
    "errors": [],
    "case_no": None,
    "stage": None,
    "utilities": [],
    "providers": [],
    "tasks": [],
    "visits": 0,
    "joint": {"conflicts": 0, "supplements": 0, "rectifications": 0, "trench_saved_m": 0, "visits_avoided": 0},
    "reply": None,
    "bill": None,
    "payment": {"paid_fen": 0, "orders": 0},
    "splits": [],
    "settlements": [],
    "ledger": {"entries": 0, "balanced": True},
    "documents": [],
    "working_days": {},
    "elapsed_s": 0.0,
}
STAGE_NAMES: Mapping[str, str] = {
    "intake": "受理",
    "survey": "联合踏勘",
    "reply": "联合答复",
    "confirm": "待确认",
    "review": "联合审图",
    "permits": "行政许可",
    "works": "联合施工",
    "acceptance": "联合验收",
    "connection": "装表接通",
    "closed": "已办结",
    "withdrawn": "已撤回",
}
OVER = frozenset({"closed", "withdrawn"})


def is_finished(record: Mapping[str, Any]) -> bool:
    """Whether a case is at its end: closed, what was paid is split, settled and reconciled, books balanced."""
    if record.get("state") not in OVER:
        return False
    paid = int((record.get("payment") or {}).get("paid_fen") or 0)
    split = sum(int(one["amount_fen"]) for one in record.get("splits") or ())
    settlements = record.get("settlements") or ()
    settled = all(map(is_reconciled, settlements)) and (bool(settlements) or not paid)
    papers_ready = all(document.get("sha256") for document in record.get("documents") or ())
    return paid == split and settled and papers_ready and bool((record.get("ledger") or {}).get("balanced", True))


def is_reconciled(settlement: Mapping[str, Any]) -> bool:
    """Whether gateway and books agree on this settlement."""
    return str(settlement["state"]).lower() == "reconciled"


def waits_for(record: Mapping[str, Any]) -> str:
    """In one line, what an unfinished case still waits for."""
    open_tasks = [
        f"{task['provider']}/{task['stage']} ({task['state']})"
        for task in record.get("tasks") or ()
        if task["state"] not in ("done", "withdrawn", "declined")
    ]
    if open_tasks:
        return "tasks " + ", ".join(open_tasks)
    if record.get("state") not in OVER:
        return f"the applicant or payment at stage {record.get('stage')}: payment {record.get('payment')}"
    states = {one["provider"]: one["state"] for one in record.get("settlements") or ()}
    late = [document["kind"] for document in record.get("documents") or () if not document.get("sha256")]
    return f"settlement {states or 'none yet'}, payment {record.get('payment')}, documents being made {late}"


def entry_of(
    application: str,
    *,
    record: Mapping[str, Any] | None = None,
    errors: Sequence[Mapping[str, str]] = (),
    elapsed_s: float = 0.0,
) -> dict[str, Any]:
    """One entry of the summary with exactly the promised fields, from a case record or from the refusal's errors."""
    entry = {name: (record or {}).get(name, default) for name, default in FIELDS.items()}
    entry["documents"] = [
        {name: document[name] for name in ("kind", "file", "sha256")} for document in entry["documents"]
    ]
    entry |= {"application": application, "accepted": record is not None, "errors": list(errors)}
    return entry | {"elapsed_s": round(elapsed_s, 1)}


def save_documents(supervisor: Supervisor, record: Mapping[str, Any], folder: Path) -> list[str]:
    """Download every document of a case into `folder`; returns what is wrong with them (hash, kind)."""
    folder.mkdir(parents=True, exist_ok=True)
    wrong = []
    for document in record.get("documents") or ():
        raw = supervisor.browser.get_bytes(str(document.get("url") or f"/documents/{document['id']}.pdf"))
        name = Path(str(document["file"])).name
        (folder / name).write_bytes(raw)
        if hashlib.sha256(raw).hexdigest() != document["sha256"]:
            wrong.append(f"{name}: the bytes do not have the hash of the record")
        if not raw.startswith(b"%PDF-"):
            wrong.append(f"{name}: not a PDF")
    return wrong


def write_summary(entries: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the list as JSON, UTF-8."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(list(entries), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def print_table(entries: Sequence[Mapping[str, Any]], console: Console) -> None:
    """The summary for a person at a terminal of 80 columns; money in yuan. Why an application was refused follows."""
    table = Table(title="一口办 · 联合报装", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for title in ("申请", "办件", "结果", "到场", "账单（元）", "缴费", "结算", "用时"):
        table.add_column(title, justify="left" if title in ("申请", "办件", "结果") else "right", no_wrap=True)
    for entry in entries:
        table.add_row(*_row(entry))
    console.print(table)
    for entry in entries:
        for error in entry["errors"]:
            console.print(f"{entry['application']}：{error['field']} {error['message']}", markup=False)


def _row(entry: Mapping[str, Any]) -> list[str]:
    seconds = f"{entry['elapsed_s']:.0f} 秒"
    if not entry["accepted"]:
        return [_short(entry["application"]), "", "未受理", "", "", "", "", seconds]
    settled = sum(map(is_reconciled, entry["settlements"]))
    total_fen, paid_fen = (entry["bill"] or {}).get("total_fen", 0), entry["payment"]["paid_fen"]
    return [
        _short(entry["application"]),
        str(entry["case_no"]),
        STAGE_NAMES.get(str(entry["stage"]), str(entry["stage"])),
        str(entry["visits"]),
        f"{total_fen / 100:,.2f}",
        "已缴清" if paid_fen == total_fen else f"{paid_fen / 100:,.2f}",
        f"{settled}/{len(entry['settlements'])}",
        seconds,
    ]


def _short(application: str) -> str:
    """The sample's number, or as much of another file's name as fits."""
    number, _, rest = application.partition("-")
    return number if rest and number.isdigit() else Path(application).stem[:8]
