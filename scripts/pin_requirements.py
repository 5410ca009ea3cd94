"""Pin what this environment has: `requirements.txt` (to run) and `requirements-dev.txt` (to check and test).

Run by hand after changing a `requirements*.in`: install it into the environment, then
`.venv/bin/python scripts/pin_requirements.py`. Each file holds the whole closure of its `.in`, transitive ones too.
"""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]


def normal(name: str) -> str:
    """A distribution's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(wanted: list[str]) -> dict[str, str]:
    """Name → version of everything `wanted` needs here. Raises PackageNotFoundError for what is not installed."""
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    queue = [(requirement, "") for requirement in map(Requirement, wanted)]
    while queue:
        requirement, extra_of_parent = queue.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra_of_parent}):
            continue
        for extra in ("", *requirement.extras):
            key = normal(requirement.name), extra
            if key in seen:
                continue
            seen.add(key)
            distribution = metadata.distribution(requirement.name)
            found[key[0]] = distribution.version
            queue += [(Requirement(text), extra) for text in distribution.requires or ()]
    return found


def read_names(path: Path) -> list[str]:
    """The requirements of an `.in` file, comments and blank lines left out."""
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if line]


def write(path: Path, source: str, pins: dict[str, str]) -> None:
    """Write one pinned file."""
    lines = [f"# Everything {source} needs, pinned by scripts/pin_requirements.py.", *pin_lines(pins)]
    path.write_text("\n".join(lines) + "\n")


def pin_lines(pins: dict[str, str]) -> list[str]:
    """`name==version`, sorted."""
    return [f"{name}=={version}" for name, version in sorted(pins.items())]


def main() -> int:
    """Write both files; answers the process exit code."""
    run = closure(read_names(ROOT / "requirements.in"))
    both = closure(read_names(ROOT / "requirements.in") + read_names(ROOT / "requirements-dev.in"))
    write(ROOT / "requirements.txt", "requirements.in", run)
    extra = {name: version for name, version in both.items() if name not in run}
    write(ROOT / "requirements-dev.txt", "requirements-dev.in (beyond requirements.txt)", extra)
    return 0


if __name__ == "__main__":
    sys.exit(main())
