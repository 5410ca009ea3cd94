"""Post one payment split over five payees, durably: claim, allocate, split, ledger, committed.

Single: one transaction a payment, beside the same rows written as mapped objects. Batched: a hundred payments a
transaction, beside the driver's bare executemany of the same rows into the same tables, constraints and triggers on.
Sides take turns in one process; rates are medians over the rounds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

from sqlalchemy import select

import portal.tables  # noqa: F401 - registers every table
from benchmarks import databases, orm_peer, raw_peer
from benchmarks.figures import Figure, compare
from benchmarks.paid_orders import AT, CHANNEL, make_orders
from portal.billing.capture import capture_orders
from portal.billing.port import OrderState
from portal.billing.tables import PaymentOrder
from portal.kernel.database import transaction

SINGLE, BATCH, ROUNDS = 150, 100, 5
BATCHES = 5
Paid = Sequence[tuple[str, OrderState]]


def measure() -> list[Figure]:
    """The rows of each database that is here."""
    figures: list[Figure] = []
    for database in databases.available():
        with databases.fresh_app(database):
            figures += _measure(database)
    return figures


def _measure(database: str) -> list[Figure]:
    sides: dict[str, tuple[Callable[[Paid], None], int, int]] = {
        "product single": (_product, SINGLE, 1),
        "orm single": (_orm, SINGLE, 1),
        "product batched": (_product, BATCH * BATCHES, BATCH),
        "raw batched": (raw_peer.post, BATCH * BATCHES, BATCH),
    }
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, (post, count, batch) in sides.items():
            rates[name].append(_rate(post, make_orders(count), batch))
    median = {name: statistics.median(found) for name, found in rates.items()}
    return [
        compare(f"split payment single vs ORM [{database}]", median["product single"], "1/s", median["orm single"]),
        compare(f"split payment batched vs raw [{database}]", median["product batched"], "1/s", median["raw batched"]),
    ]


def _rate(post: Callable[[Paid], None], paid: Paid, batch: int) -> float:
    begun = time.perf_counter()
    for start in range(0, len(paid), batch):
        post(paid[start : start + batch])
    return len(paid) / (time.perf_counter() - begun)


def _product(paid: Paid) -> None:
    words = dict(paid)
    with transaction() as session:
        orders = session.scalars(select(PaymentOrder).where(PaymentOrder.id.in_(list(words)))).all()
        found = capture_orders(session, [(order, words[order.id]) for order in orders], channel=CHANNEL, at=AT)
        assert all(found)


def _orm(paid: Paid) -> None:
    for order_id, state in paid:
        with transaction() as session:
            orm_peer.capture(session, order_id, state)
