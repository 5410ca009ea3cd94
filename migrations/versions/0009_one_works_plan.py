"""One works plan a case: the shared trench, its window and its saving

Revision: 0009, after: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "joint_works",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("case_id", sa.String(32), nullable=False),
        sa.Column("division", sa.String(6), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("end_on", sa.Date(), nullable=False),
        sa.Column("lines", JSON, nullable=False),
        sa.Column("single_m", sa.Float(), nullable=False),
        sa.Column("union_m", sa.Float(), nullable=False),
        sa.Column("saved_m", sa.Float(), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("saved_fen", sa.BigInteger(), nullable=False),
        sa.Column("shares", JSON, nullable=False),
        sa.Column("protected", JSON, nullable=False),
        sa.Column("near", JSON, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('planned','started','finished')", name=op.f("ck_joint_works_state")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_joint_works_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joint_works")),
        sa.UniqueConstraint("case_id", name=op.f("uq_joint_works_case_id")),
    )
    op.create_index(op.f("ix_joint_works_division"), "joint_works", ["division"])


def downgrade() -> None:
    op.drop_table("joint_works")
