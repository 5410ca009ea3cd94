"""The list of changes behind the pull cursor: a change gets its number once it can be seen, never before.

Numbers given inside the writing transactions would not do: they may commit in another order, and a reader who has
seen 8 would never see 7. So the numbers are given here, by one reader at a time for each provider, to what has been
committed; what commits later gets a later number. The same on both databases, and across a restored backup.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import bindparam, exists, func, or_, select, update
from sqlalchemy.orm import Session

from portal.exchange.tables import OutboxMessage
from portal.kernel.database import db, transaction

AT_ONCE = 500
_TABLE = OutboxMessage.__table__
_NUMBER = (
    update(OutboxMessage)
    .where(_TABLE.c.seq == bindparam("b_seq"), _TABLE.c.change_no.is_(None))
    .values(change_no=bindparam("b_change_no"))
)


def has_news(provider: str, after: int) -> bool:
    """Whether this provider may have a change behind cursor `after`. One cheap look, nothing held afterwards."""
    query = select(
        exists().where(
            OutboxMessage.destination == f"provider:{provider}",
            or_(OutboxMessage.change_no.is_(None), OutboxMessage.change_no > after),
        )
    )
    try:
        return bool(db.session.scalar(query))
    finally:
        db.session.remove()  # a waiting call keeps no connection, and its next look sees the present


def number_changes(provider: str) -> int:
    """Use case: give the provider's committed changes their numbers, oldest first; answers how many got one.

    At most `AT_ONCE` of them: the others come with the next call.
    """
    destination = f"provider:{provider}"
    mine = OutboxMessage.destination == destination
    unnumbered = select(OutboxMessage.seq).where(mine, OutboxMessage.change_no.is_(None))
    is_waiting = db.session.scalars(unnumbered.limit(1)).first() is not None
    db.session.remove()
    if not is_waiting:
        return 0
    with transaction() as session:
        _take_turn(session, destination)
        top = session.scalar(select(func.max(OutboxMessage.change_no)).where(mine)) or 0
        seqs = session.scalars(unnumbered.order_by(OutboxMessage.seq).limit(AT_ONCE)).all()
        if seqs:
            rows = [{"b_seq": seq, "b_change_no": top + place} for place, seq in enumerate(seqs, start=1)]
            session.connection().execute(_NUMBER, rows)
        return len(seqs)


def _take_turn(session: Session, destination: str) -> None:
    """On SQLite the transaction itself is the turn; on PostgreSQL a lock that ends with it."""
    if session.get_bind().dialect.name == "postgresql":
        digest = hashlib.sha256(f"changes\n{destination}".encode()).digest()
        session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(digest[:8], "big", signed=True))))
