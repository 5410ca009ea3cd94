"""A sandbox for each provider's engineers, and the badges earned in it

Revision: 0003, after: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "sandbox",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("push_url", sa.String(300), nullable=True),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("state", JSON, nullable=False),
        sa.Column("findings", JSON, nullable=False),
        sa.Column("probing", sa.Boolean(), nullable=False),
        sa.Column("probed_at", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("level in ('pull','push','two_way')", name=op.f("ck_sandbox_level")),
        sa.CheckConstraint("level = 'pull' or push_url is not null", name=op.f("ck_sandbox_push_url")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sandbox")),
        sa.UniqueConstraint("provider", name=op.f("uq_sandbox_provider")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_sandbox_key_hash")),
    )
    op.create_table(
        "badge",
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("issued_at", INSTANT, nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_badge")),
    )
    with op.batch_alter_table("badge") as batch:
        batch.create_index(batch.f("ix_badge_provider"), ["provider"], unique=False)


def downgrade() -> None:
    op.drop_table("badge")
    op.drop_table("sandbox")
