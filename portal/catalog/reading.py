"""Reading a city's folder. A wrong file is refused with its name, the key and the reason, before anything is used."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from portal.catalog.model import Catalog

CITIES = Path(__file__).parent / "cities"
# File → the catalog keys it holds.
FILES: dict[str, tuple[str, ...]] = {
    "city.toml": ("city", "utilities", "operators", "hours"),
    "divisions.json": ("divisions",),
    "areas.toml": ("areas", "not_served"),
    "providers.toml": ("providers",),
    "offices.toml": ("offices",),
    "levels.toml": ("levels",),
    "fees.toml": ("fees",),
    "materials.toml": ("materials",),
    "codes.toml": ("codes",),
    "calendar.json": ("calendar_days",),
}


class CatalogError(ValueError):
    """A file of the catalog cannot be used."""

    def __init__(self, file: str, key: str, reason: str) -> None:
        super().__init__(f"{file}: {key}: {reason}" if key else f"{file}: {reason}")
        self.file = file
        self.key = key
        self.reason = reason


def load_catalog(folder: Path) -> Catalog:
    """The catalog in `folder`, checked as a whole. Raises CatalogError naming file, key (dotted) and reason."""
    raw: dict[str, Any] = {}
    for name, keys in FILES.items():
        content = _read(folder / name)
        for key in keys:
            if key not in content:
                raise CatalogError(name, key, "missing")
        for key in content:
            if key not in keys:
                raise CatalogError(name, key, f"unknown; this file holds {', '.join(keys)}")
        raw |= content
    text = json.dumps(raw, ensure_ascii=False, sort_keys=True, default=str)
    version = f"{folder.name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    try:
        catalog = Catalog.model_validate({**raw, "version": version})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise CatalogError(_file_of(str(first["loc"][0])), key, first["msg"]) from error
    _check_references(catalog)
    return catalog


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except FileNotFoundError:
        raise CatalogError(path.name, "", "the file is missing") from None
    except (tomllib.TOMLDecodeError, json.JSONDecodeError) as error:
        raise CatalogError(path.name, "", str(error)) from error
    if not isinstance(content, dict):
        raise CatalogError(path.name, "", "must hold one object")
    return content


def _file_of(key: str) -> str:
    return next((name for name, keys in FILES.items() if key in keys), key)


def _check_references(catalog: Catalog) -> None:
    divisions = {division.code for division in catalog.divisions}
    areas = {area.code for area in catalog.areas}
    _unique("providers", (p.code for p in catalog.providers))
    _unique("levels", (f"{level.utility}.{level.code}" for level in catalog.levels))
    _unique("areas", (area.code for area in catalog.areas))
    for index, provider in enumerate(catalog.providers):
        _known(f"providers.{index}.divisions", provider.divisions, divisions)
        _known(f"providers.{index}.areas", provider.areas or (), areas)
    for index, area in enumerate(catalog.areas):
        _known(f"areas.{index}.division", (area.division,), divisions)
        streets = {s.code for d in catalog.divisions if d.code == area.division for s in d.streets}
        _known(f"areas.{index}.streets", area.streets, streets)
    codes = {provider.code for provider in catalog.providers}
    for index, item in enumerate(catalog.fees):
        _known(f"fees.{index}.providers", item.providers, codes)
    _known("city.lead_agency", (catalog.city.lead_agency,), {office.code for office in catalog.offices})
    for utility in catalog.utilities:
        if not any(level.utility == utility.code and not level.when for level in catalog.levels):
            raise CatalogError("levels.toml", "levels", f"{utility.code} needs a last level without conditions")


def _unique(key: str, values: Iterable[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise CatalogError(_file_of(key), key, f"{value!r} stands there twice")
        seen.add(value)


def _known(key: str, values: Iterable[str], known: set[str]) -> None:
    for value in values:
        if value not in known:
            raise CatalogError(_file_of(key.split(".")[0]), key, f"{value!r} is not known")
