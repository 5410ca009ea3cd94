"""Papers: main ones are needed to file, owed ones (容缺) may follow against a promise, waived ones are not asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portal.cases.application_findings import Context, Finding, refuse, remark
from portal.cases.application_parts import Material
from portal.cases.application_site import not_served
from portal.cases.application_texts import MATERIAL_TITLES
from portal.cases.uploads import is_material_id
from portal.catalog import materials as rules
from portal.catalog.materials import MaterialRule

if TYPE_CHECKING:
    from portal.cases.application import Application

READS = frozenset({"kind", "combined_with", "applicant", "project", "site", "utilities", "materials", "consents"})


@dataclass(frozen=True, slots=True)
class Owed:
    """A paper still to come: any one of `kinds`, by the stage it holds up, and why it is owed.

    `reason`: missing | promised | consent (in the licence store, but not allowed to be fetched).
    """

    kinds: tuple[str, ...]
    title: str
    due_stage: str | None
    reason: str


def material_facts(application: Application, context: Context) -> dict[str, Any]:
    """What the catalog's paper rules may ask about an application; sizes are None where unknown.

    `utilities` are those with a network at the site: nobody hands in drawings for a supply that will not come.
    """
    sections = application.utilities.sections()
    absent = {item.utility for item in not_served(application, context)}
    power, water = application.utilities.power, application.utilities.water
    return {
        "kind": application.kind,
        "kinds": {name: section.kind or application.kind for name, section in sections.items()},
        "combined_with": frozenset(application.combined_with),
        "utilities": frozenset(sections) - absent,
        "applicant_kind": application.applicant.kind,
        "has_agent": application.applicant.agent is not None,
        "power_voltage": power.voltage if power else None,
        "power_kva": power.added_kva if power else None,
        "water_dn": water.pipe_dn_mm if water else None,
        "outside_line_m": application.site.outside_line_estimate_m,
        "investment_wan": application.project.investment_wan,
        "floor_area_m2": application.project.floor_area_above_m2,
        "households": application.project.households,
        "given": frozenset(material.kind for material in application.materials),
    }


def check_papers(application: Application, context: Context) -> Iterator[Finding]:
    """Main papers are there; what is owed is promised; the licence store is read only with consent."""
    asked = _asked(application, context)
    for rule in asked:
        if rule.class_ == "main":
            yield from _main(rule, application.materials)
    yield from _agent(application, asked)
    promised = [owed.title for owed in owed_papers(application, context) if owed.reason != "consent"]
    if promised and not application.consents.promise_terms:
        yield refuse("consents.promise_terms", "promise_needed", titles="、".join(promised))
    for index, material in enumerate(application.materials):
        if _lacks_consent(application, material):
            title = _title(asked, material.kind)
            yield remark(f"materials.{index}.source", "letter_consent", title=title)


def owed_papers(application: Application, context: Context) -> tuple[Owed, ...]:
    """Every paper still to come: those the catalog asks for, in its order, then whatever else was promised."""
    owed, asked = [], _asked(application, context)
    for rule in asked:
        given = [material for material in application.materials if material.kind in rule.kinds]
        reason = _why_owed(application, given)
        # A main paper can only be owed by consent: missing or promised ones refuse the application.
        if reason and (rule.class_ == "owed" or reason == "consent"):
            owed.append(Owed(tuple(rule.kinds), rule.title, rule.due_stage, reason))
    known = {kind for rule in asked for kind in rule.kinds}
    extra = [m.kind for m in application.materials if m.source == "promised" and m.kind not in known]
    return (*owed, *(Owed((kind,), MATERIAL_TITLES[kind], None, "promised") for kind in dict.fromkeys(extra)))


def owed_bytes(application: Application) -> tuple[str, ...]:
    """Names of uploads whose bytes are still to come: a file name instead of an id, or nothing at all."""
    names = []
    for index, material in enumerate(application.materials):
        if material.source == "upload" and not is_material_id(material.file or ""):
            names.append(material.file or f"materials.{index}")
    return tuple(names)


def _asked(application: Application, context: Context) -> tuple[MaterialRule, ...]:
    return tuple(rules.materials_for(context.catalog, material_facts(application, context)))


def _main(rule: MaterialRule, materials: tuple[Material, ...]) -> Iterator[Finding]:
    given = [(index, material) for index, material in enumerate(materials) if material.kind in rule.kinds]
    if not given:
        yield refuse("materials", "main_missing", title=rule.title)
    elif all(material.source == "promised" for _, material in given):
        yield refuse(f"materials.{given[0][0]}.source", "main_promised", title=rule.title)


def _agent(application: Application, asked: tuple[MaterialRule, ...]) -> Iterator[Finding]:
    if application.applicant.agent is None or any("authorisation_letter" in rule.kinds for rule in asked):
        return
    if not any(m.kind == "authorisation_letter" and m.source != "promised" for m in application.materials):
        yield refuse("materials", "agent_letter")


def _why_owed(application: Application, given: list[Material]) -> str | None:
    if not given:
        return "missing"
    if any(material.source != "promised" and not _lacks_consent(application, material) for material in given):
        return None
    return "consent" if any(material.source == "licence_store" for material in given) else "promised"


def _lacks_consent(application: Application, material: Material) -> bool:
    return material.source == "licence_store" and material.kind not in application.consents.reuse_licences


def _title(asked: tuple[MaterialRule, ...], kind: str) -> str:
    return next((rule.title for rule in asked if rule.kinds == (kind,)), MATERIAL_TITLES[kind])
