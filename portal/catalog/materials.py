"""Which papers a situation calls for, by the catalog's rules."""

from __future__ import annotations

from portal.catalog.conditions import holds
from portal.catalog.model import Catalog, Facts, MaterialRule

__all__ = ["MATERIAL_FACTS", "MaterialRule", "materials_for"]

# What the conditions of the rules may ask about; `given` are the kinds of papers handed in or promised.
_FACTS = (
    "kind combined_with utilities applicant_kind has_agent power_voltage power_kva water_dn outside_line_m"
    " investment_wan floor_area_m2 households given is_transfer"
)
MATERIAL_FACTS = frozenset(_FACTS.split())


def materials_for(catalog: Catalog, facts: Facts) -> tuple[MaterialRule, ...]:
    """One rule a paper, in the order of the file: the first of its rules that applies, waived ones included.

    `facts`: those of MATERIAL_FACTS, and `kinds` (utility → kind where it differs); an unknown or absent fact is None.
    """
    known = {**facts, "is_transfer": _is_transfer(facts)}
    chosen: dict[str, MaterialRule] = {}
    for rule in catalog.materials:
        if rule.paper not in chosen and holds(rule.when, known):
            chosen[rule.paper] = rule
    return tuple(chosen.values())


def _is_transfer(facts: Facts) -> bool:
    kinds = {facts.get("kind"), *(facts.get("kinds") or {}).values(), *(facts.get("combined_with") or ())}
    return "transfer" in kinds
