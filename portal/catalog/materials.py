"""Which papers a situation calls for, by the catalog's rules."""

from __future__ import annotations

from portal.catalog.conditions import holds
from portal.catalog.model import Catalog, Facts, MaterialRule


def materials_for(catalog: Catalog, facts: Facts) -> tuple[MaterialRule, ...]:
    """The rules that apply, in the order of the file; waived papers are not among them.

    `facts`: kind, utilities (set), applicant_kind, has_agent, power_voltage, power_kva, water_dn, outside_line_m,
    investment_wan and whatever else the file's conditions name; an unknown fact is None.
    """
    return tuple(rule for rule in catalog.materials if rule.class_ != "waived" and holds(rule.when, facts))


__all__ = ["MaterialRule", "materials_for"]
