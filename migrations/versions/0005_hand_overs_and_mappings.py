"""Hand-overs have tries, alarms and clocks; a provider may speak a dialect of its own

Revision: 0005, after: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from portal.kernel.database import insert_only_statements

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INSERT_ONLY = ("outbox_try", "provider_mapping")
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
COLUMNS = {
    "outbox_message": (("media_type", sa.String(80)), ("event", sa.LargeBinary())),
    "destination_health": (("held_until", TIME), ("tokens", sa.Float()), ("refilled_at", TIME)),
    "provider_access": (
        ("rate_per_minute", sa.Integer()),
        ("burst", sa.Integer()),
        ("duty_mobile", sa.String(32)),
        ("mapping_version", sa.Integer()),
    ),
    "inbox_message": (
        ("reason", sa.String(400)),
        ("unmapped", sa.String(120)),
        ("task_id", sa.String(32)),
        ("raw", sa.LargeBinary()),
    ),
}
CHECKS = {
    "provider_access": (("rate_per_minute", "rate_per_minute > 0"), ("burst", "burst > 0")),
    "inbox_message": (
        ("state", "state in ('applied','refused','stored','unmapped')"),
        ("kind", "kind in ('report','status')"),
    ),
}


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        with op.batch_alter_table(table) as batch:
            for name, type_ in columns:
                batch.add_column(sa.Column(name, type_, nullable=True))
    with op.batch_alter_table("inbox_message") as batch:
        batch.add_column(sa.Column("kind", sa.String(16), nullable=False, server_default="report"))
        batch.add_column(sa.Column("state", sa.String(16), nullable=False, server_default="applied"))
        batch.create_index(op.f("ix_inbox_message_task_id"), ["task_id"])
        batch.create_index("ix_inbox_trouble", ["state", "received_at"])
    op.execute("update inbox_message set state = 'refused' where status >= 400")
    for table, checks in CHECKS.items():
        with op.batch_alter_table(table) as batch:
            for name, condition in checks:
                batch.create_check_constraint(op.f(f"ck_{table}_{name}"), condition)
    _make_tables()
    for table in INSERT_ONLY:
        for statement in insert_only_statements(table, op.get_bind().dialect.name):
            op.execute(statement)


def _make_tables() -> None:
    op.create_table(
        "outbox_try",
        sa.Column("seq", sa.Integer(), nullable=False, autoincrement=True),
        sa.Column("message_id", sa.String(64), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("sent_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("error", sa.String(400), nullable=False),
        sa.Column("retry_after_s", sa.Float()),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_outbox_try")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_outbox_try_message_id"), "outbox_try", ["message_id"])
    op.create_table(
        "hand_over_alarm",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("subject_kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(24), nullable=False),
        sa.Column("provider", sa.String(64)),
        sa.Column("owner", sa.String(16), nullable=False),
        sa.Column("raised_at", TIME, nullable=False),
        sa.Column("act_until", TIME, nullable=False),
        sa.Column("resolved_at", TIME),
        sa.Column("resolved_by", sa.String(200)),
        sa.Column("resolution", sa.String(40)),
        sa.CheckConstraint(
            "subject_kind in ('outbox','inbox','notice','endpoint')", name=op.f("ck_hand_over_alarm_subject_kind")
        ),
        sa.CheckConstraint("owner in ('portal','provider')", name=op.f("ck_hand_over_alarm_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hand_over_alarm")),
        sa.UniqueConstraint(
            "subject_kind", "subject", "reason", name=op.f("uq_hand_over_alarm_subject_kind_subject_reason")
        ),
    )
    op.create_index(op.f("ix_hand_over_alarm_provider"), "hand_over_alarm", ["provider"])
    op.create_index("ix_alarm_open", "hand_over_alarm", ["resolved_at", "act_until"])
    op.create_table(
        "provider_mapping",
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("made_by", sa.String(200), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("provider", "version", name=op.f("pk_provider_mapping")),
    )


def downgrade() -> None:
    for table in ("provider_mapping", "hand_over_alarm", "outbox_try"):
        op.drop_table(table)
    with op.batch_alter_table("inbox_message") as batch:
        batch.drop_index("ix_inbox_trouble")
        batch.drop_index(op.f("ix_inbox_message_task_id"))
    for table, checks in CHECKS.items():
        with op.batch_alter_table(table) as batch:
            for name, _ in checks:
                batch.drop_constraint(op.f(f"ck_{table}_{name}"), type_="check")
    with op.batch_alter_table("inbox_message") as batch:
        batch.drop_column("state")
        batch.drop_column("kind")
    for table, columns in COLUMNS.items():
        with op.batch_alter_table(table) as batch:
            for name, _ in columns:
                batch.drop_column(name)
