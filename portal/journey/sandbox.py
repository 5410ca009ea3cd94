"""The sandbox: a provider tries its own system against made-up tasks, with credentials that are good nowhere else.

Everything lives in its own rows and under its own address; no use case of a real case reads or writes here.
"""

from __future__ import annotations

import copy
import datetime as dt
import hashlib
import secrets as random_secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.catalog.queries import current_catalog
from portal.exchange.conformance import stand_in
from portal.exchange.conformance.promises import LEVELS, Level
from portal.exchange.conformance.tables import Sandbox
from portal.exchange.signatures import new_secret
from portal.journey.jobs import queue_job
from portal.kernel import audit
from portal.kernel.clock import parse_instant
from portal.kernel.crypto import current_vault
from portal.kernel.database import transaction
from portal.kernel.errors import FieldError, Invalid, NotFound, NotSignedIn
from portal.kernel.guard import change
from portal.kernel.ids import new_id
from portal.kernel.policy import Actor, require

MARK = "sandbox-"  # every key and every provider code of the sandbox begins with it
PROBE_JOB, PUSH_JOB = "sandbox_probe", "sandbox_push"
_MAX_URL = 300
MAX_A_MINUTE = 240
_FLOOD = {
    "type": "urn:yikou:problem:too_many_calls",
    "title": "请求过于频繁",
    "status": 429,
    "detail": "沙箱每分钟最多接受 240 次调用，请稍后再试。",
    "code": "too_many_calls",
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the integrator's system must be told. Shown this once."""

    key: str
    secret: str


def own_sandbox(session: Session, actor: Actor, *, lock: bool = False) -> Sandbox | None:
    """The sandbox of the actor's provider, if it has opened one."""
    query = select(Sandbox).where(Sandbox.provider == actor.provider_code)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def open_sandbox(actor: Actor, *, level: str, push_url: str, at: dt.datetime, wire_at: dt.datetime) -> Credentials:
    """Use case: a fresh sandbox at this level, with a fresh key and secret; what was there before is over.

    Raises Invalid naming `level` or `push_url`.
    """
    require(actor, "sandbox.manage")
    url = _checked_url(level, push_url.strip())
    made = Credentials(f"{MARK}{new_id()[:12]}.{random_secrets.token_urlsafe(32)}", new_secret())
    with transaction() as session:
        row = own_sandbox(session, actor, lock=True)
        if row is not None:
            session.delete(row)
            session.flush()
        sandbox_id = new_id()
        session.add(
            Sandbox(
                id=sandbox_id,
                provider=actor.provider_code,
                level=level,
                push_url=url,
                key_hash=_hash(made.key),
                secret=current_vault().seal(made.secret.encode(), context_of(sandbox_id)),
                state=_fresh(session, actor, wire_at),
                findings={},
                probing=False,
                created_at=wire_at,
                version=1,
            )
        )
        detail = {"level": level}
        audit.record(
            session, actor=actor, action="sandbox.opened", subject=str(actor.provider_code), detail=detail, at=at
        )
    return made


def restart_sandbox(actor: Actor, *, wire_at: dt.datetime) -> None:
    """Use case: the same credentials, everything else from the beginning."""
    require(actor, "sandbox.manage")
    with transaction() as session:
        row = _needed(own_sandbox(session, actor, lock=True))
        fresh = {"state": _fresh(session, actor, wire_at), "findings": {}, "probing": False, "probed_at": None}
        change(session, Sandbox, row.id, {"version": row.version}, {**fresh, "version": row.version + 1})


def start_checks(actor: Actor, *, wire_at: dt.datetime) -> None:
    """Use case: let the worker try the sandbox's address, and tell it about the tasks. Does nothing for pull."""
    require(actor, "sandbox.manage")
    with transaction() as session:
        row = _needed(own_sandbox(session, actor, lock=True))
        if row.push_url is None or row.probing:
            return
        version = row.version + 1
        change(session, Sandbox, row.id, {"version": row.version}, {"probing": True, "version": version})
        payload = {"sandbox_id": row.id}
        queue_job(session, kind=PROBE_JOB, key=f"{row.id}:{version}", payload=payload, wire_at=wire_at)


def take_call(key: str, call: stand_in.Call, *, wire_at: dt.datetime) -> stand_in.Answer:
    """Use case: one call of the provider's system at the sandbox's address. Raises NotSignedIn `bad_key`."""
    with transaction() as session:
        row = session.scalars(select(Sandbox).where(Sandbox.key_hash == _hash(key)).with_for_update()).one_or_none()
        if row is None:
            raise NotSignedIn("沙箱访问密钥无效；正式环境的密钥不能用于沙箱。", code="bad_key")
        if _is_flood(row.state, wire_at):
            return stand_in.Answer(429, _FLOOD, headers={"Retry-After": "60"})
        state = copy.deepcopy(row.state)
        answer = stand_in.take_call(state, call, secrets=(secret_of(row),), at=wire_at)
        version = row.version + 1
        change(session, Sandbox, row.id, {"version": row.version}, {"state": state, "version": version})
        if state["outgoing"] and row.push_url and row.probed_at:
            queue_push(session, row.id, version, wire_at)
    return answer


def queue_push(session: Session, sandbox_id: str, version: int, wire_at: dt.datetime) -> None:
    """Step: let the worker push the events that wait."""
    payload = {"sandbox_id": sandbox_id}
    queue_job(session, kind=PUSH_JOB, key=f"{sandbox_id}:{version}", payload=payload, wire_at=wire_at)


def secret_of(row: Sandbox) -> str:
    """The sandbox's signing secret."""
    return current_vault().open(row.secret, context_of(row.id)).decode()


def context_of(sandbox_id: str) -> str:
    """What the sealed secret is bound to."""
    return f"sandbox.secret:{sandbox_id}"


def _fresh(session: Session, actor: Actor, wire_at: dt.datetime) -> dict[str, Any]:
    provider = current_catalog(session).provider(str(actor.provider_code))
    return stand_in.begin(provider=f"{MARK}{provider.code}", utility=provider.utility, at=wire_at)


def _checked_url(level: str, url: str) -> str | None:
    if level not in LEVELS:
        raise Invalid([FieldError("level", "请选择对接级别。", "choice")])
    if level == "pull":
        return None
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.fragment
    except ValueError:
        is_good = False
    if not is_good or len(url) > _MAX_URL:
        raise Invalid([FieldError("push_url", "请填写接收消息的完整地址，例如 https://it.example.cn/yikou。", "url")])
    return url


def _is_flood(state: Mapping[str, Any], wire_at: dt.datetime) -> bool:
    """Whether this many calls came within the last minute; a flood is answered without writing anything."""
    calls = state["calls"]
    if len(calls) < MAX_A_MINUTE:
        return False
    return wire_at - parse_instant(calls[-MAX_A_MINUTE]["at"]) < dt.timedelta(minutes=1)


def _needed(row: Sandbox | None) -> Sandbox:
    if row is None:
        raise NotFound("还没有开通沙箱，请先选择级别并开通。", code="no_sandbox")
    return row


def _hash(key: str) -> str:
    # 256 random bits: a slow hash would protect nothing.
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


Verdicts = Mapping[str, tuple[bool | None, str]]


def level_of(row: Sandbox) -> Level:
    """The level as the promises name it."""
    return next(level for level in LEVELS if level == row.level)
