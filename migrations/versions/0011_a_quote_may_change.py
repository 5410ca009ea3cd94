"""A provider may change its quote after review; the applicant confirms it again

Revision: 0011, after: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "quote_change",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("case_id", sa.String(32), nullable=False),
        sa.Column("task_id", sa.String(32), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("before", JSON, nullable=False),
        sa.Column("option", JSON, nullable=False),
        sa.Column("reason", sa.String(2000), nullable=False),
        sa.Column("difference_fen", sa.BigInteger(), nullable=False),
        sa.Column("reported_at", TIME, nullable=False),
        sa.Column("decided_at", TIME, nullable=True),
        sa.Column("decided_by", sa.String(64), nullable=True),
        sa.CheckConstraint("state in ('open','accepted','refused')", name=op.f("ck_quote_change_state")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_quote_change_case_id_case")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_quote_change_task_id_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quote_change")),
        sa.UniqueConstraint("case_id", "provider", "number", name=op.f("uq_quote_change_case_id_provider_number")),
    )
    op.create_index(op.f("ix_quote_change_case_id"), "quote_change", ["case_id"])
    op.create_index(
        "uq_quote_change_open",
        "quote_change",
        ["case_id", "provider"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )


def downgrade() -> None:
    op.drop_table("quote_change")
