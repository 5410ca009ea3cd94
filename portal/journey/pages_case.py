"""The case page: everything one case has to tell its applicant (and staff who look over the shoulder)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from portal.cases.tables import ConnectionPoint, Contract, Drawing, JointWorks
from portal.documents.queries import DocumentLine, list_documents
from portal.journey import case_files, reply
from portal.journey.case_files import CaseFile
from portal.journey.dig_once import works_of
from portal.journey.pages_case_load import CaseRows, load_rows, names_in
from portal.journey.pages_case_money import MoneyView, money_view
from portal.journey.pages_case_progress import (
    ProviderRow,
    VisitView,
    case_turns,
    provider_rows,
    turn_words,
    visit_view,
)
from portal.journey.pages_case_reply import ReplyView, reply_view
from portal.journey.pages_case_timeline import TimelineRow, timeline
from portal.journey.pages_case_todo import Todo, todo_of
from portal.kernel.database import db
from portal.kernel.policy import Actor, may, require

__all__ = ["CasePage", "case_id_of", "case_page"]


@dataclass(frozen=True, slots=True)
class Head:
    """The case in brief. `turn`: whose turn it is, in words."""

    case_no: str
    application_no: str
    project: str
    applicant: str
    address: str
    state: str
    stage: str
    accepted_at: dt.datetime
    closed_at: dt.datetime | None
    query_code: str
    turn: str


@dataclass(frozen=True, slots=True)
class ContractRow:
    """A supply contract with one provider."""

    number: str
    name: str
    title: str
    signed_at: dt.datetime | None
    document_id: str | None


@dataclass(frozen=True, slots=True)
class PointRow:
    """One supply point with its account and meter numbers."""

    name: str
    utility: str
    account_no: str
    meter_no: str
    supply_point: str
    opening_reading: str
    connected_at: dt.datetime


@dataclass(frozen=True, slots=True)
class DrawingRow:
    """One version of one drawing."""

    name: str
    version: int
    sha256: str
    uploaded_at: dt.datetime


@dataclass(frozen=True, slots=True)
class WorksView:
    """The one trench: its length, what digging apart would have come to, and the days."""

    union_m: float
    single_m: float
    saved_m: float
    saved_fen: int
    start_on: dt.date
    end_on: dt.date


@dataclass(frozen=True, slots=True)
class CasePage:
    """The whole page as frozen values. `may_act`: the reader acts for the applicant, so forms are shown."""

    head: Head
    may_act: bool
    todo: Todo
    providers: tuple[ProviderRow, ...]
    visits: tuple[VisitView, ...]
    replies: tuple[ReplyView, ...]
    contracts: tuple[ContractRow, ...]
    money: MoneyView
    points: tuple[PointRow, ...]
    documents: tuple[DocumentLine, ...]
    ready: frozenset[str]
    drawings: tuple[DrawingRow, ...]
    timeline: tuple[TimelineRow, ...]
    works: WorksView | None


def case_page(actor: Actor, case_no: str, at: dt.datetime) -> CasePage:
    """The page of one case as `actor` sees it at business time `at`. Raises NotFound, NotSignedIn."""
    session = db.session()
    file = case_files.load_case(session, case_no=case_no, lock=False)
    facts = {"applicant_ids": frozenset({file.case.subject_id})}
    require(actor, "case.view", facts)
    may_act = may(actor, "case.confirm", facts)
    rows, names = load_rows(session, file), names_in(file.catalog)
    reader = "您" if may_act else "申请人"
    is_open = frozenset(reply.open_offers(session, file))
    replies = tuple(reply_view(row, file, chosen=rows.chosen, is_open=is_open) for row in rows.replies)
    money = money_view(session, file.case.id, at=at)
    todo = todo_of(file, rows, money, replies, names)
    documents = list_documents(session, actor, case_id=file.case.id)
    owners = {task.id: (task.provider, task.stage) for task in file.tasks.values()}
    return CasePage(
        head=_head(file, rows, todo, names, reader),
        may_act=may_act,
        todo=todo,
        providers=provider_rows(file, rows.clocks, names, held_up=_held_up(rows, money, is_open), reader=reader, at=at),
        visits=tuple(visit_view(visit, file, names) for visit in case_files.visits_of(session, file.case.id)),
        replies=replies,
        contracts=tuple(_contract(row, file, names) for row in rows.contracts),
        money=money,
        points=tuple(_point(row, file, names) for row in rows.points),
        documents=documents,
        ready=frozenset(line.id for line in documents if line.state == "ready"),
        drawings=tuple(_drawing(row, names) for row in rows.drawings),
        timeline=timeline(rows.events, names, owners),
        works=_works(works_of(session, file.case.id)),
    )


def _works(row: JointWorks | None) -> WorksView | None:
    if row is None:
        return None
    return WorksView(row.union_m, row.single_m, row.saved_m, row.saved_fen, row.start_on, row.end_on)


def case_id_of(actor: Actor, case_no: str) -> str:
    """The id behind a case number, for whoever may see the case. Raises NotFound, NotSignedIn."""
    case = case_files.load_case(db.session(), case_no=case_no, lock=False).case
    require(actor, "case.view", {"applicant_ids": frozenset({case.subject_id})})
    return case.id


def _head(file: CaseFile, rows: CaseRows, todo: Todo, names: dict[str, str], reader: str) -> Head:
    case, body = file.case, file.body
    turns = case_turns(file, rows, applicant_waits=todo.count > 0)
    return Head(
        case_no=case.case_no,
        application_no=file.application.application_no,
        project=body["project"]["name"],
        applicant=body["applicant"]["name"],
        address=body["site"]["address"],
        state=case.state,
        stage=case.stage,
        accepted_at=case.accepted_at,
        closed_at=case.closed_at,
        query_code=file.application.query_code,
        turn=turn_words(turns, names, reader=reader) if case.state == "open" else "已办结",
    )


def _held_up(rows: CaseRows, money: MoneyView, is_open: frozenset[str]) -> frozenset[str]:
    unsigned = {row.provider for row in rows.contracts if row.signed_at is None}
    owed = {payee.provider for bill in money.bills for payee in bill.payees if payee.paid_fen < payee.due_fen}
    return is_open | unsigned | owed


def _contract(row: Contract, file: CaseFile, names: dict[str, str]) -> ContractRow:
    title = file.catalog.provider(row.provider).contract_title
    return ContractRow(row.number, names[row.provider], title, row.signed_at, row.document_id)


def _point(row: ConnectionPoint, file: CaseFile, names: dict[str, str]) -> PointRow:
    utility = file.catalog.provider(row.provider).utility
    return PointRow(
        name=names[row.provider],
        utility=file.catalog.utility(utility).name,
        account_no=row.account_no,
        meter_no=row.meter_no,
        supply_point=row.supply_point or "",
        opening_reading=row.opening_reading or "",
        connected_at=row.connected_at,
    )


def _drawing(row: Drawing, names: dict[str, str]) -> DrawingRow:
    return DrawingRow(names[row.provider], row.version, row.sha256, row.uploaded_at)
