"""Reading a city's folder. A wrong file is refused with its name, line or key, and reason, before anything is used."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from portal.catalog.checking import faults
from portal.catalog.model import Catalog

CITIES = Path(__file__).parent / "cities"
# File → the keys of the catalog it holds.
FILES: dict[str, tuple[str, ...]] = {
    "city.toml": ("city", "hours", "utilities", "operators"),
    "divisions.json": ("divisions",),
    "areas.toml": ("outlines", "areas", "not_served"),
    "providers.toml": ("providers",),
    "offices.toml": ("offices",),
    "levels.toml": ("levels",),
    "fees.toml": ("fees",),
    "materials.toml": ("material_names", "materials"),
    "codes.toml": ("codes",),
    "calendar.json": ("calendar_days",),
    "ground.toml": (
        "ground_rules",
        "spacings",
        "covers",
        "exclusions",
        "condition_orders",
        "contradictions",
        "roads",
        "planned_works",
    ),
}
_TOML_LINE = re.compile(r" ?\(at line (\d+), column \d+\)")
_DIGEST_IN_VERSION = 16


class CatalogError(ValueError):
    """A file of the catalog cannot be used: `key` is a dotted path (`levels.3.limits`), or `line 12`."""

    def __init__(self, file: str, key: str, reason: str) -> None:
        super().__init__(f"{file}: {key}: {reason}" if key else f"{file}: {reason}")
        self.file = file
        self.key = key
        self.reason = reason


def load_catalog(folder: Path) -> Catalog:
    """The catalog in `folder`, checked as a whole. Raises CatalogError naming file, line or key, and reason."""
    raw: dict[str, Any] = {}
    for name, keys in FILES.items():
        raw |= _part_of(name, keys, _read(folder / name))
    try:
        unnamed = Catalog.model_validate({**raw, "version": ""})
    except ValidationError as error:
        wrong = error.errors(include_url=False)
        key = ".".join(str(step) for step in wrong[0]["loc"])
        reason = wrong[0]["msg"].removeprefix("Value error, ")
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise CatalogError(_file_of(key), key, f"{_label(raw, wrong[0]['loc'])}{reason}{more}") from error
    for key, reason in faults(unnamed):
        raise CatalogError(_file_of(key), key, f"{_label(raw, _steps(key))}{reason}")
    digest = digest_of(content_of(unnamed))
    return unnamed.model_copy(update={"version": f"{unnamed.city.code}-{digest[:_DIGEST_IN_VERSION]}"})


def content_of(catalog: Catalog) -> dict[str, Any]:
    """The catalog as plain JSON, from which `Catalog.model_validate` makes the same one."""
    return catalog.model_dump(mode="json", by_alias=True)


def digest_of(content: Mapping[str, Any]) -> str:
    """SHA-256 of a catalog's content but its version, as hex digits."""
    rest = {key: value for key, value in content.items() if key != "version"}
    return hashlib.sha256(json.dumps(rest, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except FileNotFoundError:
        raise CatalogError(path.name, "", "the file is missing") from None
    except UnicodeDecodeError as error:
        raise CatalogError(path.name, f"byte {error.start}", "the file is not UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        line = _TOML_LINE.search(str(error))
        raise CatalogError(path.name, f"line {line[1]}" if line else "", _TOML_LINE.sub("", str(error))) from error
    except json.JSONDecodeError as error:
        raise CatalogError(path.name, f"line {error.lineno}", error.msg) from error
    if not isinstance(content, dict):
        raise CatalogError(path.name, "", "the file must hold one object")
    return content


def _part_of(name: str, keys: tuple[str, ...], content: dict[str, Any]) -> dict[str, Any]:
    if name == "divisions.json":
        return {"divisions": _districts(content)}
    for key in keys:
        if key not in content:
            raise CatalogError(name, key, "missing")
    for key in content:
        if key not in keys:
            raise CatalogError(name, key, f"unknown; this file holds {', '.join(keys)}")
    return content


def _districts(content: dict[str, Any]) -> Any:
    """The districts of the divisions file, which is kept as its publisher wrote it (`source`, `city`, `districts`)."""
    if "districts" not in content:
        raise CatalogError("divisions.json", "districts", "missing")
    return content["districts"]


def _file_of(key: str) -> str:
    first = key.split(".")[0]
    return next((name for name, keys in FILES.items() if first in keys), first)


def _steps(key: str) -> list[str | int]:
    return [int(step) if step.isdigit() else step for step in key.split(".")]


def _label(raw: Mapping[str, Any], steps: tuple[str | int, ...] | list[str | int]) -> str:
    """The code of the entry a key leads to, for people who do not count entries: `(heat-linhe) `."""
    match steps:
        case [str(table), int(index), *_] if isinstance(raw.get(table), list):
            entry = raw[table][index]
            code = (entry.get("code") or entry.get("paper")) if isinstance(entry, dict) else None
            return f"({code}) " if code else ""
    return ""
