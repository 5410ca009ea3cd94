"""The portal and its worker as processes of their own on loopback, and the people of a case at their browsers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import app
from portal.exchange.access import set_access
from portal.kernel.crypto import current_vault
from portal.kernel.database import db, transaction
from portal.kernel.settings import read_settings
from providers.simulator.cases import People, start_case
from providers.simulator.clocks import Clocks
from providers.simulator.people import CASE_ACTS, Agency, Supervisor
from providers.simulator.stage import Stage, free_ports

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).parent / "program"
SAMPLES = ROOT / "tests" / "samples" / "applications"


@dataclass(frozen=True)
class Credentials:
    """What the portal has given one provider."""

    code: str
    utility: str
    name: str
    key: str
    secret: str


@dataclass
class Outside:
    """One provider's program, running in a process that sees nothing but the standard library."""

    credentials: Credentials
    level: str
    journal: Path
    process: subprocess.Popen
    url: str

    def notes(self, what: str, case_no: str | None = None) -> list[dict[str, Any]]:
        """What the program wrote down; with `case_no` only what it wrote about that case."""
        if not self.journal.exists():
            return []
        found = [json.loads(line) for line in self.journal.read_text("utf-8").splitlines()]
        return [n for n in found if n["what"] == what and case_no in (None, n.get("case_no"))]


@dataclass
class Running:
    """A running portal. `stop()` ends every process that was started here."""

    folder: Path
    sample: str = "03"
    outside: dict[str, Outside] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ports = dict(zip(("portal", "worker", "gateway", *app.UTILITIES), free_ports(8), strict=True))
        self.path = next(SAMPLES.glob(f"{self.sample}-*.json"))
        environ = {
            "PORTAL_MODE": "demo",
            "PORTAL_INSTANCE": str(self.folder),
            "PORTAL_BIND": f"127.0.0.1:{ports['portal']}",
            "PORTAL_GATEWAY_URL": f"http://127.0.0.1:{ports['gateway']}",
            "PORTAL_WORKER_PORT": str(ports["worker"]),
            "PORTAL_RETRY_SCALE": "0.001",
        }
        if url := os.environ.get("PORTAL_DATABASE_URL"):
            environ["PORTAL_DATABASE_URL"] = url
        self.settings = read_settings(environ)
        self.config = app.set_up_demo(self.settings, ports, [self.path])
        made = json.loads((self.folder / "simulators.json").read_text("utf-8"))["providers"]
        names = Credentials.__dataclass_fields__
        self.credentials = {row["code"]: Credentials(**{n: row[n] for n in names}) for row in made}
        self.url = self.config.portal_url
        self._stage = Stage(ROOT, {**environ, "GATEWAY_MODE": "sim"}, self.folder / "log")
        self._ports = ports

    def start(self) -> Running:
        python, folder = sys.executable, str(self.folder / "gateway")
        gateway = [python, "-m", "providers.simulator.gateway", "--keys", folder, "--port", str(self._ports["gateway"])]
        self._stage.start("web", [python, "app.py", "web"])
        self._stage.start("worker", [python, "app.py", "worker"])
        self._stage.start("gateway", [*gateway, "--retry-scale", "0.001"])
        self._stage.wait_for(f"{self.url}/healthz")
        return self

    def stop(self) -> None:
        for one in self.outside.values():
            one.process.kill()
            one.process.wait()
            assert one.process.stdout is not None
            one.process.stdout.close()
        self._stage.stop()

    def join(self, code: str, level: str) -> Outside:
        """Start the outside program of a provider and set the provider to this level."""
        credentials = self.credentials[code]
        journal = self.folder / f"{code}.jsonl"
        given = {"portal": self.url, "key": credentials.key, "secret": credentials.secret, "level": level}
        command = [sys.executable, "-I", "-S", str(PROGRAM), json.dumps({**given, "journal": str(journal)})]
        log = (self.folder / f"{code}.log").open("wb")
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env={}, cwd=self.folder)
        log.close()
        assert process.stdout is not None
        url = f"http://127.0.0.1:{int(process.stdout.readline())}"
        self.set_level(credentials, level, url)
        self.outside[code] = Outside(credentials, level, journal, process, url)
        return self.outside[code]

    def set_level(self, credentials: Credentials, level: str, url: str) -> None:
        """Which level a provider is at, and where its address is, as its set-up at the portal would say."""
        with self.database(), transaction() as session:
            set_access(
                session,
                current_vault(),
                provider=credentials.code,
                utility=credentials.utility,
                level=level,  # type: ignore[arg-type]
                push_url=None if level == "pull" else url,
                signing_secrets=[credentials.secret],
            )

    @contextmanager
    def database(self) -> Iterator[None]:
        """The portal's database, looked at from outside its processes."""
        with app.create_app(self.settings).app_context():
            try:
                yield
            finally:
                db.session.remove()
                db.engine.dispose()

    def play(self, limit_s: float = 90) -> Mapping[str, Any]:
        """File and accept; the people do what their pages offer until the case is closed. Answers its record."""
        clocks = Clocks(self.url, (), self.settings.gateway_url)
        supervisor = Supervisor(self.url, self.config.person("supervisor"))
        agency = Agency(self.url, self.config.person("lead_agency"))
        for person in (supervisor, agency):
            person.sign_in()
        now = clocks.look().now
        clocks.tell(now)
        case = start_case(self.config, People(self.config), self.path, now)
        assert case.applicant is not None, case.errors
        assert case.case_no is not None
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            record = supervisor.record(case.case_no)
            if record["stage"] == "closed":
                return record
            page = case.applicant.open_case(case.case_no)
            forms = page.forms_for(*CASE_ACTS)
            cashier = [link for link in page.links if link.act == "cashier"]
            if forms:
                case.applicant.act(forms[0], now)
            elif cashier:
                case.applicant.pay_at(cashier[0].href, now)
            elif not agency.work(now):
                self._stage.check()
                time.sleep(0.2)
        raise AssertionError(f"the case did not close: {[t for t in record['tasks'] if t['state'] != 'done']}")

    def pass_days_until(self, look: Callable[[], list[Any]], limit_s: float = 60) -> list[Any]:
        """Move the demo's calendar from event to event until `look` finds something; what it found."""
        clocks = Clocks(self.url, (), self.settings.gateway_url)
        end = time.monotonic() + limit_s
        while not (found := look()):
            assert time.monotonic() < end, "nothing came"
            now = clocks.look()
            if now.is_idle and now.portal_next:
                clocks.move_to(max(now.portal_next, now.now))
            time.sleep(0.3)
        return found

    def accept(self, application_no: str) -> str:
        """The clerk accepts it; the number of the case."""
        now = Clocks(self.url, (), self.settings.gateway_url).look().now
        return People(self.config).clerk.accept(application_no, now)
