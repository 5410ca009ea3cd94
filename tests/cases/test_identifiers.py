"""Numbers of organisations, people, projects and land: known ones pass, one slip of the pen is always found."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.cases.identifiers import (
    USCC_ALPHABET,
    check_person_id,
    check_project_code,
    check_resident_id,
    check_unit_no,
    check_uscc,
    organisation_check_character,
    resident_check_character,
    uscc_check_character,
    warn_uscc,
)

ON = dt.date(2026, 11, 23)
USCC_HEADS = st.text(alphabet=USCC_ALPHABET, min_size=17, max_size=17)
RESIDENT_HEADS = st.builds(
    lambda region, born, order: f"{region}{born:%Y%m%d}{order:03d}",
    st.integers(110000, 659999),
    st.dates(dt.date(1900, 1, 1), ON),
    st.integers(0, 999),
)


@pytest.mark.parametrize("code", ["91150802MA0N12340C", "91150800MAC123455Q", "121508264601020327"])
def test_codes_in_use_pass(code: str):
    assert check_uscc(code) is None
    assert warn_uscc(code) is None


def test_a_live_code_that_fails_its_check_is_told_apart_from_nonsense():
    assert check_uscc("91350203M0001QAY9B") == "uscc_check"  # a real company's; clerks may override it
    assert check_uscc("91350203M0001QAY9") == "uscc_shape"


@given(USCC_HEADS)
def test_a_right_check_character_passes(head: str):
    assert check_uscc(head + uscc_check_character(head)) is None


@given(USCC_HEADS, st.integers(0, 17), st.sampled_from(USCC_ALPHABET))
def test_one_wrong_character_is_found(head: str, place: int, other: str):
    code = head + uscc_check_character(head)
    if code[place] != other:
        assert check_uscc(code[:place] + other + code[place + 1 :]) == "uscc_check"


@given(st.text(max_size=20))
def test_any_text_gets_an_answer(text: str):
    assert check_uscc(text) in (None, "uscc_shape", "uscc_check")
    assert check_resident_id(text, on=ON) in (None, "id_shape", "id_date", "id_check")
    assert check_project_code(text, on=ON) in (None, "project_shape", "project_date")
    assert check_unit_no(text) in (None, "unit_shape")


@pytest.mark.parametrize("letter", list("IOSVZa中１"))
def test_letters_outside_the_alphabet_are_a_wrong_shape(letter: str):
    assert check_uscc("91150802MA0N1234" + letter + "C") == "uscc_shape"


@given(st.text(alphabet="0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=8, max_size=8), st.sampled_from(USCC_ALPHABET))
def test_a_wrong_organisation_part_is_only_a_hint(part: str, check: str):
    head = "91150802" + part + check
    code = head + uscc_check_character(head)
    assert check_uscc(code) is None
    assert (warn_uscc(code) is None) == (organisation_check_character(part) == check)


def test_citizens_numbers_with_either_x():
    assert check_resident_id("11010519491231002X", on=ON) is None
    assert check_resident_id("11010519491231002x", on=ON) is None


@given(RESIDENT_HEADS)
def test_only_one_check_character_is_right(head: str):
    right = resident_check_character(head)
    for check in "0123456789X":
        assert check_resident_id(head + check, on=ON) == (None if check == right else "id_check")


@pytest.mark.parametrize(
    ("number", "wrong"),
    [
        ("110105194902300028", "id_date"),  # 30 February
        ("110105189912310025", "id_date"),  # before 1900
        ("110105202712310026", "id_date"),  # not born yet
        ("1101051949123100", "id_shape"),
        ("01010519491231002X", "id_shape"),
        ("11010519491231002Y", "id_shape"),
        ("１1010519491231002X", "id_shape"),  # full-width digit
    ],
)
def test_impossible_citizens_numbers(number: str, wrong: str):
    assert check_resident_id(number, on=ON) == wrong


def test_other_papers_are_checked_for_shape_only():
    assert check_person_id("E12345678", "passport", on=ON) is None
    assert check_person_id("E1 ", "passport", on=ON) == "id_shape"
    assert check_person_id("E12345678", None, on=ON) == "id_shape"


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("2605-150802-04-01-318264", None),
        ("2613-150802-04-01-318264", "project_date"),
        ("2612-150802-04-01-318264", "project_date"),  # next month
        ("2605-110000-04-01-318264", "project_region"),
        ("2605-000000-04-01-318264", None),
        ("2605-150802-04-01-31826", "project_shape"),
        ("260515080204013182641234", "project_shape"),
    ],
)
def test_project_codes(code: str, wrong: str | None):
    assert check_project_code(code, on=ON, regions=("15", "000000")) == wrong


def test_unit_numbers():
    assert check_unit_no("150802001001GB00001F00010001", division="150802") is None
    assert check_unit_no("150802001001GB00001F00010001", division="150821") == "unit_division"
    assert check_unit_no("150802001001GB00001X00010001") == "unit_shape"
