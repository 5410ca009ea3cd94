"""Composition root: the only file that knows both the portal and the providers. `python app.py` lists the commands."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import Migrate, upgrade

import portal.tables  # noqa: F401 - every wing's tables must be mapped before the first query
from portal.api import register_api
from portal.catalog.reading import CITIES, load_catalog
from portal.exchange.desk_links import link_maker
from portal.journey import delivery, payment, sandbox_checks, setting_up, setting_up_demo
from portal.kernel.attestation import init_attestation
from portal.kernel.audit import verify_audit
from portal.kernel.clock import Clock, RealClock
from portal.kernel.crypto import current_vault, init_vault, load_key
from portal.kernel.database import db, init_database
from portal.kernel.routes import action
from portal.kernel.settings import SettingError, Settings, read_settings
from portal.kernel.simulated_clock import SimulatedClock
from portal.web import register_web
from portal.web.serving import serve
from portal.worker.carrier_schema import update_schema
from portal.worker.duties import Ticks, job_kinds
from portal.worker.engines import ENGINES, use_engine
from portal.worker.port import AlreadyRunning, Duties
from portal.worker.wake import register as register_wake
from providers import make_adapters
from providers.conformance.prober import Prober
from providers.offices.messages import open_duty_phone
from providers.payment import GatewayAdapter, open_gateway
from providers.simulator.demo_config import DemoConfig, SignIn
from providers.simulator.driver import run_demo
from providers.simulator.follow import follow_clock
from providers.simulator.stage import Stage, StageError, free_ports
from providers.transports.http import HttpDoor
from providers.transports.mail import PostOffice

ROOT = Path(__file__).resolve().parent
SAMPLES = ROOT / "tests" / "samples" / "applications"
UTILITIES = ("water", "power", "gas", "heating", "network")
DEMO_SAMPLES = ("01", "02", "03", "04", "05", "06")


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> Flask:
    """The portal as a WSGI application. `settings` default to the environment, `clock` to what the mode asks for."""
    settings = settings or read_settings()
    app = Flask("yikou", root_path=str(ROOT), template_folder="templates", static_folder="static")
    app.config.update(
        SECRET_KEY=load_key(settings.instance / "secrets" / "session.key"),
        MAX_CONTENT_LENGTH=64 * 1024 * 1024,
        PORTAL=settings,
    )
    if settings.mode == "production":
        app.config["TRUSTED_HOSTS"] = [settings.base_url.split("//", 1)[-1].split("/", 1)[0]]
    init_database(app, settings.database_url)
    Migrate(app, db, directory=str(ROOT / "migrations"))
    init_vault(app, settings.instance)
    init_attestation(app, settings.instance)
    gateway = open_gateway(settings.gateway_url, settings.instance / "gateway", settings.base_url)
    payment.use_gateway(app, gateway)
    app.extensions["yikou.gateway_adapter"] = GatewayAdapter(gateway)
    chosen = clock or (SimulatedClock() if settings.mode == "demo" else RealClock())
    csrf = register_web(app, chosen, settings)
    register_api(app, chosen)
    for blueprint in app.blueprints.values():
        if blueprint.name.startswith("api"):
            csrf.exempt(blueprint)  # a bearer key is no cookie: a foreign page cannot send it
    app.view_functions["static"] = action("public.static")(app.view_functions["static"])
    register_wake(settings.worker_port)
    use_engine(app, settings.engine)
    return app


def run_worker_command(settings: Settings, _options: argparse.Namespace) -> int:
    """Deliver, render, settle and watch the clocks until told to stop."""
    app = create_app(settings)
    clock: Clock = SimulatedClock() if settings.mode == "demo" else RealClock()
    delivery.ANSWERED["order"] = payment.apply_delivered
    door = HttpDoor()
    # Whoever opens a sandbox names its address: on a real portal none on this machine may be tried from outside.
    trial_door = HttpDoor(()) if settings.mode == "production" else door
    sandbox_checks.PROBERS[:] = [Prober(trial_door, RealClock().wire_now)]
    post = PostOffice(settings.smtp, link_maker(app.config["SECRET_KEY"], settings.base_url)) if settings.smtp else None
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    duty = open_duty_phone(settings.instance)
    duties = Duties(
        adapters={**make_adapters(door, post), "gateway": app.extensions["yikou.gateway_adapter"], "duty": duty},
        job_kinds=job_kinds(settings.base_url),
        clock=clock,
        owner=settings.worker_name,
        retry_scale=settings.retry_scale,
        tick=Ticks(wire_at=RealClock().wire_now()),
        tick_every_s=0.25 if settings.mode == "demo" else 5.0,
        lease=dt.timedelta(seconds=settings.lease_s),
    )
    ENGINES[settings.engine](app, duties, port=settings.worker_port, stop_event=stop)
    return 0


def init_command(settings: Settings, _options: argparse.Namespace) -> int:
    """Make or upgrade the database and load the city's catalog."""
    app = create_app(settings)
    with app.app_context():
        upgrade(str(ROOT / "migrations"))
        if not settings.is_sqlite:
            update_schema(db.engine)
        is_new = setting_up.set_up_city(load_catalog(CITIES / settings.city), at=RealClock().wire_now())
    print("catalog loaded" if is_new else "catalog up to date")
    return 0


def verify_audit_command(settings: Settings, _options: argparse.Namespace) -> int:
    """Check the audit chain; name the first bad row and the unsealed tail."""
    with create_app(settings).app_context():
        verdict = verify_audit(db.session())
    print(f"sealed {verdict.sealed}, not sealed yet {verdict.unsealed_tail}, head {verdict.head}")
    if not verdict.ok:
        print(f"first bad row: {verdict.first_bad}: {verdict.reason}")
    return 0 if verdict.ok else 1


def run_command(settings: Settings, _options: argparse.Namespace) -> int:
    """Portal, worker, five provider simulators and the gateway on 127.0.0.1 until Ctrl-C."""
    ports = {"portal": 8080, "worker": 8079, "gateway": 8096, **dict(zip(UTILITIES, range(8091, 8096), strict=True))}
    files = sorted(SAMPLES.glob("*.json"))
    with demo_stage(settings.instance, ports, files) as (config, stage):
        print(f"\n一口办: {config.portal_url}\n")
        for name, url in {**config.simulator_urls, "gateway": config.gateway_url}.items():
            print(f"  {name:<10} {url}/sim/state")
        print("\n  演示账号 demo sign-ins")
        for person in config.people:
            print(f"  {person.role:<16} {person.login:<28} {person.password}  {person.subject}")
        print("\nCtrl-C stops everything.", flush=True)
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        threading.Thread(target=follow_clock, args=(config, stop), daemon=True).start()
        while not stop.wait(0.5):
            stage.check()
    return 0


def demo_command(settings: Settings, options: argparse.Namespace) -> int:
    """The main job without a browser: file, fan out, reply, build, bill, pay, split, settle, reconcile."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ended from outside, the processes we started end too
    files = [Path(name) for name in options.applications]
    files = files or [path for path in sorted(SAMPLES.glob("*.json")) if path.name[:2] in DEMO_SAMPLES]
    missing = [str(path) for path in files if not path.is_file()]
    if missing:
        print(f"no such application file: {', '.join(missing)}", file=sys.stderr)
        return 2
    work = ROOT / "out" / "demo-instance" / secrets.token_hex(4)
    names = ("portal", "worker", "gateway", *UTILITIES)
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    with demo_stage(work, ports, files, faults=options.faults) as (config, _stage):
        return run_demo(config)


@contextmanager
def demo_stage(
    instance: Path, ports: Mapping[str, int], files: Sequence[Path], *, faults: bool = False
) -> Iterator[tuple[DemoConfig, Stage]]:
    """Set up a demo portal in `instance` and start all its processes; they end with the context."""
    environ = {
        "PORTAL_MODE": "demo",
        "PORTAL_INSTANCE": str(instance),
        "PORTAL_BIND": f"127.0.0.1:{ports['portal']}",
        "PORTAL_GATEWAY_URL": f"http://127.0.0.1:{ports['gateway']}",
        "PORTAL_WORKER_PORT": str(ports["worker"]),
    }
    if url := os.environ.get("PORTAL_DATABASE_URL"):
        environ["PORTAL_DATABASE_URL"] = url
    settings = read_settings(environ)
    config = set_up_demo(settings, ports, files, faults=faults)
    stage = Stage(ROOT, {**os.environ, **environ, "GATEWAY_MODE": "sim"}, instance / "log")
    python = sys.executable
    simulators = [python, "-m", "providers.simulator", "--config", str(instance / "simulators.json"), "--catch-up"]
    gateway = [python, "-m", "providers.simulator.gateway", "--keys", str(instance / "gateway")]
    try:
        stage.start("web", [python, "app.py", "web"])
        stage.start("worker", [python, "app.py", "worker"])
        stage.start("gateway", [*gateway, "--port", str(ports["gateway"]), "--retry-scale", str(settings.retry_scale)])
        stage.wait_for(f"{config.portal_url}/healthz")
        stage.start("simulators", simulators)
        for url in (*config.simulator_urls.values(), config.gateway_url):
            stage.wait_for(f"{url}/sim/state")
        yield config, stage
    finally:
        stage.stop()


def set_up_demo(
    settings: Settings, ports: Mapping[str, int], files: Sequence[Path], *, faults: bool = False
) -> DemoConfig:
    """Database, catalog, people and keys of a demo; what was made before in the same instance is kept and reread."""
    kept = settings.instance / "demo.json"
    if not kept.exists():
        settings.instance.mkdir(parents=True, exist_ok=True, mode=0o700)
        init_command(settings, argparse.Namespace())
        kept.touch(mode=0o600)
        kept.write_text(json.dumps(_make_demo(settings, ports, files)), encoding="utf-8")
    made = json.loads(kept.read_text(encoding="utf-8"))
    return DemoConfig(
        portal_url=settings.base_url,
        simulator_urls={utility: f"http://127.0.0.1:{ports[utility]}" for utility in UTILITIES},
        gateway_url=settings.gateway_url,
        people=tuple(SignIn(**person) for person in made["people"]),
        gov_portal_key=made["gov_portal_key"],
        applications=tuple(files),
        out_dir=ROOT / "out" / "demo",
        faults=faults,
    )


def _make_demo(settings: Settings, ports: Mapping[str, int], files: Sequence[Path]) -> dict[str, Any]:
    catalog = load_catalog(CITIES / settings.city)
    with create_app(settings).app_context():
        made = setting_up_demo.set_up_demo(
            current_vault(),
            catalog,
            bodies=[_read_body(path) for path in files],
            push_url=lambda provider: f"http://127.0.0.1:{ports[provider.utility]}/p/{provider.code}",
            wire_at=RealClock().wire_now(),
        )
    simulators = {
        "portal_url": settings.base_url,
        "ports": {utility: ports[utility] for utility in UTILITIES},
        "closed_on": [day.isoformat() for year in catalog.calendar_days for day in year.rest],
        "providers": [asdict(provider) for provider in made.providers],
    }
    target = settings.instance / "simulators.json"
    target.touch(mode=0o600)
    target.write_text(json.dumps(simulators, ensure_ascii=False), encoding="utf-8")
    return {"people": made.people, "gov_portal_key": made.gov_portal_key}


def _read_body(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None  # filing it will say what is wrong


def web_command(settings: Settings, options: argparse.Namespace) -> int:
    """Serve the pages and the API."""
    serve("app:create_app", settings, server=options.server)
    return 0


COMMANDS: dict[str, tuple[str, Callable[[Settings, argparse.Namespace], int]]] = {
    "run": ("portal, worker and simulators with demo data on this machine", run_command),
    "demo": ("the main job end to end, without a browser", demo_command),
    "init": ("make or upgrade the database and load the city's catalog", init_command),
    "web": ("serve pages and API", web_command),
    "worker": ("deliver, render, settle, watch the clocks", run_worker_command),
    "verify-audit": ("check the audit chain", verify_audit_command),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Answers the exit code."""
    parser = argparse.ArgumentParser(prog="python app.py", description="一口办: the joint utility portal")
    commands = parser.add_subparsers(dest="command", metavar="command")
    for name, (text, _) in COMMANDS.items():
        command = commands.add_parser(name, help=text)
        if name == "demo":
            command.add_argument("applications", nargs="*", help="application files (default: the city's samples)")
            command.add_argument("--faults", action="store_true", help="with every fault switch at work")
        if name == "web":
            command.add_argument("--server", choices=("granian", "waitress"), default="granian")
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 2
    try:
        return COMMANDS[options.command][1](read_settings(), options)
    except (SettingError, StageError, AlreadyRunning) as wrong:
        print(wrong, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
