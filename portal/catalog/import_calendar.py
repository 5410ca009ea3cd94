"""`python -m portal.catalog.import_calendar portal/catalog/cities/150800/calendar.json`: write the calendar file anew.

Published years come from chinesecalendar, which has each year once the State Council's notice is out. The year after
stands as Monday–Friday less the statutory holidays, which are known from the law and the lunar calendar, and is
marked provisional: shifted rest days and make-up days are not known yet.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path

import chinese_calendar
from chinese_calendar import constants

FIRST_YEAR = 2004
# 全国年节及纪念日放假办法 as revised in 2024; Spring Festival includes its eve.
PROVISIONAL: dict[int, dict[str, str]] = {
    2027: {
        "01-01": "元旦",
        "02-05": "春节",
        "02-06": "春节",
        "02-07": "春节",
        "02-08": "春节",
        "04-05": "清明节",
        "05-01": "劳动节",
        "05-02": "劳动节",
        "06-09": "端午节",
        "09-15": "中秋节",
        "10-01": "国庆节",
        "10-02": "国庆节",
        "10-03": "国庆节",
    }
}
_NAMES = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "Mid-autumn Festival": "中秋节",
    "National Day": "国庆节",
    "Anti-Fascist 70th Day": "抗战胜利70周年纪念日",
}
_FRIDAY = 4


def calendar_file() -> str:
    """The calendar file as text: one line a year."""
    last = max(constants.holidays).year
    years = [_published(year) for year in range(FIRST_YEAR, last + 1)]
    years += [_provisional(year, days) for year, days in sorted(PROVISIONAL.items()) if year > last]
    lines = ",\n".join(json.dumps(year, ensure_ascii=False) for year in years)
    return '{"calendar_days": [\n' + lines + "\n]}\n"


def _published(year: int) -> dict[str, object]:
    rest: dict[str, str] = {}
    work: dict[str, str] = {}
    for day in _days_of(year):
        if chinese_calendar.is_workday(day) == _is_weekday(day):
            continue
        if _is_weekday(day):
            rest[day.isoformat()] = _name(constants.holidays.get(day) or constants.in_lieu_days.get(day))
        else:
            work[day.isoformat()] = _name(constants.workdays.get(day)) + "调休上班"
    return {"year": year, "provisional": False, "rest": rest, "work": work}


def _provisional(year: int, holidays: dict[str, str]) -> dict[str, object]:
    days = {f"{year}-{mark}": name for mark, name in holidays.items()}
    rest = {day: name for day, name in days.items() if _is_weekday(dt.date.fromisoformat(day))}
    return {"year": year, "provisional": True, "rest": rest, "work": {}}


def _days_of(year: int) -> list[dt.date]:
    first = dt.date(year, 1, 1)
    return [first + dt.timedelta(days=n) for n in range((dt.date(year + 1, 1, 1) - first).days)]


def _is_weekday(day: dt.date) -> bool:
    return day.weekday() <= _FRIDAY


def _name(name: str | None) -> str:
    return _NAMES.get(name or "", name or "")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(calendar_file(), encoding="utf-8")
