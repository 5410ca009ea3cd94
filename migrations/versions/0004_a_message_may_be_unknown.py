"""A message may be unknown: its receiver may act twice and did not answer, so a person finds out

Revision: 0004, after: 0003
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NAME = op.f("ck_outbox_message_state")
STATES = "'kept','pending','leased','delivered','dead','gone'"


def upgrade() -> None:
    _allow(f"{STATES},'unknown'")


def downgrade() -> None:
    op.execute("update outbox_message set state = 'dead' where state = 'unknown'")
    _allow(STATES)


def _allow(states: str) -> None:
    with op.batch_alter_table("outbox_message") as batch:
        batch.drop_constraint(NAME, type_="check")
        batch.create_check_constraint(NAME, f"state in ({states})")
