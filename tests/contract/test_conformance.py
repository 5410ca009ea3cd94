"""The suite for outside providers: passes one that keeps the protocol, names what another one breaks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from portal.exchange.conformance.judging import JUDGES
from portal.exchange.conformance.promises import BY_ID, LEVELS, PROMISES, promises_for
from portal.exchange.signatures import new_secret, verify
from portal.kernel.clock import RealClock
from portal.kernel.errors import NotSignedIn
from providers.conformance.__main__ import main
from providers.conformance.checks import CHECKS
from providers.simulator.config import parse_config
from providers.simulator.server import UtilityServer
from providers.simulator.stage import free_ports
from tests.exchange.stub_provider import StubProvider

SECRET = new_secret()
PROGRAM = Path(__file__).parents[1] / "outside" / "program"
MAX_BODY = 2 * 1024 * 1024


def refuses(call, secret: str = SECRET) -> int | None:
    try:
        verify(secret, call.headers, call.body, RealClock().wire_now())
    except NotSignedIn:
        return 401
    return 413 if len(call.body) > MAX_BODY else None


def honest(call, _count=0):
    return refuses(call) or 202, {}, b"{}"


class Holding:
    """A two-way provider: keeps the newest revision of each task by its first id, gives it back when asked signed."""

    secret = SECRET

    def __init__(self, *, by_revision: bool = True, by_id: bool = True, is_checked: bool = True) -> None:
        self.by_revision, self.by_id, self.is_checked = by_revision, by_id, is_checked
        self.held, self.seen = {}, set()

    def __call__(self, call, _count):
        if status := refuses(call, self.secret):
            return status if self.is_checked or call.method == "POST" else self.give(call), {}, b"{}"
        if call.method == "GET":
            document = self.held.get(call.path.rpartition("/")[2])
            return 200 if document else 404, {}, json.dumps(document or {}).encode()
        self.take(call.headers["webhook-id"], json.loads(call.body)["data"])
        return 202, {}, b"{}"

    def give(self, _call) -> int:
        return 200

    def take(self, name, document):
        known = self.held.get(document.get("task_id"), {"revision": 0})
        is_new = name not in self.seen or not self.by_id
        self.seen.add(name)
        if "task_id" in document and is_new and (document["revision"] >= known["revision"] or not self.by_revision):
            self.held[document["task_id"]] = document


def run(script, *more: str, capsys=None) -> int:
    with StubProvider(script) as stub:
        return main(["--url", stub.url, "--secret", SECRET, "--key", "k.s", *more])


def test_every_promise_is_looked_at_and_every_look_is_a_promise():
    assert len(BY_ID) == len(PROMISES)
    assert {p.id for p in PROMISES if p.side in ("takes", "holds")} == set(CHECKS)
    assert {p.id for p in PROMISES if p.side == "calls"} == set(JUDGES)
    for promise in PROMISES:
        assert all((promise.title, promise.english, promise.why, promise.mend, promise.levels)), promise.id
    assert all(promises_for(level) for level in LEVELS)


def test_a_provider_that_keeps_the_protocol_passes(capsys, tmp_path):
    card = tmp_path / "card.json"
    assert run(honest, "--json", str(card)) == 0
    written = json.loads(card.read_text("utf-8"))
    assert (written["protocol"], written["level"], written["failed"]) == ("v1", "push", [])
    assert (written["passed"], written["complete"]) == (True, False)
    results = {row["promise"]: row["result"] for row in written["promises"]}
    assert {results[p.id] for p in promises_for("push") if p.side == "takes"} == {"pass"}
    assert {results[p.id] for p in promises_for("push") if p.side == "calls"} == {"open"}
    assert "takes_a_signed_event" in capsys.readouterr().out


def test_a_two_way_provider_is_read_back():
    assert run(Holding(), "--level", "two_way") == 0


@pytest.mark.parametrize(
    ("script", "broken", "level"),
    [
        (lambda _c, _n: (202, {}, b""), "refuses_a_foreign_signature", "push"),
        (lambda _c, _n: (202, {}, b""), "refuses_an_old_message", "push"),
        (lambda _c, _n: (202, {}, b""), "refuses_an_unsigned_message", "push"),
        (lambda _c, _n: (202, {}, b""), "refuses_an_altered_body", "push"),
        (lambda _c, _n: (500, {}, b""), "takes_a_signed_event", "push"),
        (lambda c, _n: (500, {}, b"") if b"test.ping" in c.body else honest(c), "takes_test_ping", "push"),
        (lambda c, n: honest(c) if n == 1 else (409, {}, b""), "takes_a_replay", "push"),
        (lambda c, n: honest(c) if n == 1 else (500, {}, b""), "survives_one_id_with_another_body", "push"),
        (lambda c, _n: (422, {}, b"") if b'"x": [1' in c.body else honest(c), "ignores_unknown_fields", "push"),
        (lambda c, _n: (413, {}, b"") if len(c.body) > 65_536 else honest(c), "takes_a_large_event", "push"),
        (lambda c, _n: (401, {}, b"") if " " in c.headers.get("webhook-signature", "") else honest(c),
         "takes_two_signatures", "push"),
        (lambda c, _n: (409, {}, b"") if b'"revision": 1' in c.body and b"task.changed" in c.body else honest(c),
         "takes_revisions_out_of_order", "push"),
        (honest, "reads_back", "two_way"),
        (Holding(is_checked=False), "refuses_an_unsigned_read_back", "two_way"),
        (Holding(by_revision=False), "takes_revisions_out_of_order", "two_way"),
        (Holding(by_id=False), "survives_one_id_with_another_body", "two_way"),
    ],
)  # fmt: skip
def test_what_is_broken_is_named_with_the_way_to_mend_it(capsys, script, broken, level):
    assert run(script, "--level", level) == 1
    out = capsys.readouterr().out
    assert f"FAIL   {broken}" in out
    assert BY_ID[broken].mend in out


def test_advice_alone_fails_nobody(capsys):
    def swallows(call, _count):
        return (401 if refuses(call) == 401 else 202), {}, b"{}"

    assert run(swallows) == 0
    assert "advice bounds_bodies" in capsys.readouterr().out


def test_nobody_there_keeps_no_promise(capsys):
    assert main(["--url", "http://127.0.0.1:9", "--secret", SECRET]) == 1
    assert (
        f"0 of {sum(p.side == 'takes' for p in promises_for('push'))} passed, 8 not looked at"
        in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    "wrong",
    [["--level", "pull"], ["--level", "push"], ["--url", "http://127.0.0.1:9", "--listen", "127.0.0.1:0"]],
)
def test_a_wrong_command_line_says_what_is_missing(capsys, wrong):
    with pytest.raises(SystemExit) as ended:
        main([*wrong, "--secret", SECRET])
    assert ended.value.code == 2
    assert "--" in capsys.readouterr().err


@pytest.mark.parametrize("level", LEVELS)
def test_a_whole_system_passes_with_everything_looked_at(tmp_path, level, capsys):
    (port,) = free_ports(1)
    given = {"portal": f"http://127.0.0.1:{port}", "key": "k1.s1", "secret": SECRET, "level": level}
    program = [sys.executable, "-I", "-S", str(PROGRAM), json.dumps({**given, "journal": str(tmp_path / "j")})]
    with subprocess.Popen(program, stdout=subprocess.PIPE, env={}) as process:
        assert process.stdout is not None
        address = ["--url", f"http://127.0.0.1:{int(process.stdout.readline())}"] if level != "pull" else []
        command = [*address, "--secret", SECRET, "--key", "k1.s1", "--level", level, "--wait", "40"]
        code = main([*command, "--listen", f"127.0.0.1:{port}"])
        process.kill()
    assert code == 0, capsys.readouterr().out


@pytest.mark.parametrize("level", ["push", "two_way"])
def test_the_simulated_providers_pass_too(level, capsys):
    provider = {"code": "water-linhe", "utility": "water", "name": "供水", "key": "k.s", "secret": SECRET}
    config = {"portal_url": "http://127.0.0.1:9", "ports": {"water": 0}, "providers": [provider]}
    server = UtilityServer(parse_config(config), "water")
    server.start()
    try:
        address = ["--url", f"{server.url}/p/water-linhe", "--secret", SECRET, "--provider", "water-linhe"]
        assert main([*address, "--level", level]) == 0, capsys.readouterr().out
    finally:
        server.stop()
