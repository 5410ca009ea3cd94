"""Every wing's mapped classes in one import, for creating and migrating the database."""

from portal.billing import tables as billing
from portal.cases import tables as cases
from portal.catalog import tables as catalog
from portal.documents import tables as documents
from portal.exchange import tables as exchange
from portal.exchange import trouble_tables as troubles
from portal.exchange.conformance import tables as conformance
from portal.identity import tables as identity
from portal.kernel import audit, idempotency, simulated_clock

__all__ = [
    "audit",
    "billing",
    "cases",
    "catalog",
    "conformance",
    "documents",
    "exchange",
    "idempotency",
    "identity",
    "simulated_clock",
    "troubles",
]
