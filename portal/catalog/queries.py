"""Reading the catalog in force. Versions never change, so each is parsed once a process."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.catalog.calendar import Calendar, load_calendar
from portal.catalog.model import Catalog
from portal.catalog.tables import CatalogVersion
from portal.kernel.errors import Unavailable

_CALENDAR_KEY = "calendar"


def seed_catalog(session: Session, catalog: Catalog, *, at: dt.datetime) -> bool:
    """Step: store this version; False when it is there already."""
    if session.get(CatalogVersion, catalog.version) is not None:
        return False
    content = catalog.model_dump(mode="json", by_alias=True)
    session.add(CatalogVersion(version=catalog.version, city=catalog.city.code, content=content, loaded_at=at))
    session.flush()
    return True


def current_catalog(session: Session) -> Catalog:
    """The version loaded last. Raises Unavailable while there is none."""
    version = session.scalars(
        select(CatalogVersion.version).order_by(CatalogVersion.loaded_at.desc(), CatalogVersion.version.desc())
    ).first()
    if version is None:
        raise Unavailable("城市目录尚未装载，请联系管理员。", code="no_catalog")
    return catalog_of(session, version)


def catalog_of(session: Session, version: str) -> Catalog:
    """One version. Raises KeyError for one that was never loaded."""
    known = _parsed.get(version)
    if known is None:
        row = session.get(CatalogVersion, version)
        if row is None:
            raise KeyError(version)
        known = _parsed[version] = Catalog.model_validate(row.content)
    return known


# The version is a digest of the content, so an entry can never be stale.
_parsed: dict[str, Catalog] = {}


def calendar_of(session: Session) -> Calendar:
    """The working calendar as the table has it now; read once a session."""
    calendar = session.info.get(_CALENDAR_KEY)
    if calendar is None:
        hours = current_catalog(session).hours
        calendar = load_calendar(session, open_at=hours.open_at, cut_off=hours.cut_off)
        session.info[_CALENDAR_KEY] = calendar
    assert isinstance(calendar, Calendar)
    return calendar
