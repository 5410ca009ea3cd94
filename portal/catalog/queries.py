"""The catalog and the calendar in force. Versions never change, so each is parsed once a process."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.catalog.calendar import Calendar, load_calendar, seed_calendar
from portal.catalog.model import Catalog
from portal.catalog.reading import content_of, digest_of
from portal.catalog.tables import CatalogVersion
from portal.kernel.errors import NotFound, Unavailable
from portal.kernel.guard import change

_CALENDAR_KEY = "calendar"
# The version is a digest of the content, so an entry can never be stale.
_parsed: dict[str, Catalog] = {}


def seed_catalog(session: Session, catalog: Catalog, *, at: dt.datetime) -> bool:
    """Step: put this version in force, and its calendar's new years in the table; False when it was in force already.

    A version that was in force before comes back by its name: cases that pinned it see no change.
    """
    seed_calendar(session, catalog.calendar_days)
    session.info.pop(_CALENDAR_KEY, None)
    if _current_version(session) == catalog.version:
        return False
    row = session.get(CatalogVersion, catalog.version)
    if row is not None:
        change(session, CatalogVersion, row.version, {"loaded_at": row.loaded_at}, {"loaded_at": at})
        session.expire(row)
        return True
    content = content_of(catalog)
    session.add(CatalogVersion(version=catalog.version, digest=digest_of(content), content=content, loaded_at=at))
    session.flush()
    return True


def current_catalog(session: Session) -> Catalog:
    """The version loaded last. Raises Unavailable while there is none."""
    version = _current_version(session)
    if version is None:
        raise Unavailable("城市目录尚未装载，请联系管理员。", code="no_catalog")
    return catalog_of(session, version)


def catalog_of(session: Session, version: str) -> Catalog:
    """One version. Raises NotFound for one that was never loaded."""
    known = _parsed.get(version)
    if known is None:
        row = session.get(CatalogVersion, version)
        if row is None:
            raise NotFound(f"没有版本为 {version} 的城市目录。", code="no_catalog")
        known = _parsed[version] = Catalog.model_validate(row.content)
    return known


def calendar_of(session: Session) -> Calendar:
    """The working calendar as the table has it now; read once a session."""
    calendar = session.info.get(_CALENDAR_KEY)
    if calendar is None:
        hours = current_catalog(session).hours
        calendar = load_calendar(session, open_at=hours.open_at, cut_off=hours.cut_off)
        session.info[_CALENDAR_KEY] = calendar
    assert isinstance(calendar, Calendar)
    return calendar


def _current_version(session: Session) -> str | None:
    newest = select(CatalogVersion.version).order_by(CatalogVersion.loaded_at.desc(), CatalogVersion.version.desc())
    return session.scalars(newest.limit(1)).first()
