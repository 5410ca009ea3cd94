"""What a provider may see: allowlists only. What is not named here does not leave, whatever the application grows.

All functions take the application as filed (checked JSON) and answer JSON-able values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Body = Mapping[str, Any]

_COMMON = ("kind", "not_sure", "account_no", "new_class", "last_day_on", "plain_facts", "wanted_on")
_PART: dict[str, tuple[str, ...]] = {
    "water": (
        *_COMMON,
        "use",
        "daily_m3",
        "peak_hour_m3",
        "pipe_dn_mm",
        "indoor_hydrants",
        "outdoor_hydrants",
        "booster",
        "top_floor_m",
        "tank_m3",
        "meters",
        "drainage",
        "temporary_m3_d",
        "temporary_wanted_on",
        "temporary_until_on",
    ),
    "power": (
        *_COMMON,
        "load_class",
        "existing_kva",
        "added_kva",
        "added_kw",
        "temporary_kva",
        "voltage",
        "sources",
        "load_grade",
        "own_generation",
        "disturbing_load",
        "charging_piles",
        "ebike_charging",
        "parking_spaces",
        "equipment",
        "temporary_wanted_on",
        "temporary_until_on",
    ),
    "gas": (
        *_COMMON,
        "use",
        "peak_m3_h",
        "daily_m3",
        "annual_m3",
        "pressure",
        "interruptible",
        "households",
        "appliances",
    ),
    "heating": (
        *_COMMON,
        "use",
        "heated_area_m2",
        "heat_load_kw",
        "storey_height_m",
        "terminal",
        "metered",
        "exchange_station",
        "first_season",
    ),
    # `operators` stays here: among operators nobody learns whom else the applicant asked.
    "network": (*_COMMON, "service", "bandwidth_mbps", "fibre_cores", "households", "ducts"),
}
# What every provider needs to plan one trench and one visit, and what only one of them works with. Identity cards
# stay with the portal; account holder and invoice go out in structured form after confirmation.
_EVERYBODY = ("property_right", "lease", "owner_consent", "planning_permit", "red_line_map", "site_plan")
_MATERIALS: dict[str, tuple[str, ...]] = {
    "water": (*_EVERYBODY, "construction_permit", "hydraulic_calculation"),
    "power": (*_EVERYBODY, "construction_permit", "load_calculation", "equipment_list", "settlement_proof"),
    "gas": (*_EVERYBODY, "construction_permit", "equipment_list"),
    "heating": (*_EVERYBODY, "construction_permit", "heating_drawings"),
    "network": _EVERYBODY,
}
_PERSON = ("name", "mobile")
_PROJECT = (
    "code",
    "name",
    "industry",
    "floor_area_above_m2",
    "floor_area_below_m2",
    "land_area_m2",
    "households",
    "planned_start_on",
    "planned_finish_on",
    "park",
)
_SITE = ("division", "street", "address", "location", "boundary", "property_unit_no")
_INVOICE = ("title", "tax_no", "bank", "bank_account", "address", "phone")


def own_part(body: Body, utility: str) -> dict[str, Any]:
    """The utility's own section of the application; `kind` is filled in from the application. Empty if not chosen."""
    section = body["utilities"].get(utility)
    if section is None:
        return {}
    return {"kind": body["kind"], **_pick(section, _PART.get(utility, ()))}


def applicant_facts(body: Body) -> dict[str, Any]:
    """Whose case it is and whom to call; no identity numbers."""
    applicant = body["applicant"]
    contact = _pick(applicant["contact"], _PERSON)
    on_site = body["site"].get("contact")
    return {
        "name": applicant["name"],
        "kind": applicant["kind"],
        "contact": contact,
        "site_contact": _pick(on_site, _PERSON) if on_site else contact,
    }


def project_facts(body: Body) -> dict[str, Any]:
    """The project; `code` is null where there is none."""
    return {"code": None, **_pick(body["project"], _PROJECT)}


def site_facts(body: Body) -> dict[str, Any]:
    """Where the site is; `boundary` is null where none was drawn."""
    return {"boundary": None, **_pick(body["site"], _SITE)}


def shared_facts(
    body: Body, *, visit: tuple[str, str] | None = None, trench: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What all providers of the case may know: the utilities, the fixed visit (start, end) and the common trench."""
    span = {"start_at": visit[0], "end_at": visit[1]} if visit else None
    return {"utilities": sorted(body["utilities"]), "visit": span, "trench": dict(trench) if trench else None}


def account_facts(body: Body) -> dict[str, Any]:
    """From confirmation on: in whose name the account is opened, and how it is invoiced."""
    applicant = body["applicant"]
    invoice = applicant.get("invoice")
    return {
        "account_holder": {"name": applicant["name"], "uscc": applicant.get("uscc")},
        "invoice": _pick(invoice, _INVOICE) if invoice else None,
    }


def material_kinds(utility: str) -> tuple[str, ...]:
    """The kinds of papers a provider of this utility may read; none for an unknown utility."""
    return _MATERIALS.get(utility, ())


def _pick(values: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: values[name] for name in names if values.get(name) is not None}
