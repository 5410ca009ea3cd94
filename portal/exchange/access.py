"""Who may call us and where we may call: keys (only their hash is kept) and endpoints (secrets sealed at rest)."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import secrets as random_secrets
from collections.abc import Iterable, Sequence
from typing import Literal

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from portal.exchange.port import Endpoint
from portal.exchange.signatures import check_secret
from portal.exchange.tables import AccessKey, ProviderAccess
from portal.exchange.trouble_tables import ProviderMapping
from portal.kernel.crypto import SealBroken, Vault
from portal.kernel.errors import NotSignedIn
from portal.kernel.ids import new_id
from portal.kernel.policy import Actor

Level = Literal["desk", "mail", "pull", "push", "two_way"]
SENT_LEVELS: tuple[Level, ...] = ("mail", "push", "two_way")  # the portal goes to the provider; the others come to us
_ENDPOINTS = (
    select(
        ProviderAccess.provider,
        ProviderAccess.utility,
        ProviderAccess.push_url,
        ProviderAccess.mail_to,
        ProviderAccess.level,
        ProviderAccess.secrets,
        ProviderMapping.content,
    )
    .outerjoin(
        ProviderMapping,
        (ProviderMapping.provider == ProviderAccess.provider)
        & (ProviderMapping.version == ProviderAccess.mapping_version),
    )
    .where(
        ProviderAccess.provider.in_(bindparam("codes", expanding=True)),
        ProviderAccess.level.in_(SENT_LEVELS),
        ProviderAccess.disabled_at.is_(None),
    )
)
__all__ = [
    "PROVIDER_SCOPES",
    "SENT_LEVELS",
    "AccessKey",
    "Level",
    "ProviderAccess",
    "SealBroken",
    "actor_of_key",
    "endpoints_of",
    "issue_key",
    "set_access",
    "signing_secrets_of",
]

PROVIDER_SCOPES = ("tasks", "reports", "applications")
_NOBODY = "0" * 64  # compared with when the key id is unknown, so that both ways take the same time


def set_access(
    session: Session,
    vault: Vault,
    *,
    provider: str,
    utility: str,
    level: Level,
    push_url: str | None,
    signing_secrets: Sequence[str],
    mail_to: str | None = None,
) -> None:
    """Step: how this provider's system works with us from now on. Raises ValueError for a malformed secret or URL."""
    for secret in signing_secrets:
        check_secret(secret)
    if level in ("push", "two_way") and not push_url:
        raise ValueError(f"{provider}: level {level} needs a push_url")
    if level == "mail" and not mail_to:
        raise ValueError(f"{provider}: level mail needs a mail_to")
    row = session.get(ProviderAccess, provider) or ProviderAccess(provider=provider)
    row.utility, row.level, row.push_url, row.mail_to, row.disabled_at = utility, level, push_url, mail_to, None
    row.secrets = vault.seal(json.dumps(list(signing_secrets)).encode(), _context(provider))
    session.add(row)
    session.flush()


def signing_secrets_of(session: Session, vault: Vault, provider: str) -> tuple[str, ...]:
    """The provider's signing secrets, newest first; none for an unknown provider."""
    row = session.get(ProviderAccess, provider)
    return () if row is None else _open(vault, provider, row.secrets)


def endpoints_of(session: Session, vault: Vault, providers: Iterable[str]) -> dict[str, Endpoint]:
    """Where to push to, by provider code; one without an endpoint, or that said it is gone, is not in it."""
    rows = session.execute(_ENDPOINTS, {"codes": list(providers)})
    return {
        row.provider: Endpoint(
            utility=row.utility,
            url=(row.mail_to if row.level == "mail" else row.push_url) or "",
            secrets=_open(vault, row.provider, row.secrets),
            level=row.level,
            answer_field=(row.content or {}).get("answer_field", ""),
            answer_ok=tuple((row.content or {}).get("answer_ok", ())),
        )
        for row in rows
    }


def issue_key(  # noqa: PLR0913 - one argument a column; all but the first are named
    session: Session,
    *,
    holder_kind: Literal["provider", "portal"],
    holder: str,
    name: str,
    scopes: Iterable[str],
    at: dt.datetime,
    expires_at: dt.datetime,
    subject_ids: Iterable[str] = (),
    key: str | None = None,
) -> str:
    """Step: a new bearer key `<key_id>.<secret>`, shown this once. Older keys stay good: rotation overlaps.

    `at` and `expires_at` are wire time. `key` may be given by set-up scripts that must know it beforehand.
    """
    key_id, secret = key.split(".", 1) if key else (f"k{new_id()[:15]}", random_secrets.token_urlsafe(32))
    session.add(
        AccessKey(
            key_id=key_id,
            key_hash=_hash(secret),
            holder_kind=holder_kind,
            holder=holder,
            name=name,
            subject_ids=sorted(subject_ids),
            scopes=sorted(scopes),
            created_at=at,
            expires_at=expires_at,
        )
    )
    session.flush()
    return f"{key_id}.{secret}"


def actor_of_key(session: Session, bearer: str, wire_at: dt.datetime) -> Actor:
    """Whoever holds this key. Raises NotSignedIn for unknown, expired, revoked and malformed ones alike."""
    key_id, _, secret = bearer.partition(".")
    row = session.get(AccessKey, key_id) if key_id.isascii() and len(key_id) <= 40 else None
    is_right = hmac.compare_digest(row.key_hash if row else _NOBODY, _hash(secret))
    if row is None or not is_right or row.revoked_at is not None or row.expires_at <= wire_at:
        raise NotSignedIn("访问密钥无效或已过期。", code="bad_key")
    is_provider = row.holder_kind == "provider"
    return Actor(
        kind="provider" if is_provider else "portal",
        id=row.holder,
        name=row.name,
        subject_ids=frozenset(row.subject_ids),
        provider_code=row.holder if is_provider else None,
        scopes=frozenset(row.scopes),
    )


def _open(vault: Vault, provider: str, sealed: bytes) -> tuple[str, ...]:
    return tuple(json.loads(vault.open(sealed, _context(provider))))


def _context(provider: str) -> str:
    return f"provider_access.secrets:{provider}"


def _hash(secret: str) -> str:
    # The secret is 256 random bits: a slow hash would protect nothing and cost every call.
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
