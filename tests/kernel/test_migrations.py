"""The migrations build what the models say, on both databases, and can be taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import Migrate, downgrade, upgrade
from sqlalchemy import inspect, text
from sqlalchemy.exc import DatabaseError

import portal.tables  # noqa: F401 - registers every wing's tables
from portal.kernel.database import INSERT_ONLY, Base, db, init_database

MIGRATIONS = str(Path(__file__).resolve().parents[2] / "migrations")


@pytest.fixture
def empty_app(database_url):
    app = Flask("migrated")
    init_database(app, database_url)
    Migrate(app, db, directory=MIGRATIONS)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def test_migrations_build_what_the_models_say(empty_app):
    upgrade(MIGRATIONS)
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, Base.metadata) == []


def test_migrations_can_be_taken_back_and_made_again(empty_app):
    upgrade(MIGRATIONS)
    downgrade(MIGRATIONS, revision="base")
    assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
    upgrade(MIGRATIONS)
    assert {"case", "transfer", "audit_record"} <= set(inspect(db.engine).get_table_names())


def test_a_migrated_database_refuses_to_change_what_is_only_added_to(empty_app):
    upgrade(MIGRATIONS)
    assert INSERT_ONLY
    with db.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO audit_record (at, actor_kind, actor_id, actor_name, action, subject, detail, digest)"
                " VALUES ('2026-11-23 01:00:00', 'system', 'x', 'x', 'test', 'x', '{}', 'x')"
            )
        )
    with pytest.raises(DatabaseError, match="insert-only"), db.engine.begin() as connection:
        connection.execute(text("UPDATE audit_record SET action = 'other'"))
