"""How many messages each destination may take now: what is on its way, its breaker, the rest it asked for, its rate.

The breaker and the bucket are rows, so they survive a restart and count over all workers.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from portal.exchange import breaker, rate
from portal.exchange.dialects import insert_unless_there
from portal.exchange.tables import DestinationHealth, OutboxMessage, ProviderAccess

# Statements are made once: building one costs more than running it.
_LEASED = (
    select(OutboxMessage.destination, func.count())
    .where(OutboxMessage.state == "leased")
    .group_by(OutboxMessage.destination)
)
_ILL = select(DestinationHealth).where(
    or_(DestinationHealth.failures >= breaker.THRESHOLD, DestinationHealth.held_until > bindparam("now"))
)
_LIMITED = select(ProviderAccess.provider, ProviderAccess.rate_per_minute, ProviderAccess.burst).where(
    ProviderAccess.rate_per_minute.is_not(None)
)
_BUCKETS = select(DestinationHealth).where(DestinationHealth.destination.in_(bindparam("names", expanding=True)))
_PROBE = (
    update(DestinationHealth)
    .where(
        DestinationHealth.destination.in_(bindparam("taken", expanding=True)),
        DestinationHealth.failures >= breaker.THRESHOLD,
    )
    .values(probing_until=bindparam("until"))
    .execution_options(synchronize_session=False)
)


def rooms(session: Session, wire_at: dt.datetime, *, usual: int) -> dict[str, int]:
    """Step: what each destination may still take, for those where it is not `usual`."""
    found = {destination: usual - count for destination, count in session.execute(_LEASED)}
    for row in session.scalars(_ILL, {"now": wire_at}):
        is_held = row.held_until is not None and row.held_until > wire_at
        room = 0 if is_held else breaker.room(health_of(row), wire_at, usual=usual)
        found[row.destination] = min(found.get(row.destination, usual), room)
    for name, tokens in _tokens(session, wire_at).items():
        found[name] = min(found.get(name, usual), int(tokens))
    return found


def take(session: Session, taken: Mapping[str, int], wire_at: dt.datetime) -> None:
    """Step: so many messages go out now; a half-open breaker notes its probe, a bucket loses its tokens."""
    session.execute(_PROBE, {"taken": list(taken), "until": wire_at + breaker.PROBE_LEASE})
    for name, tokens in _tokens(session, wire_at).items():
        if name in taken:
            session.execute(
                update(DestinationHealth)
                .where(DestinationHealth.destination == name)
                .values(tokens=tokens - taken[name], refilled_at=wire_at)
                .execution_options(synchronize_session=False)
            )


def health_of(row: DestinationHealth) -> breaker.Health:
    """The breaker state in a row."""
    return breaker.Health(failures=row.failures, opened_until=row.opened_until, probing_until=row.probing_until)


def _tokens(session: Session, wire_at: dt.datetime) -> dict[str, float]:
    """The tokens of every destination that has a rate limit; their rows are locked until the claim is committed."""
    limits = {
        f"provider:{row.provider}": rate.Limit(row.rate_per_minute, row.burst)
        for row in session.execute(_LIMITED)
        if row.rate_per_minute
    }
    if not limits:
        return {}
    for name in limits:
        insert_unless_there(session, DestinationHealth, {"destination": name, "failures": 0}, unique=("destination",))
    locked = _BUCKETS.with_for_update().execution_options(populate_existing=True)
    return {
        row.destination: rate.tokens_at(limits[row.destination], left=row.tokens, since=row.refilled_at, now=wire_at)
        for row in session.scalars(locked, {"names": sorted(limits)})
    }
