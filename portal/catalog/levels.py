"""Which class of connection an application is, and so which stages and limits it has."""

from __future__ import annotations

from decimal import Decimal

from portal.catalog.conditions import holds
from portal.catalog.model import Catalog, Facts, ServiceLevel

LOW_VOLTAGES = ("220V", "380V")
# Above this, a load is normally supplied at 10 kV (domain facts §2, "Ranges").
LARGEST_LOW_VOLTAGE_KVA = Decimal(200)

_SHARED = ("kind", "applicant_kind", "enterprise_scale", "outside_line_m", "has_line", "account_no", "new_class")
_PER_UTILITY = {
    "power": "load_class existing_kva added_kva added_kw temporary_kva total_kva voltage is_high_voltage sources"
    " load_grade own_generation disturbing_load charging_piles parking_spaces ebike_charging",
    "water": "use daily_m3 peak_hour_m3 pipe_dn_mm booster meters temporary_m3_d top_floor_m tank_m3 drainage"
    " indoor_hydrants outdoor_hydrants",
    "gas": "use peak_m3_h daily_m3 annual_m3 pressure interruptible households",
    "heating": "use heated_area_m2 heat_load_kw storey_height_m terminal metered exchange_station",
    "network": "service bandwidth_mbps fibre_cores households ducts",
}
# What the conditions of a utility's levels may ask about: fields of its section, and the facts derived below.
LEVEL_FACTS = {utility: frozenset(_SHARED) | frozenset(names.split()) for utility, names in _PER_UTILITY.items()}


def service_level(catalog: Catalog, utility: str, facts: Facts) -> ServiceLevel:
    """The first level of `utility` whose conditions hold; the last one of each utility has none.

    `facts`: the utility's own section of the application plus `kind`, `outside_line_m` (metres, None = unknown),
    `applicant_kind`, `enterprise_scale`. Raises LookupError for a utility the catalog does not know.
    """
    known = {**facts, **_derived(utility, facts)}
    for level in catalog.levels:
        if level.utility == utility and holds(level.when, known):
            return level
    raise LookupError(f"the catalog has no service level of {utility!r}")


def _derived(utility: str, facts: Facts) -> dict[str, object]:
    """What the tables also ask for: `has_line` (a line outside the site; unknown counts as yes) and sizes of power."""
    line = facts.get("outside_line_m")
    derived: dict[str, object] = {"has_line": line is None or Decimal(str(line)) > 0}
    if utility == "power":
        total = _total_kva(facts)
        voltage = facts.get("voltage")
        large = total is not None and total > LARGEST_LOW_VOLTAGE_KVA
        derived["total_kva"] = total
        derived["is_high_voltage"] = large if voltage is None else voltage not in LOW_VOLTAGES
        derived["sources"] = facts.get("sources") or "single"
    return derived


def _total_kva(facts: Facts) -> Decimal | None:
    """Existing + added capacity in kVA, or in kW where only that is known (policy item 2 reads 千伏安(千瓦))."""
    wanted = facts.get("added_kva") or facts.get("added_kw")
    if wanted is None and facts.get("kind") == "temporary":
        wanted = facts.get("temporary_kva")
    if wanted is None:
        return None
    return Decimal(str(wanted)) + Decimal(str(facts.get("existing_kva") or 0))
