"""The shipped catalog and the sample applications, loaded once for all tests of this wing."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from portal.catalog.reading import CITIES, load_catalog

FOLDER = CITIES / "150800"
CATALOG = load_catalog(FOLDER)
ON = dt.date(2026, 11, 23)
UTILITIES = ("water", "power", "gas", "heating", "network")
OPERATORS = ("telecom", "mobile", "unicom", "cable_tv")
_SAMPLES = Path(__file__).parents[1] / "samples" / "applications"
SAMPLES: dict[str, dict[str, Any]] = {
    path.name[:2]: json.loads(path.read_text(encoding="utf-8")) for path in sorted(_SAMPLES.glob("*.json"))
}


def level_facts(sample: str, utility: str) -> dict[str, Any]:
    """What the filing passes to the service levels, for one utility of a sample."""
    body = SAMPLES[sample]
    section = body["utilities"][utility]
    return {
        **section,
        "kind": section.get("kind") or body["kind"],
        "outside_line_m": body["site"].get("outside_line_estimate_m"),
        "applicant_kind": body["applicant"]["kind"],
        "enterprise_scale": body["applicant"].get("enterprise_scale"),
    }
