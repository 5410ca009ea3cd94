"""The main job through every real part: `python app.py demo` as a user runs it, on the restaurant and a wrong one."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pypdfium2
import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "tests" / "samples"
RESTAURANT = SAMPLES / "applications" / "02-street-restaurant-no-outside-line.json"
FIELDS = {
    "application",
    "accepted",
    "errors",
    "case_no",
    "stage",
    "utilities",
    "providers",
    "tasks",
    "visits",
    "joint",
    "reply",
    "bill",
    "payment",
    "splits",
    "settlements",
    "ledger",
    "documents",
    "working_days",
    "elapsed_s",
}

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("stack")]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """(exit code, output, summary by file name, the wrong application) of one run of the demo."""
    wrong = next(x for x in json.loads((SAMPLES / "applications-invalid.json").read_text()) if x["name"] == "no-notice")
    wrong_file = tmp_path_factory.mktemp("wrong") / "wrong.json"
    wrong_file.write_text(json.dumps(wrong["application"], ensure_ascii=False), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "app.py", "demo", str(RESTAURANT), str(wrong_file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    summary = json.loads((ROOT / "out" / "demo" / "summary.json").read_text(encoding="utf-8"))
    return done, {entry["application"]: entry for entry in summary}, wrong


def test_the_demo_ends_well_and_its_summary_has_the_agreed_fields(run):
    done, summary, _ = run
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert set(summary) == {RESTAURANT.name, "wrong.json"}
    assert set(summary[RESTAURANT.name]) >= FIELDS


def test_a_wrong_application_is_refused_by_its_field_and_opens_nothing(run):
    _, summary, wrong = run
    entry = summary["wrong.json"]
    assert entry["accepted"] is False
    assert wrong["must_name"] in [error["field"] for error in entry["errors"]]
    assert entry["case_no"] is None


def test_money_is_billed_paid_split_and_settled_to_the_fen(run):
    entry = run[1][RESTAURANT.name]
    billed = sum(line["due_fen"] for line in entry["bill"]["lines"])
    assert entry["bill"]["total_fen"] == billed == entry["payment"]["paid_fen"] > 0
    assert sum(split["amount_fen"] for split in entry["splits"]) == billed
    assert sum(row["net_fen"] for row in entry["settlements"]) == billed
    assert {row["state"] for row in entry["settlements"]} == {"RECONCILED"}
    assert entry["ledger"]["balanced"] is True


def test_the_restaurant_skips_what_it_does_not_need_but_never_the_gas_acceptance(run):
    entry = run[1][RESTAURANT.name]
    tasks = Counter((task["provider"], task["stage"]) for task in entry["tasks"])
    assert set(tasks.values()) == {1}
    assert {stage for _, stage in tasks} == {"reply", "acceptance", "connection"}
    assert [task["utility"] for task in entry["tasks"] if task["stage"] == "acceptance"] == ["gas"]
    assert {task["state"] for task in entry["tasks"]} == {"done"}
    assert entry["visits"] == 0


def test_one_reply_names_every_provider(run):
    entry = run[1][RESTAURANT.name]
    assert set(entry["reply"]["verdicts"]) == set(entry["providers"])
    assert set(entry["reply"]["verdicts"].values()) <= {"approve", "conditional"}


def test_every_paper_is_there_whole_and_readable(run):
    entry = run[1][RESTAURANT.name]
    folder = ROOT / "out" / "demo" / entry["case_no"]
    kinds = {document["kind"] for document in entry["documents"]}
    assert kinds >= {"acceptance_notice", "joint_reply", "joint_bill", "payment_receipt", "supply_contract"}
    for document in entry["documents"]:
        content = (folder / document["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == document["sha256"], document["file"]
        page = pypdfium2.PdfDocument(content)[0]
        assert "胜利" in page.get_textpage().get_text_range(), document["file"]
