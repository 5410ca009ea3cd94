"""The joint visit is found in rounds of proposals; providers' crews may keep standing hours

Revision: 0006, after: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("visit") as batch:
        batch.add_column(sa.Column("crews", JSON, nullable=False, server_default="{}"))
    with op.batch_alter_table("visit") as batch:
        batch.alter_column("crews", server_default=None)
    op.create_table(
        "visit_round",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("case_id", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        sa.Column("wishes", JSON, nullable=False),
        sa.CheckConstraint("state in ('asked','offered','settled','declined')", name=op.f("ck_visit_round_state")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_visit_round_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_round")),
        sa.UniqueConstraint("case_id", "number", name=op.f("uq_visit_round_case_id_number")),
    )
    op.create_index(op.f("ix_visit_round_case_id"), "visit_round", ["case_id"])
    op.create_index(op.f("ix_visit_round_ends_at"), "visit_round", ["ends_at"])
    op.create_table(
        "visit_proposal",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("round_id", sa.String(32), nullable=False),
        sa.Column("case_id", sa.String(32), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("visits", JSON, nullable=False),
        sa.Column("absent", JSON, nullable=False),
        sa.Column("reason", sa.String(400), nullable=False),
        sa.Column("answered_at", TIME, nullable=True),
        sa.Column("answered_by", sa.String(100), nullable=True),
        sa.Column("note", sa.String(400), nullable=True),
        sa.CheckConstraint(
            "state in ('offered','accepted','declined','lapsed')", name=op.f("ck_visit_proposal_state")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_visit_proposal_case_id_case")),
        sa.ForeignKeyConstraint(["round_id"], ["visit_round.id"], name=op.f("fk_visit_proposal_round_id_visit_round")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_proposal")),
        sa.UniqueConstraint("round_id", "rank", name=op.f("uq_visit_proposal_round_id_rank")),
    )
    op.create_index(op.f("ix_visit_proposal_case_id"), "visit_proposal", ["case_id"])
    op.create_index(op.f("ix_visit_proposal_round_id"), "visit_proposal", ["round_id"])
    op.create_table(
        "crew",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("people", JSON, nullable=False),
        sa.Column("skills", JSON, nullable=False),
        sa.Column("week", JSON, nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crew")),
        sa.UniqueConstraint("provider", "name", name=op.f("uq_crew_provider_name")),
    )
    op.create_index(op.f("ix_crew_provider"), "crew", ["provider"])


def downgrade() -> None:
    op.drop_table("crew")
    op.drop_table("visit_proposal")
    op.drop_table("visit_round")
    with op.batch_alter_table("visit") as batch:
        batch.drop_column("crews")
