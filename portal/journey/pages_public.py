"""What anybody may read: the catalog's public part, and the step of a case by its query code."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select

from portal.cases.tables import Application, Case
from portal.catalog.model import Catalog
from portal.catalog.queries import current_catalog
from portal.kernel.database import db


@dataclass(frozen=True, slots=True)
class Progress:
    """Step and date only: whoever holds the code learns nothing about anybody."""

    stage: str
    state: str
    filed_at: dt.datetime
    closed_at: dt.datetime | None


def open_catalog() -> Catalog:
    """The catalog in force."""
    return current_catalog(db.session())


def find_progress(code: str) -> Progress | None:
    """The case behind a query code, or None; O and 0, I and 1 may be mixed up."""
    wanted = code.upper().replace("O", "0").replace("I", "1").replace("L", "1")
    row = db.session.execute(
        select(Application.state, Application.filed_at, Case.stage, Case.state, Case.closed_at)
        .outerjoin(Case, Case.application_id == Application.id)
        .where(Application.query_code == wanted)
    ).one_or_none()
    if row is None:
        return None
    return Progress(stage=row[2] or "intake", state=row[3] or row[0], filed_at=row[1], closed_at=row[4])
