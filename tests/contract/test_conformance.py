"""The suite for outside providers: passes one that keeps the protocol, names what another one breaks."""

import pytest

from portal.exchange.signatures import new_secret, verify
from portal.kernel.clock import RealClock
from portal.kernel.errors import NotSignedIn
from providers.conformance.__main__ import main
from providers.conformance.checks import CHECKS
from tests.exchange.stub_provider import StubProvider

SECRET = new_secret()


def honest(call, _count):
    try:
        verify(SECRET, call.headers, call.body, RealClock().wire_now())
    except NotSignedIn:
        return 401, {}, b""
    return 202, {}, b"{}"


def test_a_provider_that_keeps_the_protocol_passes(capsys):
    with StubProvider(honest) as stub:
        assert main(["--url", stub.url, "--secret", SECRET, "--key", "k.s"]) == 0
    assert f"{len(CHECKS)} of {len(CHECKS)} passed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("script", "broken"),
    [
        (lambda _c, _n: (202, {}, b""), "refuses_a_foreign_signature"),
        (lambda _c, _n: (500, {}, b""), "takes_a_signed_event"),
        (lambda call, n: honest(call, n) if n == 1 else (409, {}, b""), "takes_a_replay"),
        (lambda call, n: (422, {}, b"") if b"added_later" in call.body else honest(call, n), "ignores_unknown_fields"),
    ],
)
def test_what_is_broken_is_named(capsys, script, broken):
    with StubProvider(script) as stub:
        assert main(["--url", stub.url, "--secret", SECRET]) == 1
    assert f"FAIL  {broken}" in capsys.readouterr().out


def test_nobody_there_fails_every_check(capsys):
    assert main(["--url", "http://127.0.0.1:9", "--secret", SECRET]) == 1
    assert f"0 of {len(CHECKS)} passed" in capsys.readouterr().out
