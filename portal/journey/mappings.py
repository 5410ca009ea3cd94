"""Dialects in force: versions are added, never edited; which one a provider speaks is part of its access."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping as Values
from typing import Any

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.catalog.queries import current_catalog
from portal.catalog.reading import CITIES
from portal.exchange.mapping import Mapping, Rendered, load_mapping, render
from portal.exchange.mapping.model import Unmapped
from portal.exchange.outbox import WAKE
from portal.exchange.tables import InboxMessage, OutboxMessage, ProviderAccess
from portal.exchange.trouble_tables import ProviderMapping
from portal.kernel import audit
from portal.kernel.database import db, transaction
from portal.kernel.errors import Conflict, FieldError, Invalid, NotFound
from portal.kernel.guard import change, try_change
from portal.kernel.policy import Actor, require


def mapping_in_force(session: Session, provider: str) -> Mapping | None:
    """The dialect this provider speaks; None for the protocol's own."""
    content = session.scalars(
        select(ProviderMapping.content)
        .join(ProviderAccess, ProviderAccess.provider == ProviderMapping.provider)
        .where(ProviderMapping.provider == provider, ProviderMapping.version == ProviderAccess.mapping_version)
    ).one_or_none()
    return None if content is None else Mapping.model_validate(content)


def put_mapping(actor: Actor, *, provider: str, mapping: Mapping, note: str, at: dt.datetime) -> int:
    """A new version of a provider's dialect, in force at once; answers its number. Raises NotAllowed, NotFound."""
    require(actor, "exchange.map")
    with transaction() as session:
        return _put(session, actor, provider, mapping, note, at)


def add_status_rule(actor: Actor, *, provider: str, rule: Values[str, Any], at: dt.datetime) -> int:
    """One row more (or another row in its place) for a code and stage; answers the new version.

    Raises NotAllowed, NotFound (no dialect), Invalid.
    """
    require(actor, "exchange.map")
    with transaction() as session:
        mapping = mapping_in_force(session, provider)
        if mapping is None:
            raise NotFound
        kept = [
            row.model_dump()
            for row in mapping.statuses
            if (row.code, row.stage) != (rule.get("code"), rule.get("stage", ""))
        ]
        try:
            changed = Mapping.model_validate(mapping.model_dump() | {"statuses": [*kept, dict(rule)]})
        except ValidationError as wrong:
            name = str(wrong.errors()[0]["loc"][-1])
            raise Invalid([FieldError(name, "请填写代码和对应的回报种类。", "required")]) from wrong
        return _put(session, actor, provider, changed, f"code {rule.get('code')}", at)


def rendered_for(session: Session, provider: str, event: Values[str, Any]) -> Rendered | str | None:
    """What goes to this provider for an event: bytes in its dialect, None for the protocol's own, or why neither.

    `desk` where its dialect leaves the event to the desk, else what is unmapped.
    """
    mapping = mapping_in_force(session, provider)
    if mapping is None:
        return None
    try:
        return render(mapping, event) or "desk"
    except Unmapped as missing:
        return missing.what


def keep_unmapped(session: Session, message_id: str, why: str) -> None:
    """Step: a message that cannot be said in the provider's dialect is not sent: for its desk, or for a person."""
    row = session.scalars(select(OutboxMessage).where(OutboxMessage.message_id == message_id)).one()
    is_for_desk = why == "desk" or row.state == "kept"
    error = None if why == "desk" else f"没有对应：{why}"
    values = {"state": "kept" if is_for_desk else "dead", "last_error": error}
    try_change(session, OutboxMessage, row.seq, {"state": row.state}, values)


def remap_and_replay(actor: Actor, *, message_id: str, at: dt.datetime, wire_at: dt.datetime) -> None:
    """Make a failed message again under the mapping in force now, and send it.

    Raises NotAllowed, NotFound, Conflict (`unmapped` still, or not failed).
    """
    require(actor, "exchange.map")
    with transaction() as session:
        row = session.scalars(select(OutboxMessage).where(OutboxMessage.message_id == message_id)).one_or_none()
        if row is None or row.event is None:
            raise NotFound
        made = rendered_for(session, row.destination.partition(":")[2], json.loads(row.event))
        if not isinstance(made, Rendered):
            raise Conflict(f"仍有未对应的内容：{made or '该单位没有对应表'}。", code="unmapped")
        values: dict[str, Any] = {
            "body": made.body,
            "path": made.path,
            "media_type": made.media_type,
            "last_error": None,
        }
        values |= {"state": "pending", "attempts": 0, "next_at": wire_at}
        if row.state not in ("dead", "kept", "gone") or not try_change(
            session, OutboxMessage, row.seq, {"state": row.state}, values
        ):
            raise Conflict("该消息正在发送或已送达。", code="not_replayable")
        session.info[WAKE] = True
        audit.record(session, actor=actor, action="exchange.remapped", subject=message_id, detail={}, at=at)


def dialects(session: Session) -> dict[str, Mapping]:
    """The dialects the city's folder offers, by name: what a provider's own mapping starts from."""
    folder = CITIES / current_catalog(session).city.code / "mappings"
    return {path.stem: load_mapping(path) for path in sorted(folder.glob("*.toml"))}


def unmapped_of(session: Session, provider: str) -> list[tuple[str, int]]:
    """(what has no mapping, how many messages wait for it), of what arrived and of what should leave."""
    inbox = InboxMessage
    arrived = select(inbox.unmapped, func.count()).where(inbox.sender == provider, inbox.state == "unmapped")
    leaving = select(OutboxMessage.last_error, func.count()).where(
        OutboxMessage.destination == f"provider:{provider}",
        OutboxMessage.event.is_not(None),
        OutboxMessage.state.in_(("dead", "kept")),
        OutboxMessage.last_error.is_not(None),
    )
    found = [*session.execute(arrived.group_by(inbox.unmapped))]
    found += session.execute(leaving.group_by(OutboxMessage.last_error))
    return [(str(what), count) for what, count in found]


def mapping_page(actor: Actor, provider: str) -> tuple[str, Mapping | None, list[ProviderMapping]]:
    """Its name, the dialect in force, and its versions, newest first. Raises NotAllowed, NotFound."""
    require(actor, "exchange.map")
    session = db.session()
    names = {row.code: row.short_name for row in current_catalog(session).providers}
    if provider not in names:
        raise NotFound
    query = select(ProviderMapping).where(ProviderMapping.provider == provider)
    versions = list(session.scalars(query.order_by(ProviderMapping.version.desc()).limit(20)))
    return names[provider], mapping_in_force(session, provider), versions


def _put(session: Session, actor: Actor, provider: str, mapping: Mapping, note: str, at: dt.datetime) -> int:
    access = session.get(ProviderAccess, provider, with_for_update=True)
    if access is None:
        raise NotFound
    newest = select(func.max(ProviderMapping.version)).where(ProviderMapping.provider == provider)
    version = (session.scalar(newest) or 0) + 1
    content = mapping.model_dump(mode="json")
    session.add(
        ProviderMapping(
            provider=provider, version=version, content=content, made_by=actor.name, made_at=at, note=note[:200]
        )
    )
    session.flush()
    before = {"mapping_version": access.mapping_version} if access.mapping_version is not None else {}
    change(session, ProviderAccess, provider, before, {"mapping_version": version})
    detail = {"version": version, "note": note[:200]}
    audit.record(session, actor=actor, action="exchange.mapped", subject=provider, detail=detail, at=at)
    return version
