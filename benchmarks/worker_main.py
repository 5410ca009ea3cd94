"""A worker in a process of its own: `python -m benchmarks.worker_main <engine> <database url> <folder> <port>`."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from flask import Flask

import portal.tables  # noqa: F401 - registers every table
from portal.kernel.clock import RealClock
from portal.kernel.crypto import init_vault
from portal.kernel.database import init_database
from portal.worker.engines import use_engine
from portal.worker.port import Duties
from providers import make_adapters
from providers.transports.http import HttpDoor


def main(engine: str, database_url: str, folder: str, port: str) -> None:
    """Run until killed."""
    app = Flask("benchmark-worker")
    init_database(app, database_url)
    init_vault(app, Path(folder))
    duties = Duties(make_adapters(HttpDoor()), {}, RealClock(), "bench")
    use_engine(app, engine)(app, duties, port=int(port), stop_event=threading.Event())


if __name__ == "__main__":
    main(*sys.argv[1:])
