"""A paper may be replaced by a later one: a contract's draft, once the contract is signed

Revision: 0002, after: 0001
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NAME = op.f("ck_document_state")


def upgrade() -> None:
    _allow("'pending','ready','failed','replaced'")


def downgrade() -> None:
    op.execute("update document set state = 'failed', error = 'replaced' where state = 'replaced'")
    _allow("'pending','ready','failed'")


def _allow(states: str) -> None:
    with op.batch_alter_table("document") as batch:
        batch.drop_constraint(NAME, type_="check")
        batch.create_check_constraint(NAME, f"state in ({states})")
