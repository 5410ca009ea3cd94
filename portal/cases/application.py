"""One combined application: the typed model of what is filed, and everything that is checked before it is taken.

All mistakes are collected at once, so that an applicant mends them in one go. Sections that are sound are checked
further even when another section is not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from portal.cases import application_checks as checks
from portal.cases import application_papers as papers
from portal.cases import application_site as sites
from portal.cases.application_document import hostile_texts, tidy
from portal.cases.application_findings import Context, Finding, Note
from portal.cases.application_papers import Owed
from portal.cases.application_parts import (
    Applicant,
    Consents,
    Material,
    PreviousHolder,
    Project,
    RefundAccount,
    Site,
    SurveyWish,
)
from portal.cases.application_texts import shape_text
from portal.cases.application_types import Items, Maybe, Part, UniqueItems
from portal.cases.application_utilities import Kind, Utilities
from portal.catalog.model import Catalog
from portal.catalog.routing import NotServed
from portal.kernel.errors import FieldError

Channel = Literal["web", "counter", "gov_portal", "provider_hall", "hotline_95598", "hotline_12345", "park"]


class Application(Part):
    """What one applicant files once; the mirror of the published JSON schema."""

    kind: Kind
    combined_with: UniqueItems[Literal["transfer", "increase", "change_class", "refund_deposit"]] = ()
    channel: Maybe[Channel] = None
    applicant: Applicant
    project: Project
    site: Site
    utilities: Utilities
    materials: Items[Material]
    consents: Consents = Consents()
    merged_bill: Maybe[bool] = None
    previous_holder: Maybe[PreviousHolder] = None
    delivery: Literal["electronic", "counter", "post"] = "electronic"
    origin_ref: Maybe[Annotated[str, Field(max_length=64)]] = None
    notice_version: Annotated[str, Field(max_length=20)]
    refund_account: Maybe[RefundAccount] = None
    survey_wishes: Annotated[Items[SurveyWish], Field(max_length=6)] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome of all checks. `application` and `document` are there only when `errors` is empty.

    `document` is the application as it is stored: plain JSON, with the channel set and assumed values filled in.
    `owed`: papers handed in later, by rule; `owed_bytes`: file names in `materials` whose bytes are still to come.
    """

    application: Application | None
    document: dict[str, Any] | None
    errors: tuple[FieldError, ...]
    notes: tuple[Note, ...]
    not_served: tuple[NotServed, ...]
    owed: tuple[Owed, ...]
    owed_bytes: tuple[str, ...]


Check = Callable[[Application, Context], Iterable[Finding]]
# Each check with the sections it reads: it runs only when all of them are sound.
CHECKS: tuple[tuple[frozenset[str], Check], ...] = (
    (frozenset({"channel"}), checks.check_channel),
    (frozenset({"applicant"}), checks.check_applicant),
    (frozenset({"kind", "combined_with", "utilities", "previous_holder"}), checks.check_transfer),
    (frozenset({"project"}), checks.check_project),
    (frozenset({"site"}), sites.check_site),
    (frozenset({"kind", "applicant", "utilities"}), checks.check_needed_fields),
    (frozenset({"kind", "utilities"}), checks.check_utility_days),
    (frozenset({"utilities"}), checks.check_operators),
    (frozenset({"survey_wishes"}), checks.check_wishes),
    (frozenset({"site", "utilities"}), sites.check_served),
    (papers.READS, papers.check_papers),
)
_FIELDS = {name: TypeAdapter(field.rebuild_annotation()) for name, field in Application.model_fields.items()}


def check_application(
    body: object,
    *,
    catalog: Catalog,
    on: dt.date,
    overrides: frozenset[str] = frozenset(),
    channel: str | None = None,
) -> Checked:
    """Check a parsed JSON document as an application filed on `on` (Shanghai day) through `channel`.

    `overrides`: dotted fields whose wrong check character a clerk has seen proven (`applicant.uscc`); it becomes a
    note. Never raises for a bad document: everything wrong is in `errors`, with dotted paths.
    """
    context = Context(catalog, on, channel)
    hostile = hostile_texts(body)
    if hostile:
        return Checked(None, None, tuple(hostile), (), (), (), ())
    application, sound, shape_errors = _read(body)
    found = [finding.after(overrides) for finding in _run(application, sound, context)]
    errors = _distinct([*shape_errors, *(finding.as_error() for finding in found if finding.refuses)])
    notes = tuple(finding.as_note() for finding in found if not finding.refuses)
    not_served = sites.not_served(application, context) if {"site", "utilities"} <= sound else ()
    if errors:
        return Checked(None, None, errors, notes, not_served, (), ())
    complete = checks.with_assumed_values(application, channel)
    document = tidy(complete.model_dump(mode="json", exclude_unset=True))
    owed = papers.owed_papers(complete, context)
    return Checked(complete, document, (), notes, not_served, owed, papers.owed_bytes(complete))


def _read(body: object) -> tuple[Application, frozenset[str], list[FieldError]]:
    """The application as far as it is sound, the names of its sound sections, and what is wrong with the others."""
    try:
        return Application.model_validate(body), frozenset(_FIELDS), []
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    errors = []
    for detail in details:
        field = ".".join(str(part) for part in detail["loc"])
        errors.append(FieldError(field, shape_text(field, detail), detail["type"]))
    sound = frozenset(_FIELDS) - {str(detail["loc"][0]) for detail in details if detail["loc"]}
    given = body if isinstance(body, dict) else {}
    if not given:
        sound = frozenset()
    parsed = {name: _FIELDS[name].validate_python(given[name]) for name in given if name in sound}
    return Application.model_construct(**parsed), sound, errors


def _run(application: Application, sound: frozenset[str], context: Context) -> Iterator[Finding]:
    for reads, check in CHECKS:
        if reads <= sound:
            yield from check(application, context)


def _distinct(errors: list[FieldError]) -> tuple[FieldError, ...]:
    return tuple({(error.field, error.message): error for error in errors}.values())
