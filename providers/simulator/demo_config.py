"""What a run of the demo needs to know; `app.py` makes it, or reads it from one JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class SignIn:
    """One person of the demo. `subject` names whom an applicant acts for: its name, uscc or id; empty for anybody."""

    role: str
    login: str
    password: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class DemoConfig:
    """Addresses of the running parts, the people, the application files and where the results go."""

    portal_url: str
    simulator_urls: Mapping[str, str]  # utility → address
    gateway_url: str
    people: tuple[SignIn, ...]
    gov_portal_key: str
    applications: tuple[Path, ...]
    out_dir: Path = Path("out/demo")
    faults: bool = False
    wall_limit_s: float = 300
    progress: bool = True

    def person(self, role: str, *subjects: str) -> SignIn:
        """Who signs in for a role; for an applicant one that acts for one of `subjects`. Raises LookupError."""
        of_role = [person for person in self.people if person.role == role]
        exact = [person for person in of_role if person.subject and person.subject in subjects]
        anybody = [person for person in of_role if not person.subject or not subjects]
        if not exact and not anybody:
            raise LookupError(f"no demo sign-in for role {role} acting for {' / '.join(subjects) or 'anybody'}")
        return (exact or anybody)[0]


def read_demo_config(path: Path) -> DemoConfig:
    """The configuration in a JSON file with the fields of DemoConfig."""
    return parse_demo_config(json.loads(path.read_text(encoding="utf-8")))


def parse_demo_config(raw: Mapping[str, Any]) -> DemoConfig:
    """`{portal_url, simulator_urls, gateway_url, people: [{role, login, password, subject}], …}` as a DemoConfig."""
    return DemoConfig(
        portal_url=str(raw["portal_url"]).rstrip("/"),
        simulator_urls={str(k): str(v).rstrip("/") for k, v in raw.get("simulator_urls", {}).items()},
        gateway_url=str(raw.get("gateway_url", "")).rstrip("/"),
        people=tuple(
            SignIn(str(p["role"]), str(p["login"]), str(p["password"]), str(p.get("subject") or ""))
            for p in raw.get("people", ())
        ),
        gov_portal_key=str(raw.get("gov_portal_key", "")),
        applications=tuple(Path(one) for one in raw.get("applications", ())),
        out_dir=Path(raw.get("out_dir", "out/demo")),
        faults=bool(raw.get("faults", False)),
        wall_limit_s=float(raw.get("wall_limit_s", 300)),
        progress=bool(raw.get("progress", True)),
    )
