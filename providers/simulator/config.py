"""What a run of the provider servers needs to know, read from one JSON file."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from providers.simulator.signing import key_bytes

UTILITIES = ("water", "power", "gas", "heating", "network")
DEFAULT_PORTS: Mapping[str, int] = {"water": 8091, "power": 8092, "gas": 8093, "heating": 8094, "network": 8095}


class ConfigError(ValueError):
    """The configuration cannot be used; the message names the field."""


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """One provider: its code, its bearer key for the portal's API and the shared webhook secret."""

    code: str
    utility: str
    name: str
    key: str
    secret: str


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """All providers of one run. `ports` may be 0 for any free port; `closed_on` are working days off (holidays)."""

    portal_url: str
    providers: tuple[ProviderConfig, ...]
    ports: Mapping[str, int] = field(default_factory=lambda: dict(DEFAULT_PORTS))
    closed_on: frozenset[dt.date] = frozenset()

    def of_utility(self, utility: str) -> tuple[ProviderConfig, ...]:
        """The providers that one server hosts."""
        return tuple(p for p in self.providers if p.utility == utility)


def read_config(path: Path) -> SimulatorConfig:
    """The configuration in `path`. Raises ConfigError naming the field."""
    return parse_config(json.loads(path.read_text(encoding="utf-8")))


def parse_config(raw: Mapping[str, Any]) -> SimulatorConfig:
    """`{portal_url, pace?, ports?, closed_on?, providers: [{code, utility, name, key, secret}]}` checked."""
    if raw.get("pace", "simulated") != "simulated":
        raise ConfigError("pace: only 'simulated' exists; business time is told by POST /sim/clock")
    url = str(raw.get("portal_url", "")).rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise ConfigError("portal_url: an http address is needed")
    providers = tuple(_provider(i, entry) for i, entry in enumerate(raw.get("providers", ())))
    if len({p.code for p in providers}) != len(providers):
        raise ConfigError("providers: a code stands there twice")
    ports = {**DEFAULT_PORTS, **{str(k): int(v) for k, v in raw.get("ports", {}).items()}}
    closed = frozenset(dt.date.fromisoformat(day) for day in raw.get("closed_on", ()))
    return SimulatorConfig(url, providers, ports, closed)


def _provider(index: int, entry: Mapping[str, Any]) -> ProviderConfig:
    values = {name: str(entry.get(name, "")) for name in ("code", "utility", "name", "key", "secret")}
    for name, value in values.items():
        if not value:
            raise ConfigError(f"providers.{index}.{name}: missing")
    if values["utility"] not in UTILITIES:
        raise ConfigError(f"providers.{index}.utility: one of {', '.join(UTILITIES)}")
    try:
        key_bytes(values["secret"])
    except ValueError as bad:
        raise ConfigError(f"providers.{index}.secret: {bad}") from bad
    return ProviderConfig(**values)
