"""Every wing's mapped classes in one import, for creating and migrating the database."""

from portal.billing import tables as billing
from portal.cases import tables as cases
from portal.documents import tables as documents
from portal.exchange import tables as exchange
from portal.kernel import idempotency

__all__ = ["billing", "cases", "documents", "exchange", "idempotency"]
