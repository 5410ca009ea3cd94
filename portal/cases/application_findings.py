"""What a check of an application finds: something that refuses it, or something the clerk should look at."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from portal.cases.application_texts import TEXTS
from portal.catalog.model import Catalog
from portal.kernel.errors import FieldError

# A check character proves a slip of the pen, not that the document is false: a clerk who has seen it may go on.
OVERRIDABLE = frozenset({"uscc_check", "id_check"})


@dataclass(frozen=True, slots=True)
class Note:
    """A hint for the clerk about one field; it refuses nothing."""

    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Context:
    """What checks may know beside the application: the city, today's date and the credential's channel."""

    catalog: Catalog
    on: dt.date
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of one check."""

    field: str
    code: str
    message: str
    refuses: bool

    def as_error(self) -> FieldError:
        """As the caller gets it."""
        return FieldError(self.field, self.message, self.code)

    def as_note(self) -> Note:
        """As the clerk gets it."""
        return Note(self.field, self.code, self.message)

    def after(self, overrides: frozenset[str]) -> Finding:
        """Turned into a note where a clerk has overridden this field's check character."""
        if not self.refuses or self.field not in overrides or self.code not in OVERRIDABLE:
            return self
        text = TEXTS["overridden"].format(field=self.field)
        return replace(self, refuses=False, message=text)


def refuse(field: str, code: str, **values: str) -> Finding:
    """A finding that refuses the application."""
    return Finding(field, code, TEXTS[code].format(**values), refuses=True)


def remark(field: str, code: str, **values: str) -> Finding:
    """A finding for the clerk only."""
    return Finding(field, code, TEXTS[code].format(**values), refuses=False)
