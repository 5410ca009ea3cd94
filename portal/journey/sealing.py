"""Sealing the audit chain: what was recorded since the last time becomes one block that follows the one before."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.exc import IntegrityError

from portal.kernel import audit
from portal.kernel.database import transaction


def seal_audit(at: dt.datetime) -> int:
    """Seal all rows not yet sealed; answers how many. 0 also when another worker was sealing at the same moment."""
    try:
        with transaction() as session:
            return audit.seal_rows(session, at=at)
    except IntegrityError:
        return 0
