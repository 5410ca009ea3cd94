"""A bill may change after it was issued: lines are set aside, its paper is made anew, overpaid money is owed back

Revision: 0008, after: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OWED_BACK = op.f("ck_bill_line_owed_back")


def upgrade() -> None:
    with op.batch_alter_table("bill") as batch:
        batch.add_column(sa.Column("revision", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("bill") as batch:
        batch.alter_column("revision", server_default=None)
    with op.batch_alter_table("bill_line") as batch:
        batch.add_column(sa.Column("void_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("owed_back_fen", sa.BigInteger(), nullable=False, server_default="0"))
    with op.batch_alter_table("bill_line") as batch:
        batch.alter_column("owed_back_fen", server_default=None)
        batch.create_check_constraint(OWED_BACK, "0 <= owed_back_fen and owed_back_fen <= paid_fen")


def downgrade() -> None:
    with op.batch_alter_table("bill_line") as batch:
        batch.drop_constraint(OWED_BACK, type_="check")
        batch.drop_column("owed_back_fen")
        batch.drop_column("void_at")
    with op.batch_alter_table("bill") as batch:
        batch.drop_column("revision")
