"""The government portal of the demo: files by JSON with its key, bytes of papers first."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from providers.simulator.filing import papers

TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Filed:
    """What became of one filing: numbers, or the errors with their dotted fields."""

    application_no: str | None
    case_no: str | None
    errors: tuple[Mapping[str, str], ...] = ()


def file_by_api(portal_url: str, key: str, body: Mapping[str, Any]) -> Filed:
    """POST one application. Raises requests.HTTPError for an answer other than 201 and 422."""
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {key}"
    sent = dict(body) | {"materials": [dict(paper) for paper in body.get("materials", ())]}
    for index, name, raw in papers(body):
        files = {"file": (name, raw, "application/pdf")}
        kind = {"kind": str(sent["materials"][index].get("kind", ""))}
        stored = session.post(f"{portal_url}/api/v1/materials", files=files, data=kind, timeout=TIMEOUT_S)
        if stored.status_code == 201:  # otherwise the filing itself says what is wrong with the paper
            sent["materials"][index]["file"] = stored.json()["material_id"]
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    answer = session.post(f"{portal_url}/api/v1/applications", json=sent, headers=headers, timeout=TIMEOUT_S)
    if answer.status_code == 422:
        return Filed(None, None, tuple(answer.json().get("errors", ())))
    answer.raise_for_status()
    return Filed(answer.json()["application_no"], answer.json().get("case_no"))
