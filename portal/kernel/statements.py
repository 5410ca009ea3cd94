"""A statement written down once: compiled at its first use, then handed to the driver as it is.

For the few hot paths where building a statement costs more than running it. Values pass through the same conversions
as everywhere else (aware UTC times, dates, JSON); the text of the statement is SQLAlchemy's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, JSON, ColumnElement, Row, String, Table, any_, bindparam, func, select
from sqlalchemy.engine import Connection, CursorResult, Dialect
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement

from portal.kernel.database import Base

Processor = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Compiled:
    text: str
    names: tuple[str, ...] | None  # in the driver's order; None where the driver takes them by name
    processors: tuple[tuple[str, Processor], ...]
    constants: Mapping[str, Any]  # what the statement itself says

    def parameters(self, row: Mapping[str, Any]) -> Any:
        values = {**self.constants, **row}
        for name, process in self.processors:
            values[name] = process(values[name])
        return values if self.names is None else tuple(values[name] for name in self.names)


def table_of(model: type[Base]) -> Table:
    """The table of a mapped class."""
    table = model.__table__
    assert isinstance(table, Table)
    return table


def is_among(column: ColumnElement[str], name: str, dialect: str) -> ColumnElement[bool]:
    """`column` is one of the list bound as `name`, in one parameter: the statement stays the same for any length."""
    if dialect == "postgresql":
        return column == any_(bindparam(name, type_=ARRAY(String)))
    values = func.json_each(bindparam(name, type_=JSON)).table_valued("value")
    return column.in_(select(values.c.value))


class Prepared:
    """One statement. `make(dialect)` builds it once for each dialect ("sqlite", "postgresql")."""

    def __init__(self, make: Callable[[str], ClauseElement]) -> None:
        self._make = make
        self._compiled: dict[str, _Compiled] = {}

    def run(self, session: Session, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run once for each row, in one call of the driver; answers how many table rows were met in all."""
        if not rows:
            return 0
        connection = session.connection()
        compiled = self._for(connection)
        parameters = [compiled.parameters(row) for row in rows]
        found: CursorResult[Any] = connection.exec_driver_sql(
            compiled.text, parameters if len(parameters) > 1 else parameters[0]
        )
        return found.rowcount

    def fetch(self, session: Session, row: Mapping[str, Any]) -> list[Row[Any]]:
        """Run once and answer all rows, as the driver gives them: for columns of text and whole numbers only."""
        connection = session.connection()
        compiled = self._for(connection)
        return list(connection.exec_driver_sql(compiled.text, compiled.parameters(row)))

    def _for(self, connection: Connection) -> _Compiled:
        name = connection.dialect.name
        if name not in self._compiled:
            self._compiled[name] = _compile(self._make(name), connection.dialect)
        return self._compiled[name]


def _compile(statement: ClauseElement, dialect: Dialect) -> _Compiled:
    compiled = statement.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)
    processors = []
    for bind, name in compiled.bind_names.items():
        process = bind.type.dialect_impl(dialect).bind_processor(dialect)
        if process is not None:
            processors.append((name, process))
    names = tuple(compiled.positiontup) if compiled.positional and compiled.positiontup else None
    return _Compiled(str(compiled), names, tuple(processors), dict(compiled.params))
