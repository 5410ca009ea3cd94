"""Catalog and calendar in the database: versions stay, editing a day works, an official year replaces a guess."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.catalog import queries
from portal.catalog.calendar import seed_calendar
from portal.catalog.model import CalendarYear, Catalog
from portal.catalog.queries import calendar_of, catalog_of, current_catalog, seed_catalog
from portal.catalog.tables import CalendarDay, CatalogVersion
from portal.kernel.database import db, transaction
from portal.kernel.errors import NotFound, Unavailable
from tests.catalog.city import CATALOG
from tests.conftest import AT

DAY = dt.timedelta(days=1)


@pytest.fixture
def other() -> Catalog:
    offices = (CATALOG.offices[0].model_copy(update={"name": "另一个部门"}), *CATALOG.offices[1:])
    return CATALOG.model_copy(update={"version": "150800-other", "offices": offices})


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(queries, "_parsed", {})


def seed(catalog: Catalog, at: dt.datetime = AT) -> bool:
    with transaction() as session:
        return seed_catalog(session, catalog, at=at)


def stored(session: Session, year: int) -> dict[dt.date, bool]:
    rows = session.execute(
        select(CalendarDay.day, CalendarDay.is_working).where(
            CalendarDay.day.between(dt.date(year, 1, 1), dt.date(year, 12, 31))
        )
    )
    return {row.day: row.is_working for row in rows}


def test_without_a_catalog_the_portal_says_so(bare_app: Flask):
    with pytest.raises(Unavailable):
        current_catalog(db.session())


def test_what_is_stored_is_what_was_read(bare_app: Flask):
    assert seed(CATALOG)
    assert not seed(CATALOG, AT + DAY)
    assert current_catalog(db.session()) == CATALOG
    assert catalog_of(db.session(), CATALOG.version) == CATALOG
    assert db.session.scalar(select(func.count()).select_from(CatalogVersion)) == 1


def test_a_case_keeps_the_version_it_was_accepted_under(bare_app: Flask, other: Catalog):
    seed(CATALOG)
    assert seed(other, AT + DAY)
    assert current_catalog(db.session()).lead_agency.name == "另一个部门"
    assert catalog_of(db.session(), CATALOG.version).lead_agency.name == CATALOG.lead_agency.name
    with pytest.raises(NotFound):
        catalog_of(db.session(), "150800-never")


def test_going_back_to_an_earlier_version(bare_app: Flask, other: Catalog):
    seed(CATALOG)
    seed(other, AT + DAY)
    assert seed(CATALOG, AT + 2 * DAY)
    assert current_catalog(db.session()).version == CATALOG.version
    assert db.session.scalar(select(func.count()).select_from(CatalogVersion)) == 2


def test_the_calendar_comes_with_the_catalog(bare_app: Flask):
    seed(CATALOG)
    calendar = calendar_of(db.session())
    assert (calendar.open_at, calendar.cut_off) == ("08:30", "17:30")
    assert calendar.is_working_day(dt.date(2026, 10, 10))
    assert calendar.provisional_years == {2027}
    assert calendar.knows(2004)
    row = db.session.get(CalendarDay, dt.date(2026, 2, 14))
    assert row is not None
    assert (row.is_working, row.note, row.provisional) == (True, "春节调休上班", False)


def test_an_edited_day_counts_and_survives_the_next_seeding(bare_app: Flask):
    seed(CATALOG)
    day = dt.date(2026, 11, 24)
    with transaction() as session:
        session.add(CalendarDay(day=day, is_working=False, note="暴雪停工"))
        session.get_one(CalendarDay, dt.date(2026, 10, 10)).is_working = False
    with transaction() as session:
        assert seed_calendar(session, CATALOG.calendar_days) == 0
    calendar = calendar_of(db.session())
    assert not calendar.is_working_day(day)
    assert not calendar.is_working_day(dt.date(2026, 10, 10))


def test_an_entered_year_is_known(bare_app: Flask):
    seed(CATALOG)
    with transaction() as session:
        session.add(CalendarDay(day=dt.date(2028, 1, 3), is_working=False, note="元旦"))
    assert calendar_of(db.session()).knows(2028)


def test_the_official_year_replaces_the_provisional_one_but_not_what_a_person_entered(bare_app: Flask):
    seed(CATALOG)
    entered = dt.date(2027, 10, 4)
    with transaction() as session:
        session.add(CalendarDay(day=entered, is_working=True, note="市里另行规定"))
    official = CalendarYear(
        year=2027,
        provisional=False,
        rest={dt.date(2027, 2, 8): "春节", dt.date(2027, 2, 9): "春节", entered: "国庆节"},
        work={dt.date(2027, 2, 13): "春节调休上班"},
    )
    with transaction() as session:
        assert seed_calendar(session, [official]) == 1
    assert stored(db.session(), 2027) == {
        dt.date(2027, 1, 1): False,
        dt.date(2027, 2, 8): False,
        dt.date(2027, 2, 9): False,
        dt.date(2027, 2, 13): True,
        entered: True,
    }
    assert calendar_of(db.session()).provisional_years == frozenset()
    with transaction() as session:  # the older file does not bring the guess back
        assert seed_calendar(session, CATALOG.calendar_days) == 0
