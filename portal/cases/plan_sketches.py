"""A small plan for a page: lines as points of a drawing, with a mark and a scale; no map behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portal.cases.local_plane import LocalPlane, Position

SIZE = 320.0
_MARGIN = 24.0
_ROUND_MARK_M = 12.0  # what is shown around a mark
_SCALES_M = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000)


@dataclass(frozen=True, slots=True)
class SketchLine:
    """One line: whose, and its points as an SVG polyline wants them."""

    code: str
    points: str


@dataclass(frozen=True, slots=True)
class Sketch:
    """A square drawing, north up. `scale_m` metres are `scale_px` wide; `mark` is where to look."""

    lines: tuple[SketchLine, ...]
    mark: tuple[float, float] | None
    scale_m: int
    scale_px: float
    size: float = SIZE


def sketch(lines: Sequence[tuple[str, Sequence[Position]]], *, mark: Position | None = None) -> Sketch | None:
    """Draw (code, positions) lines; with a mark only what lies around it. None where there is nothing to draw."""
    points = [position for _, route in lines for position in route]
    if not points:
        return None
    plane = LocalPlane.around([mark] if mark is not None else points)
    if mark is not None:
        middle, reach = (0.0, 0.0), _ROUND_MARK_M
    else:
        xs, ys = zip(*(plane.to_xy(point) for point in points), strict=True)
        middle = ((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2)
        reach = max(max(xs) - min(xs), max(ys) - min(ys), 10.0) / 2
    per_m = (SIZE / 2 - _MARGIN) / reach

    def place(position: Position) -> tuple[float, float]:
        x, y = plane.to_xy(position)
        return round(SIZE / 2 + (x - middle[0]) * per_m, 1), round(SIZE / 2 - (y - middle[1]) * per_m, 1)

    drawn = tuple(SketchLine(code, " ".join(f"{x:g},{y:g}" for x, y in map(place, route))) for code, route in lines)
    scale_m = next((metres for metres in _SCALES_M if metres * per_m >= SIZE / 8), _SCALES_M[-1])
    return Sketch(drawn, place(mark) if mark is not None else None, scale_m, round(scale_m * per_m, 1))


def legend(sketch_: Sketch, names: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """(code, name) of every line drawn, once each."""
    codes = dict.fromkeys(line.code for line in sketch_.lines)
    return tuple((code, names.get(code, code)) for code in codes)
