"""The working calendar: known days, make-up days, the provisional year, and a year nobody entered."""

from __future__ import annotations

import datetime as dt

import pytest
from structlog.testing import capture_logs

from portal.cases.deadlines import due_at
from portal.catalog.calendar import Calendar, exceptions_of
from portal.catalog.import_calendar import calendar_file
from tests.catalog.city import CATALOG, FOLDER

DAYS = exceptions_of(CATALOG.calendar_days)
CALENDAR = Calendar(DAYS, provisional_years=frozenset({2027}))


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        ("2026-11-23", True),
        ("2026-11-21", False),
        ("2026-01-01", False),
        ("2026-01-02", False),
        ("2026-01-04", True),  # Sunday, made up for New Year
        ("2026-02-14", True),  # Saturday before the Spring Festival
        ("2026-02-23", False),
        ("2026-02-28", True),
        ("2026-05-09", True),
        ("2026-09-20", True),
        ("2026-09-25", False),
        ("2026-10-01", False),
        ("2026-10-07", False),
        ("2026-10-08", True),
        ("2026-10-10", True),
        ("2004-01-17", True),
        ("2015-09-03", False),  # a holiday of that year alone
        ("2020-01-31", False),  # the holiday that was made longer in the epidemic
        ("2025-10-08", False),
        ("2027-01-01", False),
        ("2027-02-05", False),
        ("2027-06-09", False),
        ("2027-02-09", True),
    ],
)
def test_known_days(day: str, worked: bool):
    assert CALENDAR.is_working_day(dt.date.fromisoformat(day)) is worked


def test_each_year_is_known_even_where_all_holidays_fell_on_weekends():
    assert all(CALENDAR.knows(year) for year in range(2004, 2028))
    assert not CALENDAR.knows(2028)
    assert not CALENDAR.knows(2003)


def test_the_file_is_what_the_import_makes():
    assert (FOLDER / "calendar.json").read_text(encoding="utf-8") == calendar_file()


def test_only_the_year_without_a_decision_is_provisional():
    assert [year.year for year in CATALOG.calendar_days if year.provisional] == [2027]
    assert all(year.work == {} for year in CATALOG.calendar_days if year.provisional)
    assert all(note for year in CATALOG.calendar_days for note in [*year.rest.values(), *year.work.values()])


@pytest.mark.parametrize(
    ("day", "days", "result"),
    [
        ("2026-11-23", 0, "2026-11-23"),
        ("2026-11-21", 0, "2026-11-23"),
        ("2026-11-23", 1, "2026-11-24"),
        ("2026-11-27", 1, "2026-11-30"),
        ("2026-09-30", 1, "2026-10-08"),
        ("2026-10-08", 3, "2026-10-12"),  # through the worked Saturday
        ("2026-02-13", 1, "2026-02-14"),
        ("2026-12-31", 1, "2027-01-04"),
    ],
)
def test_adding_working_days(day: str, days: int, result: str):
    start = dt.date.fromisoformat(day)
    assert CALENDAR.add_working_days(start, days) == dt.date.fromisoformat(result)
    if days:
        assert CALENDAR.working_days_between(start, dt.date.fromisoformat(result)) == days


def test_days_between_and_wrong_numbers():
    monday = dt.date(2026, 11, 23)
    assert CALENDAR.working_days_between(monday, monday) == 0
    assert CALENDAR.working_days_between(monday, dt.date(2026, 11, 20)) == 0
    assert CALENDAR.working_days_between(dt.date(2026, 9, 30), dt.date(2026, 10, 12)) == 4
    with pytest.raises(ValueError, match="negative"):
        CALENDAR.add_working_days(monday, -1)


def test_a_missing_year_warns_loudly_once_and_goes_on():
    calendar = Calendar(DAYS)
    with capture_logs() as logs:
        assert calendar.add_working_days(dt.date(2031, 1, 3), 1) == dt.date(2031, 1, 6)
        assert calendar.is_working_day(dt.date(2031, 5, 1))
    assert [(log["event"], log["log_level"], log["year"]) for log in logs] == [
        ("calendar_year_missing", "warning", 2031)
    ]
    assert "calendar_day" in logs[0]["mend"]


def test_known_years_do_not_warn():
    with capture_logs() as logs:
        CALENDAR.add_working_days(dt.date(2026, 12, 1), 40)
    assert logs == []


def test_gaps_are_told_before_they_are_met():
    assert CALENDAR.gaps(dt.date(2026, 6, 1)) == {}
    assert CALENDAR.gaps(dt.date(2026, 11, 23)) == {2027: "provisional"}
    assert CALENDAR.gaps(dt.date(2027, 11, 1)) == {2027: "provisional", 2028: "missing"}


def test_limits_run_on_it():
    friday = dt.datetime(2026, 11, 27, 2, 0, tzinfo=dt.UTC)
    assert due_at(CALENDAR, friday, 2) == dt.datetime(2026, 12, 1, 9, 30, tzinfo=dt.UTC)


def test_seasons():
    assert [
        CATALOG.is_ground_frozen(dt.date(2026, m, d)) for m, d in ((10, 31), (11, 1), (12, 31), (3, 31), (4, 1))
    ] == [
        False,
        True,
        True,
        True,
        False,
    ]
    assert CATALOG.city.heating_season.covers(dt.date(2027, 1, 1))
    assert not CATALOG.city.heating_season.covers(dt.date(2027, 7, 1))
