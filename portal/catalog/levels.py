"""Which class of connection an application is, and so which stages and limits it has."""

from __future__ import annotations

from decimal import Decimal

from portal.catalog.conditions import holds
from portal.catalog.model import Catalog, Facts, ServiceLevel


def service_level(catalog: Catalog, utility: str, facts: Facts) -> ServiceLevel:
    """The first level of `utility` whose conditions hold.

    `facts`: the utility's own section of the application plus `kind`, `outside_line_m` (None = unknown),
    `applicant_kind`, `enterprise_scale`. Raises LookupError when no level fits: the catalog then has a hole.
    """
    known = {**facts, **derived_facts(utility, facts)}
    for level in catalog.levels:
        if level.utility == utility and holds(level.when, known):
            return level
    raise LookupError(f"no service level of {utility} fits {sorted(known)}")


def derived_facts(utility: str, facts: Facts) -> dict[str, object]:
    """What the tables also ask for: `has_line` (a line outside the site, unknown counts as yes) and total capacity.

    `total_kva` is existing + added, in kVA, or kW where only that is known (policy item 2 reads 千伏安(千瓦)).
    """
    line = facts.get("outside_line_m")
    derived: dict[str, object] = {"has_line": line is None or Decimal(str(line)) > 0}
    if utility == "power":
        added = facts.get("added_kva") or facts.get("added_kw")
        if added is not None:
            derived["total_kva"] = Decimal(str(added)) + Decimal(str(facts.get("existing_kva") or 0))
        derived["is_high_voltage"] = _is_high_voltage(facts, derived.get("total_kva"))
    return derived


def _is_high_voltage(facts: Facts, total_kva: object) -> bool:
    voltage = facts.get("voltage")
    if voltage is not None:
        return str(voltage) not in ("220V", "380V")
    return total_kva is not None and Decimal(str(total_kva)) > 200
