"""What the sandbox page shows, and the badge: given when every promise that must be kept was seen to be kept."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.catalog.queries import current_catalog
from portal.exchange.conformance.judging import is_worthy, judge_calls
from portal.exchange.conformance.promises import PROTOCOL, Level, Promise, promises_for
from portal.exchange.conformance.tables import Badge, Sandbox
from portal.journey.sandbox import level_of, own_sandbox
from portal.kernel import audit
from portal.kernel.attestation import attest
from portal.kernel.clock import format_instant, local_date
from portal.kernel.database import db, transaction
from portal.kernel.errors import Conflict, NotFound
from portal.kernel.ids import new_secret_code
from portal.kernel.policy import Actor, require


@dataclass(frozen=True, slots=True)
class Trial:
    """One test case of the page: the promise, and what was seen of it."""

    promise: Promise
    is_kept: bool | None
    seen: str


@dataclass(frozen=True, slots=True)
class SandboxView:
    """The provider's sandbox as its page shows it."""

    level: Level
    push_url: str | None
    probing: bool
    probed_at: dt.datetime | None
    trials: tuple[Trial, ...]
    is_worthy: bool

    @property
    def kept(self) -> int:
        """How many promises were seen to be kept."""
        return sum(trial.is_kept is True for trial in self.trials)


def view_sandbox(actor: Actor, *, wire_at: dt.datetime) -> SandboxView | None:
    """The sandbox of the actor's provider; None when it has none."""
    require(actor, "sandbox.manage")
    row = own_sandbox(db.session(), actor)
    return None if row is None else _view(row, wire_at)


def list_badges(actor: Actor) -> list[Badge]:
    """The badges of the actor's provider, newest first."""
    require(actor, "sandbox.manage")
    query = select(Badge).where(Badge.provider == actor.provider_code).order_by(Badge.issued_at.desc())
    return list(db.session.scalars(query))


def give_badge(actor: Actor, *, base_url: str, at: dt.datetime, wire_at: dt.datetime) -> str:
    """Use case: issue the badge; answers its code. Raises Conflict `not_passed` while a promise is open or broken."""
    require(actor, "sandbox.manage")
    with transaction() as session:
        row = own_sandbox(session, actor, lock=True)
        view = None if row is None else _view(row, wire_at)
        if view is None or not view.is_worthy:
            raise Conflict("还有必过的用例没有通过，请先完成。", code="not_passed")
        code = new_secret_code(12)
        body = attest(_statement(session, actor, view, code, base_url, wire_at))
        session.add(Badge(code=code, provider=str(actor.provider_code), issued_at=wire_at, body=body))
        detail = {"code": code, "level": view.level}
        audit.record(
            session, actor=actor, action="badge.issued", subject=str(actor.provider_code), detail=detail, at=at
        )
    return code


def read_badge(code: str) -> dict[str, Any]:
    """A badge for anybody. Raises NotFound."""
    row = db.session.get(Badge, code)
    if row is None:
        raise NotFound("没有颁发过这一编号的徽章。", code="no_badge")
    return dict(row.body)


def _view(row: Sandbox, wire_at: dt.datetime) -> SandboxView:
    level = level_of(row)
    seen = {name: (is_kept, text) for name, (is_kept, text) in row.findings.items()}
    seen |= {f.promise: (f.is_kept, f.seen) for f in judge_calls(row.state, level, wire_at)}
    promises = promises_for(level)
    trials = tuple(Trial(p, *seen.get(p.id, (None, "还没有检查"))) for p in promises)
    return SandboxView(
        level=level,
        push_url=row.push_url,
        probing=row.probing,
        probed_at=row.probed_at,
        trials=trials,
        is_worthy=is_worthy(promises, {trial.promise.id: trial.is_kept for trial in trials}),
    )


def _statement(
    session: Session, actor: Actor, view: SandboxView, code: str, base_url: str, wire_at: dt.datetime
) -> dict[str, Any]:
    provider = current_catalog(session).provider(str(actor.provider_code))
    return {
        "badge": code,
        "provider": provider.code,
        "provider_name": provider.name,
        "level": view.level,
        "protocol": PROTOCOL,
        "issued_on": local_date(wire_at).isoformat(),
        "issued_at": format_instant(wire_at),
        "kept": [trial.promise.id for trial in view.trials if trial.is_kept],
        "verify_url": f"{base_url}/badges/{code}",
    }
