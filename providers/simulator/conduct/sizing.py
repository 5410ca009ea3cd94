"""What a site needs, judged from the provider's own part of the application: lengths, sizes, counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from providers.simulator import seeded
from providers.simulator.task import Task

NO_WORKS_KINDS = frozenset({"transfer", "change_class", "suspend", "close", "reduce"})
MAX_POINTS = 20
WATER_SIZES = (25, 40, 50, 80, 100, 150, 200, 250, 300)


def added_kva(task: Task) -> float:
    """Wanted capacity in kVA; from the load in kW at power factor 0.9 where only that is known."""
    return task.amount("added_kva") or round(task.amount("added_kw", 30) / 0.9)


def _is_small_power(task: Task) -> bool:
    return str(task.part.get("voltage") or "380V") in ("220V", "380V") and added_kva(task) <= 200


_SMALL: Mapping[str, Callable[[Task], bool]] = {
    "power": _is_small_power,
    "water": lambda task: task.amount("pipe_dn_mm", 25) <= 50,
    "gas": lambda task: task.amount("peak_m3_h", 10) <= 25,
    "heating": lambda task: task.amount("heated_area_m2", 200) <= 3000,
    "network": lambda task: str(task.part.get("service") or "broadband") == "broadband",
}


def is_small(task: Task) -> bool:
    """Whether existing lines at the door will do."""
    return _SMALL[task.utility](task)


def outside_line_m(task: Task) -> int:
    """New line outside the red line in metres: none for small needs, else near the estimate, else by the case."""
    if task.kind in NO_WORKS_KINDS:
        return 0
    estimate = task.line_estimate_m
    if estimate is None:
        estimate = 0 if is_small(task) else seeded.between(120, 420, task.story, "line")
    return round(estimate * seeded.between(0.85, 1.1, task.story, task.provider, "line"))


def inside_line_m(task: Task) -> int:
    """Line inside the red line up to the meter."""
    return round(seeded.between(6, 12 if is_small(task) else 60, task.story, task.provider, "inside"))


def pipe_dn_mm(task: Task) -> int:
    """Nominal diameter of the service pipe: as wished, else from the daily need."""
    wished = task.amount("pipe_dn_mm")
    if wished:
        return int(wished)
    need = task.amount("daily_m3") or task.amount("peak_m3_h") or task.amount("heated_area_m2") / 100
    steps = (10, 30, 60, 150, 300, 600, 1500, 3000)
    return WATER_SIZES[sum(need > step for step in steps)]


def meters(task: Task) -> int:
    """How many metering points the connection has."""
    return max(1, int(task.amount("households") or task.amount("meters", 1)))


def works_days(task: Task) -> int:
    """Days of works: two at the door, more with the length of the line."""
    length = outside_line_m(task)
    return 2 if length == 0 else min(12, 3 + length // 150)
