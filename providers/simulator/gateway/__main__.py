"""`GATEWAY_MODE=sim python -m providers.simulator.gateway --keys FOLDER [--port 8096] [--retry-scale 1]`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from providers.simulator.gateway.server import start_gateway


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; the exit code."""
    parser = argparse.ArgumentParser(description="payment gateway simulator (loopback only)")
    parser.add_argument("--keys", type=Path, required=True, help="folder with both sides' keys; made if missing")
    parser.add_argument("--port", type=int, default=8096)
    parser.add_argument("--retry-scale", type=float, default=1.0)
    parser.add_argument("--fee-ppm", type=int, default=0, help="the gateway's fee, in millionths of each amount")
    options = parser.parse_args(arguments)
    gateway = start_gateway(
        options.keys,
        environ=os.environ,
        port=options.port,
        retry_scale=options.retry_scale,
        fee_ppm=options.fee_ppm,
    )
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    sys.stdout.write(f"gateway simulator: {gateway.url}\n")
    sys.stdout.flush()
    stop.wait()
    gateway.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
