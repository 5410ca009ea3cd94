"""Settings, all from the environment with the prefix `PORTAL_`. A wrong value stops the start and names itself."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

Mode = Literal["demo", "dev", "production"]
EngineName = Literal["embedded", "procrastinate"]
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class SettingError(ValueError):
    """A setting has a value the portal cannot run with; the message names it and says what would do."""


@dataclass(frozen=True, slots=True)
class Smtp:
    """The mail server that takes our letters; `sender` is also the host part of their ids."""

    host: str
    port: int
    sender: str
    tls: Literal["starttls", "tls", "none"]
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """What one running portal needs to know. Paths are absolute."""

    mode: Mode = "dev"
    bind: str = "127.0.0.1:8080"
    database_url: str = ""
    instance: Path = field(default_factory=lambda: Path.cwd() / "instance")
    base_url: str = ""
    retry_scale: float = 1.0
    gateway_url: str = "http://127.0.0.1:8096"
    worker_port: int = 8079
    worker_name: str = "worker"
    engine: EngineName = "embedded"
    lease_s: float = 30.0
    city: str = "150800"
    api_per_minute: int = 6000
    smtp: Smtp | None = None

    @property
    def is_sqlite(self) -> bool:
        """Whether the embedded database is used."""
        return self.database_url.startswith("sqlite")


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from `environ` (default: the process environment). Raises SettingError naming the bad one."""
    env = os.environ if environ is None else environ
    mode = env.get("PORTAL_MODE", "dev")
    if mode not in ("demo", "dev", "production"):
        raise SettingError(f"PORTAL_MODE is {mode!r}; use demo, dev or production")
    bind = env.get("PORTAL_BIND", "127.0.0.1:8080")
    host, _, port = bind.rpartition(":")
    if not host or not port.isdigit():
        raise SettingError(f"PORTAL_BIND is {bind!r}; write host:port, as in 127.0.0.1:8080")
    if mode != "production" and host not in _LOOPBACK:
        raise SettingError(f"PORTAL_BIND is {bind!r}; only PORTAL_MODE=production may leave the loopback address")
    instance = Path(env.get("PORTAL_INSTANCE", Path.cwd() / "instance")).resolve()
    database_url = env.get("PORTAL_DATABASE_URL") or f"sqlite:///{instance / f'yikou-{mode}.db'}"
    worker_port = int(_positive(env, "PORTAL_WORKER_PORT", 8079))
    return Settings(
        mode=cast(Mode, mode),
        bind=bind,
        database_url=database_url,
        instance=instance,
        base_url=env.get("PORTAL_BASE_URL", f"http://{bind}").rstrip("/"),
        retry_scale=_positive(env, "PORTAL_RETRY_SCALE", 0.001 if mode == "demo" else 1.0),
        gateway_url=env.get("PORTAL_GATEWAY_URL", "http://127.0.0.1:8096").rstrip("/"),
        worker_port=worker_port,
        # Two workers of one name would give back each other's leases: the machine is part of it.
        worker_name=(env.get("PORTAL_WORKER_NAME") or f"{socket.gethostname()}-{worker_port}")[:80],
        engine=_engine(env.get("PORTAL_ENGINE"), database_url),
        lease_s=_positive(env, "PORTAL_LEASE_S", 30.0),
        city=env.get("PORTAL_CITY", "150800"),
        api_per_minute=int(_positive(env, "PORTAL_API_PER_MINUTE", 6000)),
        smtp=_read_smtp(env),
    )


def _read_smtp(env: Mapping[str, str]) -> Smtp | None:
    host = env.get("PORTAL_SMTP_HOST", "")
    if not host:
        return None
    tls = env.get("PORTAL_SMTP_TLS", "none" if host in _LOOPBACK else "starttls")
    if tls not in ("starttls", "tls", "none") or (tls == "none" and host not in _LOOPBACK):
        raise SettingError(f"PORTAL_SMTP_TLS is {tls!r}; use starttls or tls (none: only for this machine)")
    sender = env.get("PORTAL_SMTP_SENDER", "")
    if not re.fullmatch(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+", sender):
        raise SettingError(f"PORTAL_SMTP_SENDER is {sender!r}; write the address letters come from")
    return Smtp(
        host=host,
        port=int(_positive(env, "PORTAL_SMTP_PORT", 465 if tls == "tls" else 587)),
        sender=sender,
        tls=cast(Literal["starttls", "tls", "none"], tls),
        user=env.get("PORTAL_SMTP_USER", ""),
        password=env.get("PORTAL_SMTP_PASSWORD", ""),
    )


def _engine(name: str | None, database_url: str) -> EngineName:
    if not name:
        return "embedded" if database_url.startswith("sqlite") else "procrastinate"
    if name not in ("embedded", "procrastinate"):
        raise SettingError(f"PORTAL_ENGINE is {name!r}; use embedded or procrastinate")
    if name == "procrastinate" and database_url.startswith("sqlite"):
        raise SettingError("PORTAL_ENGINE=procrastinate needs PostgreSQL; set PORTAL_DATABASE_URL=postgresql://…")
    return cast(EngineName, name)


def _positive(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = 0
    if value <= 0:
        raise SettingError(f"{name} is {text!r}; use a number above 0")
    return value
