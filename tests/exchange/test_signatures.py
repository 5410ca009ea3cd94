"""Signatures: agree with the reference library, survive every hostile input, and accept nothing altered."""

import base64
import datetime as dt
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from portal.exchange.signatures import ID, SIGNATURE, TIMESTAMP, check_secret, new_secret, sign, verify
from portal.kernel.errors import NotSignedIn

NOW = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
SECRET = new_secret()
BODY = '{"kind": "received", "operator": "李"}'.encode()
MUTANTS = 200_000 if os.environ.get("PORTAL_SOAK") else 4_000


def refused(headers, body=BODY, now=NOW, secrets=SECRET) -> bool:
    try:
        verify(secrets, headers, body, now)
    except NotSignedIn as error:
        assert error.code == "bad_signature"
        return True
    return False


def test_what_is_signed_verifies_and_names_its_id():
    headers = sign(SECRET, "msg_1", NOW, BODY)
    assert verify(SECRET, headers, BODY, NOW) == "msg_1"


def test_the_reference_library_makes_the_same_signature():
    headers = sign(SECRET, "msg_1", NOW, BODY)
    theirs = Webhook(SECRET).sign("msg_1", NOW, BODY.decode())
    assert headers[SIGNATURE] == theirs


def test_harmless_changes_still_pass():
    headers = {name.upper(): value for name, value in sign(SECRET, "msg_1", NOW, BODY).items()}
    assert not refused(headers)
    headers = sign(SECRET, "msg_1", NOW, BODY)
    assert not refused({**headers, "other": "x"})
    assert not refused({**headers, SIGNATURE: "v1a,xyz " + headers[SIGNATURE]})


def test_both_secrets_are_good_while_one_rotates():
    new = new_secret()
    assert not refused(sign([new, SECRET], "m", NOW, BODY), secrets=new)
    assert not refused(sign(SECRET, "m", NOW, BODY), secrets=[new, SECRET])
    assert refused(sign(SECRET, "m", NOW, BODY), secrets=new)
    assert refused(sign(SECRET, "m", NOW, BODY), secrets=[])


@pytest.mark.parametrize(
    ("seconds", "is_refused"), [(0, False), (300, False), (301, True), (-300, False), (-301, True)]
)
def test_the_time_is_good_for_five_minutes_either_way(seconds, is_refused):
    headers = sign(SECRET, "m", NOW + dt.timedelta(seconds=seconds), BODY)
    assert refused(headers) is is_refused


@pytest.mark.parametrize("bad", ["a.b", "", "a b", "é", "a" * 65, "a\n", "a\u0660"])
def test_an_id_with_dots_or_anything_odd_is_neither_signed_nor_taken(bad):
    with pytest.raises(ValueError, match="webhook-id"):
        sign(SECRET, bad, NOW, BODY)
    headers = sign(SECRET, "ok", NOW, BODY)
    assert refused({**headers, ID: bad})


@pytest.mark.parametrize("bad", ["whsec_", "whsec_!!", "abc", base64.b64encode(b"x" * 32).decode(), "whsec_" + "A" * 8])
def test_a_malformed_secret_is_named_as_such(bad):
    with pytest.raises(ValueError, match="whsec_"):
        check_secret(bad)


VALID = sign(SECRET, "msg_1", NOW, BODY)
_noise = st.text(max_size=40) | st.sampled_from(
    [
        "",
        "v1,",
        "v1",
        ",",
        " ",
        "v1, ",
        "NaN",
        "1e9",
        "1.5",
        "-1",
        "9" * 400,
        "٣",
        "\x00",
        "\ud800",
        "v1,=" * 30,
        "v1," + "é",
    ]
)


@st.composite
def mutants(draw):
    """A valid request with one part replaced, cut, flipped or signed with another key."""
    headers, body = dict(VALID), bytearray(BODY)
    how = draw(st.sampled_from(["header", "drop", "flip", "cut", "grow", "bit", "key", "time", "swap"]))
    name = draw(st.sampled_from([ID, TIMESTAMP, SIGNATURE]))
    at = draw(st.integers(0, len(body) - 1))
    if how == "header":
        headers[name] = draw(_noise)
    elif how == "drop":
        del headers[name]
    elif how == "flip":
        body[at] ^= draw(st.integers(1, 255))
    elif how == "cut":
        body = body[:at]
    elif how == "grow":
        body += draw(st.binary(min_size=1, max_size=8))
    elif how == "bit":
        value = headers[name]
        where = draw(st.integers(0, len(value) - 1))
        headers[name] = value[:where] + draw(st.characters()) + value[where + 1 :]
    elif how == "key":
        headers = sign(
            "whsec_" + base64.b64encode(draw(st.binary(min_size=24, max_size=64))).decode(), "msg_1", NOW, BODY
        )
    elif how == "time":
        headers[TIMESTAMP] = draw(st.integers(-(10**12), 10**12).map(str) | st.floats().map(str))
    else:
        headers[ID], headers[TIMESTAMP] = headers[TIMESTAMP], headers[ID]
    return headers, bytes(body)


@settings(max_examples=MUTANTS, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutants())
def test_no_mutant_is_accepted_and_none_raises_anything_else(mutant):
    headers, body = mutant
    if headers == VALID and body == BODY:
        return
    assert refused(headers, body)
