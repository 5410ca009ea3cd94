"""One measured figure, and the two forms in which all of them are given out: a table and `out/bench.json`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` in `unit`; `against` is the peer's or the limit's value in the same unit, `ratio` value / against."""

    name: str
    value: float
    unit: str
    against: float | None = None
    ratio: float | None = None


def compare(name: str, value: float, unit: str, against: float) -> Figure:
    """A figure beside its peer."""
    return Figure(name, round(value, 3), unit, round(against, 3), round(value / against, 3))


def write_json(figures: Sequence[Figure], path: Path) -> None:
    """Write `path`, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(figure) for figure in figures], ensure_ascii=False, indent=1) + "\n", "utf-8")


def format_table(figures: Sequence[Figure]) -> str:
    """Fixed-width text, one line a figure."""
    lines = [f"{'what':<64} {'value':>10} {'unit':<8} {'against':>10} {'ratio':>6}"]
    for figure in figures:
        against = "" if figure.against is None else f"{figure.against:g}"
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        lines.append(f"{figure.name:<64} {figure.value:>10g} {figure.unit:<8} {against:>10} {ratio:>6}")
    return "\n".join(lines)
