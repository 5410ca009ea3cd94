"""Signatures: agree with the reference library, survive every hostile input, and accept nothing altered."""

import base64
import datetime as dt
import hashlib
import hmac
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
        return error.code == "bad_signature"
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


@pytest.mark.parametrize("name", ["water-1:report:7", "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", "a+b/c==", "x" * 128])
def test_a_provider_may_name_its_messages_as_it_likes_without_dots(name):
    seconds = str(int(NOW.timestamp()))
    digest = hmac.new(check_secret(SECRET), f"{name}.{seconds}.".encode() + BODY, hashlib.sha256).digest()
    headers = {ID: name, TIMESTAMP: seconds, SIGNATURE: "v1," + base64.b64encode(digest).decode()}
    assert verify(SECRET, headers, BODY, NOW) == name


@pytest.mark.parametrize("bad", ["a.b", "", "a b", "é", "a" * 129, "a\n", "a\u0660", "a\x7f"])
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


_names = st.sampled_from([ID, TIMESTAMP, SIGNATURE])
_keys = st.binary(min_size=24, max_size=64).map(lambda key: "whsec_" + base64.b64encode(key).decode())
_times = st.integers(-(10**12), 10**12).map(str) | st.floats().map(str)


def _respell(name, where, character):
    value = VALID[name]
    where %= len(value)
    return {**VALID, name: value[:where] + character + value[where + 1 :]}


def _flip(at, mask):
    body = bytearray(BODY)
    body[at % len(body)] ^= mask
    return bytes(body)


# A valid request with one part replaced, cut, flipped, or signed with another key.
mutants = st.one_of(
    st.builds(lambda name, value: ({**VALID, name: value}, BODY), _names, _noise),
    st.builds(lambda gone: ({name: value for name, value in VALID.items() if name != gone}, BODY), _names),
    st.builds(lambda name, at, new: (_respell(name, at, new), BODY), _names, st.integers(0, 99), st.characters()),
    st.builds(lambda at, mask: (VALID, _flip(at, mask)), st.integers(0, 99), st.integers(1, 255)),
    st.builds(lambda at: (VALID, BODY[:at]), st.integers(0, len(BODY) - 1)),
    st.builds(lambda more: (VALID, BODY + more), st.binary(min_size=1, max_size=8)),
    st.builds(lambda key: (sign(key, "msg_1", NOW, BODY), BODY), _keys),
    st.builds(lambda time: ({**VALID, TIMESTAMP: time}, BODY), _times),
    st.just(({**VALID, ID: VALID[TIMESTAMP], TIMESTAMP: VALID[ID]}, BODY)),
)


@settings(max_examples=MUTANTS, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutants)
def test_no_mutant_is_accepted_and_none_raises_anything_else(mutant):
    headers, body = mutant
    assert refused(headers, body) or (headers, body) == (VALID, BODY)
