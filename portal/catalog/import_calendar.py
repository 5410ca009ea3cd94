"""`python -m portal.catalog.import_calendar FIRST LAST`: print the calendar file, from what chinesecalendar has.

Later years stand as Monday–Friday less the holidays fixed by date or by the lunar calendar, marked provisional, until
the State Council's notice is out and the file is made again.
"""

from __future__ import annotations

import datetime as dt
import json
import sys

import chinese_calendar

# 元旦, 春节 (eve to day 3), 清明, 劳动节, 端午, 中秋, 国庆: the statutory days alone, without any shifted rest days.
PROVISIONAL: dict[int, frozenset[str]] = {
    2027: frozenset(
        "01-01 02-05 02-06 02-07 02-08 04-05 05-01 05-02 06-09 09-15 10-01 10-02 10-03".split()  # noqa: SIM905
    )
}
_FRIDAY = 4


def year_of(year: int) -> dict[str, object]:
    """One year as the calendar file holds it: days that differ from Monday–Friday."""
    rest: list[str] = []
    work: list[str] = []
    day = dt.date(year, 1, 1)
    while day.year == year:
        usual = day.weekday() <= _FRIDAY
        worked = _is_worked(day, usual=usual)
        if worked != usual:
            (work if worked else rest).append(day.isoformat())
        day += dt.timedelta(days=1)
    return {"year": year, "provisional": year in PROVISIONAL, "rest": rest, "work": work}


def _is_worked(day: dt.date, *, usual: bool) -> bool:
    if day.year in PROVISIONAL:
        return usual and day.strftime("%m-%d") not in PROVISIONAL[day.year]
    return bool(chinese_calendar.is_workday(day))


def main(first: int, last: int) -> None:
    """Print the file for the years `first` to `last`."""
    lines = ",\n".join(" " + json.dumps(year_of(year)) for year in range(first, last + 1))
    sys.stdout.write('{"calendar_days": [\n' + lines + "\n]}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
