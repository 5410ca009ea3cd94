"""Setting up a portal: the city's catalog, and for the demo its people, its providers' endpoints and keys."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from portal.catalog.calendar import seed_calendar
from portal.catalog.model import Catalog, Provider
from portal.catalog.queries import seed_catalog
from portal.exchange import access
from portal.exchange.signatures import new_secret
from portal.kernel.crypto import Vault
from portal.kernel.database import transaction

# The catalog's spelling → the table's.
LEVEL_OF: dict[str, access.Level] = {
    "desk": "desk",
    "mail": "mail",
    "pull": "pull",
    "push": "push",
    "two-way": "two_way",
}
KEY_LIFE = dt.timedelta(days=365)
PORTAL_SCOPES = ("applications",)


@dataclass(frozen=True, slots=True)
class ProviderSetUp:
    """What one provider's system must be told: its bearer key and its signing secret. Shown this once."""

    code: str
    utility: str
    name: str
    key: str
    secret: str


def set_up_city(catalog: Catalog, *, at: dt.datetime) -> bool:
    """Store the catalog's version and the working calendar; False when this version is there already."""
    with transaction() as session:
        seed_calendar(session, catalog.calendar_days)
        return seed_catalog(session, catalog, at=at)


def set_up_provider(vault: Vault, provider: Provider, *, push_url: str, wire_at: dt.datetime) -> ProviderSetUp:
    """Give one provider the level its catalog entry names, an endpoint, a signing secret and a bearer key."""
    secret = new_secret()
    with transaction() as session:
        access.set_access(
            session,
            vault,
            provider=provider.code,
            utility=provider.utility,
            level=LEVEL_OF[provider.level],
            push_url=push_url,
            mail_to=provider.duty_mail,
            signing_secrets=[secret],
        )
        key = access.issue_key(
            session,
            holder_kind="provider",
            holder=provider.code,
            name=provider.name,
            scopes=access.PROVIDER_SCOPES,
            at=wire_at,
            expires_at=wire_at + KEY_LIFE,
        )
    return ProviderSetUp(provider.code, provider.utility, provider.name, key, secret)


def set_up_portal_key(name: str, *, subject_ids: Sequence[str], wire_at: dt.datetime) -> str:
    """A bearer key for a government portal that files applications."""
    with transaction() as session:
        return access.issue_key(
            session,
            holder_kind="portal",
            holder="gov_portal",
            name=name,
            scopes=PORTAL_SCOPES,
            at=wire_at,
            expires_at=wire_at + KEY_LIFE,
            subject_ids=subject_ids,
        )
