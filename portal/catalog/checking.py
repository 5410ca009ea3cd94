"""What must hold between the parts of a catalog. Every check yields (dotted key, reason) and raises nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator

from portal.catalog.levels import LEVEL_FACTS
from portal.catalog.materials import MATERIAL_FACTS
from portal.catalog.model import Catalog, Condition

Fault = tuple[str, str]
# The pauses of the provider protocol: a provider may send any of them, so each needs its text.
PROTOCOL_PAUSES = (
    "applicant_correction",
    "applicant_works",
    "outside_permit",
    "testing",
    "expert_review",
    "contract_signing",
    "payment",
    "force_majeure",
    "frozen_ground",
)


def faults(catalog: Catalog) -> Iterator[Fault]:
    """Everything wrong between the parts, file by file."""
    for check in _CHECKS:
        yield from check(catalog)


def _check_city(catalog: Catalog) -> Iterator[Fault]:
    yield from _once("utilities", (utility.code for utility in catalog.utilities))
    yield from _once("operators", (operator.code for operator in catalog.operators))
    if catalog.city.lead_agency not in {office.code for office in catalog.offices}:
        yield "city.lead_agency", f"there is no office {catalog.city.lead_agency!r}"


def _check_divisions(catalog: Catalog) -> Iterator[Fault]:
    yield from _once("divisions", (division.code for division in catalog.divisions))
    outlined = {outline.division for outline in catalog.outlines}
    for index, division in enumerate(catalog.divisions):
        if division.code not in outlined:
            yield f"divisions.{index}", "has no outline in areas.toml"
        for at, street in enumerate(division.streets):
            if not street.code.startswith(division.code):
                yield f"divisions.{index}.streets.{at}.code", f"{street.code} is not a code of {division.code}"


def _check_areas(catalog: Catalog) -> Iterator[Fault]:
    divisions = {division.code for division in catalog.divisions}
    yield from _once("areas", (area.code for area in catalog.areas))
    for table in ("outlines", "areas", "not_served"):
        for index, row in enumerate(getattr(catalog, table)):
            yield from _known(f"{table}.{index}.division", [row.division], divisions)
    for index, area in enumerate(catalog.areas):
        streets = {s.code for d in catalog.divisions if d.code == area.division for s in d.streets}
        yield from _known(f"areas.{index}.streets", area.streets, streets)


def _check_providers(catalog: Catalog) -> Iterator[Fault]:
    for field in ("code", "uscc", "merchant_id"):
        yield from _once("providers", (getattr(provider, field) for provider in catalog.providers), field)
    divisions = {division.code for division in catalog.divisions}
    areas = {area.code for area in catalog.areas}
    operators = {operator.code for operator in catalog.operators}
    for index, provider in enumerate(catalog.providers):
        key = f"providers.{index}"
        yield from _known(f"{key}.divisions", provider.divisions, divisions)
        yield from _known(f"{key}.areas", provider.areas or (), areas)
        yield from _known(f"{key}.operator", [provider.operator] if provider.operator else (), operators)
        if (provider.utility == "network") != (provider.operator is not None):
            yield f"{key}.operator", "every network provider has an operator, and no other provider has one"
        if provider.level == "mail" and provider.duty_mail is None:
            yield f"{key}.duty_mail", "a provider that is reached by mail needs the address its duty desk reads"


def _check_served(catalog: Catalog) -> Iterator[Fault]:
    """Somebody provides each utility in each division, and each operator's network."""
    offered = {(p.utility, p.operator, division) for p in catalog.providers for division in p.divisions}
    for utility in catalog.utilities:
        operators = [o.code for o in catalog.operators] if utility.code == "network" else [None]
        for operator in operators:
            for division in catalog.divisions:
                if (utility.code, operator, division.code) not in offered:
                    what = f"{utility.code} ({operator})" if operator else utility.code
                    yield "providers", f"nobody provides {what} in {division.name} ({division.code})"


def _check_levels(catalog: Catalog) -> Iterator[Fault]:
    yield from _once("levels", (level.code for level in catalog.levels))
    accepted = {utility.code for utility in catalog.utilities if utility.always_accepted}
    last = {level.utility: index for index, level in enumerate(catalog.levels)}
    for index, level in enumerate(catalog.levels):
        key = f"levels.{index}"
        if level.utility in accepted and "acceptance" not in level.stages:
            yield f"{key}.stages", f"acceptance is never skipped for {level.utility}"
        if not level.when and index != last[level.utility]:
            yield f"{key}.when", f"without conditions no later level of {level.utility} can apply"
        yield from _askable(f"{key}.when", level.when, LEVEL_FACTS[level.utility])
    for utility in catalog.utilities:
        if utility.code not in last or catalog.levels[last[utility.code]].when:
            yield "levels", f"the last level of {utility.code} must have no conditions, so that every case has one"


def _check_fees(catalog: Catalog) -> Iterator[Fault]:
    codes = {provider.code for provider in catalog.providers}
    for index, item in enumerate(catalog.fees):
        yield from _known(f"fees.{index}.providers", item.providers, codes)
    for code in codes:
        utility = catalog.provider(code).utility
        theirs = [i for i in catalog.fees if i.utility == utility and (not i.providers or code in i.providers)]
        for at, item in enumerate(theirs):
            for other in theirs[:at]:
                apart = (item.until_on and item.until_on < other.from_on) or (
                    other.until_on and other.until_on < item.from_on
                )
                if item.code == other.code and not apart:
                    yield f"fees.{catalog.fees.index(item)}", f"{code} has two prices for {item.code} on one day"


def _check_materials(catalog: Catalog) -> Iterator[Fault]:
    for index, rule in enumerate(catalog.materials):
        yield from _known(f"materials.{index}.kinds", rule.kinds, catalog.material_names)
        yield from _askable(f"materials.{index}.when", rule.when, MATERIAL_FACTS)


def _check_codes(catalog: Catalog) -> Iterator[Fault]:
    yield from _once("codes", (code.code for code in catalog.codes.all()))
    pauses = {code.code for code in catalog.codes.pauses}
    yield from (
        ("codes.pauses", f"the protocol's {pause!r} is missing") for pause in PROTOCOL_PAUSES if pause not in pauses
    )
    permits = {code.code for code in catalog.codes.permits}
    yield from _once("offices", (office.code for office in catalog.offices))
    for index, office in enumerate(catalog.offices):
        yield from _known(f"offices.{index}.permit_kinds", office.permit_kinds, permits)


def _check_ground(catalog: Catalog) -> Iterator[Fault]:
    yield from _once("spacings", ("-".join(sorted((row.a, row.b))) for row in catalog.spacings), "pair")
    yield from _once("covers", (row.utility for row in catalog.covers), "utility")
    conditions = {code.code for code in catalog.codes.conditions}
    for index, order in enumerate(catalog.condition_orders):
        yield from _known(f"condition_orders.{index}.code", [order.code], conditions)
    for index, pair in enumerate(catalog.contradictions):
        yield from _known(f"contradictions.{index}", [pair.a, pair.b], conditions)
    divisions = {division.code for division in catalog.divisions}
    for table in ("roads", "planned_works"):
        yield from _once(table, (row.code for row in getattr(catalog, table)))
        for index, row in enumerate(getattr(catalog, table)):
            yield from _known(f"{table}.{index}.division", [row.division], divisions)


def _check_calendar(catalog: Catalog) -> Iterator[Fault]:
    yield from _once("calendar_days", (str(year.year) for year in catalog.calendar_days))
    for index, year in enumerate(catalog.calendar_days):
        for day in (*year.rest, *year.work):
            if day.year != year.year:
                yield f"calendar_days.{index}", f"{day} is not a day of {year.year}"
            if day in year.rest and day in year.work:
                yield f"calendar_days.{index}", f"{day} is both worked and free"


_CHECKS: tuple[Callable[[Catalog], Iterator[Fault]], ...] = (
    _check_city,
    _check_divisions,
    _check_areas,
    _check_providers,
    _check_served,
    _check_levels,
    _check_fees,
    _check_materials,
    _check_codes,
    _check_ground,
    _check_calendar,
)


def _once(key: str, values: Iterable[str], field: str = "code") -> Iterator[Fault]:
    yield from ((key, f"{field} {value!r} stands there {n} times") for value, n in Counter(values).items() if n > 1)


def _known(key: str, values: Iterable[str], known: Collection[str]) -> Iterator[Fault]:
    yield from ((key, f"{value!r} is not known") for value in values if value not in known)


def _askable(key: str, conditions: Iterable[Condition], facts: Collection[str]) -> Iterator[Fault]:
    for at, condition in enumerate(conditions):
        if condition.fact not in facts:
            yield f"{key}.{at}.fact", f"{condition.fact!r} is no fact; use one of {', '.join(sorted(facts))}"
