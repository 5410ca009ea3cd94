"""Numbers the state gives to organisations, people, projects and land: what can be checked without asking anybody.

Every `check_…` returns a stable code of what is wrong, or None. Texts for readers stand in `application_texts`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection

# GB 32100-2015: digits and capitals without I, O, S, V, Z; weights are 3^(i-1) mod 31.
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
_USCC_VALUES = {character: value for value, character in enumerate(USCC_ALPHABET)}
# GB 11714: the organisation code inside a USCC counts letters from A = 10 without gaps.
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
# GB 11643-1999 (ISO 7064, MOD 11-2).
_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT_CHECKS = "10X98765432"
_RESIDENT_SHAPE = re.compile(r"[1-9][0-9]{16}[0-9Xx]", re.ASCII)
_PASSPORT_SHAPE = re.compile(r"[0-9A-Z]{5,20}", re.ASCII)
_PROJECT_SHAPE = re.compile(r"([0-9]{2})([0-9]{2})-([0-9]{6})-[0-9]{2}-[0-9]{2}-[0-9]{6}", re.ASCII)
# GB/T 37346-2019: county, cadastral area and sub-area, parcel feature and number, fixture feature and number.
_UNIT_SHAPE = re.compile(r"[0-9]{6}[0-9]{6}[A-Z]{2}[0-9]{5}[FLQW][0-9]{8}", re.ASCII)
EARLIEST_BIRTH = dt.date(1900, 1, 1)


def uscc_check_character(first_17: str) -> str:
    """The 18th character of a unified social credit code (GB 32100-2015). KeyError on a character outside it."""
    weighted = sum(_USCC_VALUES[c] * w for c, w in zip(first_17, _USCC_WEIGHTS, strict=True))
    return USCC_ALPHABET[-weighted % 31]


def organisation_check_character(first_8: str) -> str:
    """The 9th character of an organisation code (GB 11714), which a USCC carries as characters 9 to 17."""
    total = sum(int(c, 36) * w for c, w in zip(first_8, _ORGANISATION_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11]


def resident_check_character(first_17: str) -> str:
    """The 18th character of a citizen's number (GB 11643), with a capital X."""
    return _RESIDENT_CHECKS[sum(int(c) * w for c, w in zip(first_17, _RESIDENT_WEIGHTS, strict=True)) % 11]


def check_uscc(code: str) -> str | None:
    """`uscc_shape` (not 18 characters of the alphabet), `uscc_check` (check character differs) or None.

    Codes in real use fail the check now and then, so a clerk may override `uscc_check`, never `uscc_shape`.
    """
    if len(code) != 18 or not all(c in _USCC_VALUES for c in code):
        return "uscc_shape"
    return None if uscc_check_character(code[:17]) == code[17] else "uscc_check"


def warn_uscc(code: str) -> str | None:
    """`uscc_organisation` when the organisation code inside a well-shaped USCC fails its own check; a hint only."""
    if check_uscc(code) == "uscc_shape":
        return None
    return None if organisation_check_character(code[8:16]) == code[16] else "uscc_organisation"


def check_resident_id(number: str, *, on: dt.date) -> str | None:
    """`id_shape`, `id_date` (no such day, before 1900 or after `on`), `id_check` or None. Accepts a small x."""
    if not _RESIDENT_SHAPE.fullmatch(number):
        return "id_shape"
    try:
        born = dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return "id_date"
    if not EARLIEST_BIRTH <= born <= on:
        return "id_date"
    return None if resident_check_character(number[:17]) == number[17].upper() else "id_check"


def check_person_id(number: str, id_type: str | None, *, on: dt.date) -> str | None:
    """As `check_resident_id` for a citizen (the default type); other papers are only checked for shape."""
    if id_type in (None, "resident_id"):
        return check_resident_id(number, on=on)
    return None if _PASSPORT_SHAPE.fullmatch(number) else "id_shape"


def check_project_code(code: str, *, on: dt.date, regions: Collection[str] = ()) -> str | None:
    """`project_shape`, `project_date` (no such month, or after `on`), `project_region` or None (GB/T 40058-2021).

    `regions`: prefixes of division codes a project here may be registered under; empty skips that check. The
    standard's check digit has no published algorithm we could confirm, so it is not judged.
    """
    match = _PROJECT_SHAPE.fullmatch(code)
    if not match:
        return "project_shape"
    year, month, region = 2000 + int(match[1]), int(match[2]), match[3]
    if not 1 <= month <= 12 or (year, month) > (on.year, on.month):
        return "project_date"
    if regions and not region.startswith(tuple(regions)):
        return "project_region"
    return None


def check_unit_no(number: str, *, division: str | None = None) -> str | None:
    """`unit_shape`, `unit_division` (land of another county than `division`) or None (28 characters)."""
    if not _UNIT_SHAPE.fullmatch(number):
        return "unit_shape"
    if division is not None and not number.startswith(division):
        return "unit_division"
    return None
