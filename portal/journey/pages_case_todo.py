"""What waits on the applicant: the one list at the top of the case page, each entry with what its form needs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.cases.tables import Question, QuoteChange, Task, VisitProposal
from portal.journey.case_files import CaseFile
from portal.journey.pages_case_load import CaseRows
from portal.journey.pages_case_money import MoneyView
from portal.journey.pages_case_reply import ProviderReply, ReplyView
from portal.journey.review import DRAWING_KINDS
from portal.kernel.clock import parse_instant


@dataclass(frozen=True, slots=True)
class QuestionForm:
    """One open question. `material` names the paper it asks for."""

    id: str
    name: str
    text: str
    why: str
    material: str


@dataclass(frozen=True, slots=True)
class CommentView:
    """One remark on a drawing."""

    location: str
    clause: str
    text: str


@dataclass(frozen=True, slots=True)
class DrawingForm:
    """A drawing to hand in; `comments` are the reviewer's remarks on the last version, empty for a first one."""

    provider: str
    name: str
    kind: str
    version: int
    comments: tuple[CommentView, ...]


@dataclass(frozen=True, slots=True)
class ContractForm:
    """A contract that is ready to be signed."""

    number: str
    name: str
    title: str
    document_id: str | None


@dataclass(frozen=True, slots=True)
class FlowForm:
    """A connection that the provider reported and the applicant has to confirm."""

    task_id: str
    name: str
    utility: str
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProposedVisit:
    """One appointment of a proposal."""

    start_at: dt.datetime
    end_at: dt.datetime
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """One plan to choose; `absent`: whose time is arranged separately."""

    id: str
    visits: tuple[ProposedVisit, ...]
    absent: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class VisitForm:
    """The times offered for the joint visit. Without an answer until `answer_by` the first one is taken."""

    proposals: tuple[Proposal, ...]
    answer_by: dt.datetime


@dataclass(frozen=True, slots=True)
class QuoteForm:
    """A quote that its provider changed after review; fen. `lines`: (name, amount) of what the applicant would pay."""

    id: str
    name: str
    reason: str
    before_fen: int
    now_fen: int
    lines: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Todo:
    """Everything the applicant can do now. `pay`: there is money to be paid that is in no order yet."""

    questions: tuple[QuestionForm, ...]
    drawings: tuple[DrawingForm, ...]
    offers: tuple[ProviderReply, ...]
    contracts: tuple[ContractForm, ...]
    flows: tuple[FlowForm, ...]
    pay: bool
    cashier: bool
    visit: VisitForm | None = None
    quotes: tuple[QuoteForm, ...] = ()

    @property
    def count(self) -> int:
        """How many acts wait: choosing, signing and paying are one each."""
        single = (self.visit is not None, bool(self.offers), bool(self.contracts), self.pay, self.cashier)
        return len(self.questions) + len(self.drawings) + len(self.flows) + len(self.quotes) + sum(single)


def todo_of(
    file: CaseFile, rows: CaseRows, money: MoneyView, replies: tuple[ReplyView, ...], names: Mapping[str, str]
) -> Todo:
    """What waits on the applicant, in the order of the process."""
    tasks = [task for _, task in sorted(file.tasks.items())]
    by_id = {task.id: task for task in tasks}
    return Todo(
        questions=tuple(_question(q, by_id[q.task_id], file, names) for q in rows.questions if q.state == "asked"),
        drawings=tuple(_drawing(task, rows, names) for task in tasks if _wants_drawing(task, rows)),
        offers=tuple(part for reply in replies for part in reply.providers if part.is_open),
        contracts=tuple(
            ContractForm(c.number, names[c.provider], file.catalog.provider(c.provider).contract_title, c.document_id)
            for c in rows.contracts
            if c.signed_at is None
        ),
        flows=tuple(_flow(task, file, rows, names) for task in tasks if _waits_for_flow(task, rows)),
        pay=money.free_fen > 0,
        cashier=bool(money.waiting),
        visit=_visit(file, rows, names),
        quotes=tuple(_quote(row, file, names) for row in rows.quotes),
    )


def _quote(row: QuoteChange, file: CaseFile, names: Mapping[str, str]) -> QuoteForm:
    titles = {item.code: item.title for item in file.catalog.fees}
    lines = [line for line in row.option["quote"] if line["payer"] == "user"]
    now_fen = sum(line["amount_fen"] for line in lines)
    return QuoteForm(
        id=row.id,
        name=names[row.provider],
        reason=row.reason,
        before_fen=now_fen - row.difference_fen,
        now_fen=now_fen,
        lines=tuple((titles.get(line["fee_item"], line["fee_item"]), line["amount_fen"]) for line in lines),
    )


def _visit(file: CaseFile, rows: CaseRows, names: Mapping[str, str]) -> VisitForm | None:
    if rows.visit_round is None or not rows.proposals:
        return None
    return VisitForm(tuple(_proposal(row, file, names) for row in rows.proposals), rows.visit_round.ends_at)


def _proposal(row: VisitProposal, file: CaseFile, names: Mapping[str, str]) -> Proposal:
    visits = tuple(
        ProposedVisit(
            parse_instant(visit["start_at"]),
            parse_instant(visit["end_at"]),
            tuple(names.get(code, code) for code in sorted(visit["providers"], key=file.place_of)),
        )
        for visit in row.visits
    )
    return Proposal(row.id, visits, tuple(names.get(code, code) for code in row.absent), row.reason)


def _question(question: Question, task: Task, file: CaseFile, names: Mapping[str, str]) -> QuestionForm:
    kind = question.material_kind or ""
    return QuestionForm(
        id=question.id,
        name=names.get(task.provider, task.provider),
        text=question.text,
        why=question.why or "",
        material=file.catalog.material_names.get(kind, kind),
    )


def _wants_drawing(task: Task, rows: CaseRows) -> bool:
    is_asked_else = rows.open_questions(task) or any(quote.task_id == task.id for quote in rows.quotes)
    if task.stage != "review" or is_asked_else:
        return False
    return task.id in rows.clocks.undrawn or (task.state == "waiting_applicant" and _is_rework(task))


def _is_rework(task: Task) -> bool:
    return bool((task.result.get("review") or {}).get("verdict") == "rework")


def _drawing(task: Task, rows: CaseRows, names: Mapping[str, str]) -> DrawingForm:
    report: dict[str, Any] = task.result.get("review") or {}
    versions = [drawing.version for drawing in rows.drawings if drawing.provider == task.provider]
    comments = report.get("comments", ()) if _is_rework(task) else ()
    return DrawingForm(
        provider=task.provider,
        name=names[task.provider],
        kind=DRAWING_KINDS[0],
        version=max(versions, default=0) + 1,
        comments=tuple(CommentView(c["location"], c["clause"], c["text"]) for c in comments),
    )


def _waits_for_flow(task: Task, rows: CaseRows) -> bool:
    is_reported = task.stage == "connection" and "connected" in task.result
    return is_reported and task.state == "waiting_applicant" and not rows.open_questions(task)


def _flow(task: Task, file: CaseFile, rows: CaseRows, names: Mapping[str, str]) -> FlowForm:
    return FlowForm(
        task_id=task.id,
        name=names[task.provider],
        utility=file.catalog.utility(task.utility or "").name,
        accounts=tuple(point.account_no for point in rows.points if point.task_id == task.id),
    )
