"""Try a provider's system against the provider protocol and print a score card.

Exit code 0 when no promise that was looked at is broken, 1 when one is, 2 for a wrong command line. With --listen this
command also stands in for the portal: tell your system to call that address, and its reports are tried as well.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from portal.exchange.conformance.promises import LEVELS
from portal.exchange.signatures import check_secret
from portal.kernel.clock import RealClock
from providers.conformance.checks import Target, run_checks
from providers.conformance.score_card import readable, score_card
from providers.conformance.stand_in_server import StandInPortal
from providers.transports.addresses import LOOPBACK
from providers.transports.http import HttpDoor


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the card, write it as JSON where asked."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if problem := _problem(given):
        parser.error(problem)
    networks = (*LOOPBACK, *given.network)
    target = Target(
        given.url or "", (given.secret,), HttpDoor(networks), RealClock().wire_now, given.level, given.provider
    )
    # The portal stands before anything is sent: a system may look the task up at once.
    with _portal(given, target) as portal:
        findings = run_checks(target) if given.url else []
        findings += portal.watch(given.wait) if portal else []
    card = score_card(findings, given.level, url=given.url, at=RealClock().wire_now())
    sys.stdout.write(readable(card))
    if given.json:
        given.json.write_text(json.dumps(card, ensure_ascii=False, indent=1), encoding="utf-8")
    return 0 if card["passed"] and (card["complete"] or not given.listen) else 1


@contextmanager
def _portal(given: argparse.Namespace, target: Target) -> Iterator[StandInPortal | None]:
    if not given.listen:
        yield None
        return
    host, _, port = given.listen.rpartition(":")
    portal = StandInPortal(host or "127.0.0.1", int(port), key=given.key, target=target, provider=given.provider)
    sys.stdout.write(f"portal for your system: {portal.url}\n")
    sys.stdout.flush()
    try:
        yield portal
    finally:
        portal.stop()


def _problem(given: argparse.Namespace) -> str | None:
    if given.level != "pull" and not given.url:
        return f"level {given.level} has an address: give --url"
    if given.level == "pull" and not given.listen:
        return "level pull is tried by what your system calls: give --listen"
    if given.listen and (not given.key or not given.listen.rpartition(":")[2].isdigit()):
        return "--listen is HOST:PORT and needs the --key your system will use"
    return None


def _secret(text: str) -> str:
    try:
        check_secret(text)
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from wrong
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m providers.conformance", description=__doc__)
    parser.add_argument("--url", help="where your system takes messages (push and two_way)")
    parser.add_argument("--secret", required=True, type=_secret, help="the signing secret, whsec_…")
    parser.add_argument("--key", help="the bearer key your system uses; needed with --listen")
    parser.add_argument("--level", choices=LEVELS, default="push")
    parser.add_argument("--listen", metavar="HOST:PORT", help="stand in for the portal here; port 0 takes a free one")
    parser.add_argument("--wait", type=float, default=60.0, help="seconds to watch your system's calls (default 60)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the score card as JSON as well")
    parser.add_argument("--provider", default="sandbox", help="the provider code your system goes by")
    parser.add_argument(
        "--network",
        action="append",
        default=[],
        type=ipaddress.ip_network,
        help="a network the URL may lie in, as in 10.0.0.0/8",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
