"""`python -m providers.simulator --config file.json [--only water]`: run the provider servers until interrupted."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from providers.simulator.config import UTILITIES, ConfigError, SimulatorConfig, read_config
from providers.simulator.server import UtilityServer


def start_servers(config: SimulatorConfig, only: Sequence[str] = UTILITIES) -> dict[str, UtilityServer]:
    """Start one server per utility in this process; each has looked up what is open for it."""
    servers = {utility: UtilityServer(config, utility) for utility in only}
    for server in servers.values():
        server.start()
    return servers


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m providers.simulator", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON file, see docs/simulators.md")
    parser.add_argument("--only", choices=UTILITIES, action="append", help="run only this utility (may be repeated)")
    parser.add_argument("--catch-up", action="store_true", help="look up open tasks at the portal first")
    options = parser.parse_args(arguments)
    try:
        config = read_config(options.config)
    except (OSError, ValueError, ConfigError) as bad:
        sys.stderr.write(f"{options.config}: {bad}\n")
        return 2
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    servers = start_servers(config, options.only or UTILITIES)
    for utility, server in servers.items():
        sys.stdout.write(f"{utility} {server.url}\n")
        if options.catch_up:
            server.catch_up()
    sys.stdout.flush()
    stop.wait()
    for server in servers.values():
        server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
