"""A provider may be reached by mail; read-backs are tried again; changes are numbered for the pull cursor

Revision: 0010, after: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

MAIL_TO = op.f("ck_provider_access_mail_to")
UNREAD = sa.text("read_back = 'unread'")


def upgrade() -> None:
    with op.batch_alter_table("provider_access") as batch:
        batch.add_column(sa.Column("mail_to", sa.String(254), nullable=True))
        batch.create_check_constraint(MAIL_TO, "level <> 'mail' or mail_to is not null")
    with op.batch_alter_table("outbox_message") as batch:
        batch.add_column(sa.Column("in_doubt", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("change_no", sa.BigInteger(), nullable=True))
    # Cursors that were handed out before counted rows: what was there keeps its number.
    op.execute("update outbox_message set change_no = seq")
    op.create_index("ix_outbox_unread", "outbox_message", ["next_at"], sqlite_where=UNREAD, postgresql_where=UNREAD)
    op.create_index("uq_outbox_change_no", "outbox_message", ["destination", "change_no"], unique=True)


def downgrade() -> None:
    op.drop_index("uq_outbox_change_no", "outbox_message")
    op.drop_index("ix_outbox_unread", "outbox_message")
    with op.batch_alter_table("outbox_message") as batch:
        batch.drop_column("change_no")
        batch.drop_column("in_doubt")
    op.execute("update provider_access set level = 'desk' where level = 'mail'")
    with op.batch_alter_table("provider_access") as batch:
        batch.drop_constraint(MAIL_TO, type_="check")
        batch.drop_column("mail_to")
