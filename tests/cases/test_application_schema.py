"""The typed model refuses what the published schema refuses and takes what it takes, for mutations of the samples."""

from __future__ import annotations

import copy
import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import ValidationError

from portal.cases.application import Application
from portal.cases.application_utilities import Gas, Heating, Network, Power, Section, Water

SAMPLES = Path(__file__).parents[1] / "samples"
SCHEMA = json.loads((SAMPLES / "application.schema.json").read_text("utf-8"))
BODIES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((SAMPLES / "applications").glob("*.json"))}

# The schema language leaves formats to the checker; ours are: a real day, a time with offset, something@something.
FORMATS = FormatChecker(formats=())


@FORMATS.checks("date", ValueError)
def _is_date(value: object) -> bool:
    if isinstance(value, str):
        dt.date.fromisoformat(value)
        return re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII) is not None
    return True


@FORMATS.checks("date-time", ValueError)
def _is_instant(value: object) -> bool:
    if not isinstance(value, str):
        return True
    return dt.datetime.fromisoformat(value).tzinfo is not None and len(value) >= 20


@FORMATS.checks("email")
def _is_email(value: object) -> bool:
    return not isinstance(value, str) or re.fullmatch(r"[^@\s]+@[^@\s]+", value, re.ASCII) is not None


VALIDATOR = Draft202012Validator(SCHEMA, format_checker=FORMATS)


def _model_takes(body: object) -> bool:
    try:
        Application.model_validate(body)
    except ValidationError:
        return False
    return True


def _places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document, itself included."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, below in inner for place in _places(below, (*path, key)))]


def _schema_words() -> list[object]:
    """Every value and name the schema mentions: the likeliest to be nearly right somewhere."""
    words: set[object] = set()

    def walk(node: object) -> None:
        if isinstance(node, dict):
            words.update(key for key in node if isinstance(key, str))
            for below in node.values():
                walk(below)
        elif isinstance(node, list):
            for below in node:
                walk(below)
        elif isinstance(node, str | int | float):
            words.add(node)

    walk(SCHEMA["properties"])
    return sorted(words, key=repr)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 400),
    st.floats(-5, 400, allow_nan=False),
    st.sampled_from([15.0, 2.0, 1e6, -0.0, 0, 10**30, 1e300]),
    TEXT,
    st.sampled_from(_schema_words()),
    st.sampled_from(["2027-03-20", "2027-02-30", "20270320", "2027-2028", "13904780001", "a@b", "150802"]),
    st.sampled_from(["2026-11-26T09:00:00+08:00", "2026-11-26T09:00:00", "2026-11-26"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_schema_words()).map(str), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A sample with one to three places replaced, removed, doubled or added to."""
    body = copy.deepcopy(draw(st.sampled_from(list(BODIES.values()))))
    for _ in range(draw(st.integers(1, 3))):
        places = _places(body)
        place = draw(st.sampled_from(places))
        if not place:
            continue
        holder = body
        for key in place[:-1]:
            holder = holder[key]
        how = draw(st.sampled_from(["nudge", "nudge", "replace", "remove", "double", "add"]))
        if how == "remove":
            del holder[place[-1]]
        elif how == "double" and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[place[-1]]))
        elif how == "add" and isinstance(holder, dict):
            holder[str(draw(st.sampled_from(_schema_words())))] = draw(VALUES)
        elif how == "nudge":
            holder[place[-1]] = _nudged(draw, holder[place[-1]])
        else:
            holder[place[-1]] = draw(VALUES)
    return body


def _nudged(draw: st.DrawFn, value: Any) -> Any:
    """Another value of the same type, so that many mutations stay right."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return draw(st.sampled_from([value + 1, value * 2, float(value), value / 3, 0, -value]))
    if isinstance(value, str):
        return draw(
            st.sampled_from([value + "1", value * 2, value[:-1], value.upper(), value.lower(), value[:1] + value])
        )
    return value


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(mutated())
def test_model_and_schema_agree(body: Any):
    problems = [f"{'.'.join(map(str, e.absolute_path))}: {e.message[:120]}" for e in VALIDATOR.iter_errors(body)]
    assert _model_takes(body) == (not problems), problems


@settings(deadline=None)
@given(VALUES)
def test_anything_else_is_refused_by_both(body: Any):
    assert _model_takes(body) == VALIDATOR.is_valid(body)


@pytest.mark.parametrize("name", BODIES)
def test_samples_come_out_as_they_went_in(name: str):
    model = Application.model_validate(BODIES[name])
    assert model.model_dump(mode="json", exclude_unset=True) == BODIES[name]


def test_every_property_has_its_field_and_every_default_is_the_same():
    model = json.loads(json.dumps(Application.model_json_schema()))
    for name, node in SCHEMA["properties"].items():
        assert name in model["properties"], name
        if "default" in node:
            assert Application.model_fields[name].default == node["default"]
    for utility, section in (
        ("power", Power),
        ("water", Water),
        ("gas", Gas),
        ("heating", Heating),
        ("network", Network),
    ):
        node = SCHEMA["properties"]["utilities"]["properties"][utility]
        assert set(section.model_fields) == set(node["properties"])
        assert list(section.NEEDED) == node["x-needed-for-new-increase-temporary"]
        assert issubclass(section, Section)
        for field, inner in node["properties"].items():
            if "default" in inner:
                assert section.model_fields[field].default == inner["default"]
