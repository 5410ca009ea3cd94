"""The counter's pages: applications to accept, and one application with everything a clerk checks."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from portal.cases.application import Application as TypedApplication
from portal.cases.application_findings import Context
from portal.cases.application_papers import owed_papers
from portal.cases.tables import Application, Case, MaterialFile
from portal.catalog.model import Catalog
from portal.catalog.queries import catalog_of, current_catalog
from portal.journey.notices import STAGE_NAMES
from portal.journey.pages_staff import PAGE_SIZE, Paged, counts_by, offset_of
from portal.kernel.clock import local_date
from portal.kernel.database import db
from portal.kernel.errors import NotFound
from portal.kernel.policy import Actor, require

STATES = ("filed", "accepted", "returned")
_CORRECTIONS = ("correction", "corrected", "asked_again")
_name = Application.body[("applicant", "name")].as_string()
_uscc = Application.body[("applicant", "uscc")].as_string()


@dataclass(frozen=True, slots=True)
class ApplicationLine:
    """One application in the list; `utilities` are Chinese names in the catalog's order."""

    application_no: str
    state: str
    channel: str
    applicant: str
    project: str
    utilities: tuple[str, ...]
    filed_at: dt.datetime
    case_no: str | None
    notes: int


@dataclass(frozen=True, slots=True)
class CounterList:
    """`counts`: applications by state, whatever is searched for."""

    applications: Paged
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper of an application. `material_id` where its bytes are here; `file_name` where they are still to come."""

    title: str
    source: str
    material_id: str | None
    file_name: str | None


@dataclass(frozen=True, slots=True)
class CounterApplication:
    """One application for the clerk. `corrections`: {field, code, message}, open ones have code `correction`."""

    application_no: str
    state: str
    channel: str
    filed_at: dt.datetime
    decided_at: dt.datetime | None
    case_no: str | None
    body: dict[str, Any]
    names: dict[str, str]  # codes of divisions and utilities in words
    notes: tuple[dict[str, Any], ...]
    corrections: tuple[dict[str, Any], ...]
    overrides: tuple[dict[str, Any], ...]
    papers: tuple[Paper, ...]
    owed: tuple[tuple[str, str], ...]  # (title, until which stage)
    not_served: tuple[dict[str, Any], ...]

    @property
    def was_returned(self) -> bool:
        """Whether the applicant was asked to mend it before: asking again needs a reason."""
        return any(note["code"] != "asked_again" for note in self.corrections)


def list_applications(actor: Actor, *, state: str, wanted: str, page: int) -> CounterList:
    """Applications newest first. `state`: one of STATES or `all`; `wanted`: number, name or credit code, or ''.

    Three queries whatever the number of rows. Raises NotAllowed.
    """
    require(actor, "counter.list")
    session, wanted = db.session(), wanted.strip()
    counts = counts_by(session, Application.state)
    where = _where(state, wanted)
    total = session.scalar(select(func.count()).select_from(Application).where(*where)) or 0
    query = select(Application, Case.case_no).outerjoin(Case, Case.application_id == Application.id).where(*where)
    query = query.order_by(Application.filed_at.desc(), Application.application_no.desc())
    catalog = current_catalog(session)
    found = session.execute(query.offset(offset_of(page)).limit(PAGE_SIZE))
    rows = tuple(_line(catalog, row, case_no) for row, case_no in found)
    return CounterList(Paged(rows, max(page, 1), total), counts)


def _where(state: str, wanted: str) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [Application.state == state] if state in STATES else []
    if wanted:
        number = func.upper(Application.application_no).contains(wanted.upper(), autoescape=True)
        where.append(or_(number, _name.contains(wanted, autoescape=True), _uscc == wanted.upper()))
    return where


def _line(catalog: Catalog, row: Application, case_no: str | None) -> ApplicationLine:
    return ApplicationLine(
        application_no=row.application_no,
        state=row.state,
        channel=row.channel,
        applicant=row.body["applicant"]["name"],
        project=row.body["project"]["name"],
        utilities=tuple(u.name for u in catalog.utilities if u.code in row.body["utilities"]),
        filed_at=row.filed_at,
        case_no=case_no,
        notes=sum(note["code"] not in _CORRECTIONS for note in row.notes),
    )


def counter_application(actor: Actor, *, application_no: str) -> CounterApplication:
    """One application as the clerk checks it. Raises NotAllowed, NotFound."""
    require(actor, "counter.list")
    session = db.session()
    row = session.scalars(select(Application).where(Application.application_no == application_no)).one_or_none()
    if row is None:
        raise NotFound
    catalog = catalog_of(session, row.catalog_version)
    names = {division.code: division.name for division in catalog.divisions}
    names |= {street.code: street.name for division in catalog.divisions for street in division.streets}
    names |= {utility.code: utility.name for utility in catalog.utilities}
    return CounterApplication(
        application_no=row.application_no,
        state=row.state,
        channel=row.channel,
        filed_at=row.filed_at,
        decided_at=row.decided_at,
        case_no=session.scalar(select(Case.case_no).where(Case.application_id == row.id)),
        body=row.body,
        names=names,
        notes=tuple(note for note in row.notes if note["code"] not in _CORRECTIONS),
        corrections=tuple(note for note in row.notes if note["code"] in _CORRECTIONS),
        overrides=tuple(row.overrides),
        papers=_papers(session, row, catalog),
        owed=_owed(row, catalog),
        not_served=tuple(row.not_served),
    )


def _papers(session: Session, row: Application, catalog: Catalog) -> tuple[Paper, ...]:
    stored = set(session.scalars(select(MaterialFile.id).where(MaterialFile.application_id == row.id)))
    titles, papers = catalog.material_names, []
    for material in row.body.get("materials", ()):
        file = material.get("file")
        here = file in stored
        title = titles.get(material["kind"], material["kind"])
        papers.append(Paper(title, material["source"], file if here else None, None if here else file))
    return tuple(papers)


def _owed(row: Application, catalog: Catalog) -> tuple[tuple[str, str], ...]:
    context = Context(catalog, local_date(row.filed_at), row.channel)
    owed = owed_papers(TypedApplication.model_validate(row.body), context)
    return tuple((paper.title, STAGE_NAMES.get(paper.due_stage or "", STAGE_NAMES["review"])) for paper in owed)
