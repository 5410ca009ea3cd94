"""iCalendar files, read back by an own plain reader of RFC 5545."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from portal.cases.calendar_files import CalendarEvent, calendar_file
from tests.cases.days import local

EVENT = CalendarEvent(
    uid="visit-1@yikou",
    sequence=0,
    start_at=local(24, 9),
    end_at=local(24, 10),
    title="联合踏勘：番茄厂",
    place="临河区, 1号",
    note="供水、供电；请带图纸",
    position=(107.4, 40.75),
)


def read(raw: bytes) -> dict[str, str]:
    text = raw.decode().replace("\r\n ", "")
    rows = dict(row.split(":", 1) for row in text.split("\r\n") if row and not row.startswith(("BEGIN", "END")))
    plain = {}
    for name, value in rows.items():
        out, chars = "", iter(value)
        for char in chars:
            follows = next(chars) if char == "\\" else ""
            out += {"n": "\n"}.get(follows, follows) if follows else char
        plain[name] = out
    return plain


def test_a_visit_in_utc_with_its_place():
    found = read(calendar_file([EVENT], stamped_at=local(23, 9)))
    assert (found["DTSTART"], found["DTEND"]) == ("20261124T010000Z", "20261124T020000Z")
    assert found["LOCATION"] == "临河区, 1号"
    assert found["GEO"] == "40.750000;107.400000"
    assert (found["STATUS"], found["METHOD"]) == ("CONFIRMED", "PUBLISH")


def test_a_cancelled_visit_says_so():
    gone = dataclasses.replace(EVENT, is_cancelled=True, sequence=1)
    found = read(calendar_file([gone], stamped_at=local(23, 9)))
    assert (found["STATUS"], found["METHOD"], found["SEQUENCE"]) == ("CANCELLED", "CANCEL", "1")


@given(st.text(max_size=200), st.text(max_size=60))
def test_whatever_people_write_comes_back_and_breaks_no_line(note, title):
    raw = calendar_file([dataclasses.replace(EVENT, note=note, title=title)], stamped_at=local(23, 9))
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    kept = "".join(c for c in note.replace("\r\n", "\n").replace("\r", "\n") if c in "\t\n" or ord(c) >= 32)
    assert read(raw)["DESCRIPTION"] == kept.replace("\x7f", "")
