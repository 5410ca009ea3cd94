"""The sandbox of a provider and the badges it has earned. Nothing else points at these rows, and they at nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Id, Json, Model


class Sandbox(Model):
    """One provider's sandbox: credentials good nowhere else, and all of its made-up world in `state`.

    `findings`: promise id → [is_kept, seen] of the last checks on its address; `probing`: a run is under way.
    """

    __tablename__ = "sandbox"
    __table_args__ = (
        CheckConstraint("level in ('pull','push','two_way')", name="level"),
        CheckConstraint("level = 'pull' or push_url is not null", name="push_url"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    provider: Mapped[str] = mapped_column(String(64), unique=True)
    level: Mapped[str] = mapped_column(String(16))
    push_url: Mapped[str | None] = mapped_column(String(300))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    secret: Mapped[bytes]  # encrypted `whsec_…`
    state: Mapped[dict[str, Any]] = mapped_column(Json)
    findings: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    probing: Mapped[bool] = mapped_column(default=False)
    probed_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime]
    version: Mapped[int] = mapped_column(default=1)


class Badge(Model):
    """A badge as it was given: `body` is what its page and its JSON show, with the portal's signature."""

    __tablename__ = "badge"

    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    provider: Mapped[str] = mapped_column(String(64), index=True)
    issued_at: Mapped[dt.datetime]
    body: Mapped[dict[str, Any]] = mapped_column(Json)
