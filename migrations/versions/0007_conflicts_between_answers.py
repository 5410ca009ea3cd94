"""Conflicts between providers' answers are found before a reply goes out, and settled by somebody named

Revision: 0007, after: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "answer_conflict",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("case_id", sa.String(32), nullable=False),
        sa.Column("key", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("utilities", JSON, nullable=False),
        sa.Column("providers", JSON, nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=True),
        sa.Column("agreed", JSON, nullable=False),
        sa.Column("settled_at", TIME, nullable=True),
        sa.Column("settled_by", sa.String(100), nullable=True),
        sa.Column("resolution", sa.String(40), nullable=True),
        sa.Column("note", sa.String(400), nullable=True),
        sa.CheckConstraint("state in ('open','settled','gone')", name=op.f("ck_answer_conflict_state")),
        sa.CheckConstraint(
            "(state = 'settled') = (settled_by is not null)", name=op.f("ck_answer_conflict_settled")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_answer_conflict_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_conflict")),
        sa.UniqueConstraint("case_id", "key", name=op.f("uq_answer_conflict_case_id_key")),
    )
    op.create_index(op.f("ix_answer_conflict_case_id"), "answer_conflict", ["case_id"])
    op.create_index("ix_answer_conflict_state_due", "answer_conflict", ["state", "due_at"])


def downgrade() -> None:
    op.drop_table("answer_conflict")
