"""iCalendar (RFC 5545) of a visit, for the calendars of those who come and of the applicant."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

_LINE_OCTETS = 75


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One appointment. `uid` never changes; `sequence` rises with every change; times are aware."""

    uid: str
    sequence: int
    start_at: dt.datetime
    end_at: dt.datetime
    title: str
    place: str
    note: str
    position: tuple[float, float] | None = None  # lon, lat
    is_cancelled: bool = False


def calendar_file(events: Sequence[CalendarEvent], *, stamped_at: dt.datetime) -> bytes:
    """The appointments as one file: UTF-8, CRLF, lines folded at 75 octets. Cancelled ones say so."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Yikou//Joint visit//ZH", "CALSCALE:GREGORIAN"]
    lines.append("METHOD:CANCEL" if events and all(event.is_cancelled for event in events) else "METHOD:PUBLISH")
    for event in events:
        lines += _event_lines(event, stamped_at)
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _event_lines(event: CalendarEvent, stamped_at: dt.datetime) -> list[str]:
    lines = [
        "BEGIN:VEVENT",
        f"UID:{_text(event.uid)}",
        f"SEQUENCE:{event.sequence}",
        f"DTSTAMP:{_utc(stamped_at)}",
        f"DTSTART:{_utc(event.start_at)}",
        f"DTEND:{_utc(event.end_at)}",
        f"SUMMARY:{_text(event.title)}",
        f"LOCATION:{_text(event.place)}",
        f"DESCRIPTION:{_text(event.note)}",
        f"STATUS:{'CANCELLED' if event.is_cancelled else 'CONFIRMED'}",
    ]
    if event.position is not None:
        lines.append(f"GEO:{event.position[1]:.6f};{event.position[0]:.6f}")
    return [*lines, "END:VEVENT"]


def _utc(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(text: str) -> str:
    """Escaped as RFC 5545 §3.3.11 asks; other control characters would break the file and are left out."""
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\r", "\\n"), ("\n", "\\n")):
        text = text.replace(plain, escaped)
    return "".join(char for char in text if char == "\t" or (ord(char) >= 0x20 and ord(char) != 0x7F))


def _folded(line: str) -> bytes:
    """One content line; continuation lines begin with a space, and no character is cut in two."""
    pieces: list[bytes] = []
    piece = b""
    for char in line:
        octets = char.encode()
        if len(piece) + len(octets) > _LINE_OCTETS:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join([*pieces, piece]) + b"\r\n"
