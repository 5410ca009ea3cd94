"""`python -m providers.conformance --url … --secret …`: run the suite against a provider and print a score card."""

from __future__ import annotations

import argparse
import ipaddress
import sys
from collections.abc import Sequence

from portal.kernel.clock import RealClock
from providers.conformance.checks import Target, run_checks
from providers.transports.addresses import LOOPBACK
from providers.transports.http import HttpDoor


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every check passed."""
    parser = argparse.ArgumentParser(prog="python -m providers.conformance", description=__doc__)
    parser.add_argument("--url", required=True, help="where the provider takes messages")
    parser.add_argument("--secret", required=True, help="the provider's signing secret, whsec_…")
    parser.add_argument("--key", help="the provider's bearer key (for the calls it makes; not needed here)")
    parser.add_argument("--network", action="append", default=[], help="a network the URL may lie in, as in 10.0.0.0/8")
    given = parser.parse_args(arguments)
    networks = (*LOOPBACK, *(ipaddress.ip_network(text) for text in given.network))
    results = run_checks(Target(given.url, given.secret, HttpDoor(networks), RealClock().wire_now))
    for result in results:
        mark = "pass" if result.is_passed else "FAIL"
        sys.stdout.write(f"{mark}  {result.check}: {result.promise}{result.found and f' Found: {result.found}'}\n")
    passed = sum(result.is_passed for result in results)
    sys.stdout.write(f"{passed} of {len(results)} passed\n")
    return 0 if passed == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
