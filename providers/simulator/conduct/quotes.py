"""报价: quote lines from the provider's published fee items; quantities come from its part of the application."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

from providers.simulator.conduct import sizing
from providers.simulator.conduct.steps import FeeItem, Fields
from providers.simulator.task import Task

Predicate = Callable[[Task], bool]
Count = Callable[[Task, FeeItem], float]

# An item whose title has one of these words belongs on the quote only where the fact holds.
_NEEDS: tuple[tuple[str, Predicate], ...] = (
    ("高可靠", lambda task: str(task.part.get("sources")) in ("dual", "multi")),
    ("临时", lambda task: bool(task.amount("temporary_kva") or task.amount("temporary_m3_d"))),
    ("充电", lambda task: bool(task.amount("charging_piles"))),
    ("加压", lambda task: bool(task.part.get("booster"))),
    ("专线", lambda task: task.part.get("service") == "leased_line"),
    ("宽带", lambda task: task.part.get("service") in (None, "broadband")),
    ("光纤到楼", lambda task: task.part.get("service") == "fibre_to_building"),
    ("消防", lambda task: bool(task.amount("indoor_hydrants") or task.amount("outdoor_hydrants"))),
    ("居民", lambda task: "residential" in (task.part.get("use"), task.part.get("load_class"))),
    ("调压", lambda task: task.part.get("use") != "residential"),  # homes pay by household
    ("每户", lambda task: bool(task.amount("households"))),
    ("换热站", lambda task: task.part.get("exchange_station") in ("own", "shared")),
)


def _metres(task: Task, item: FeeItem) -> float:
    return sizing.outside_line_m(task) if item.get("boundary") == "outside" else sizing.inside_line_m(task)


def _one(_task: Task, _item: FeeItem) -> float:
    return 1


_COUNTS: Mapping[str, Count] = {
    "kva": lambda task, _item: sizing.added_kva(task),
    "千伏安": lambda task, _item: sizing.added_kva(task),
    "kw": lambda task, _item: task.amount("heat_load_kw") or task.amount("added_kw"),
    "m": _metres,
    "米": _metres,
    "m2": lambda task, _item: task.amount("heated_area_m2"),
    "m²": lambda task, _item: task.amount("heated_area_m2"),
    "㎡": lambda task, _item: task.amount("heated_area_m2"),
    "平方米": lambda task, _item: task.amount("heated_area_m2"),
    "户": lambda task, _item: task.amount("households", 1),
    "household": lambda task, _item: task.amount("households", 1),
    "块": lambda task, _item: sizing.meters(task),
    "只": lambda task, _item: sizing.meters(task),
    "meter": lambda task, _item: sizing.meters(task),
    "个": lambda task, _item: task.amount("charging_piles", 1),
    "芯": lambda task, _item: task.amount("fibre_cores", 2),
    "core": lambda task, _item: task.amount("fibre_cores", 2),
}


def quote(task: Task, items: Sequence[FeeItem], *, longer: float = 1) -> list[Fields]:
    """All lines of one option. `longer` stretches what is counted by the metre outside (another route)."""
    if task.kind in sizing.NO_WORKS_KINDS:
        return []
    lines = [_line(task, item, longer) for item in items if _belongs(task, item)]
    return [line for line in lines if Decimal(line["quantity"]) > 0]


def _belongs(task: Task, item: FeeItem) -> bool:
    if item.get("state", "published") != "published":
        return False
    title = str(item.get("title", ""))
    return all(holds(task) for word, holds in _NEEDS if word in title)


def _line(task: Task, item: FeeItem, longer: float) -> Fields:
    boundary = str(item.get("boundary") or "inside")
    count = _COUNTS.get(str(item.get("unit", "")).lower(), _one)(task, item)
    quantity = decimal_text(count * (longer if boundary == "outside" else 1))
    price = int(item["price_fen"])
    return {
        "fee_item": str(item["code"]),
        "quantity": quantity,
        "unit_price_fen": price,
        "amount_fen": amount_fen(quantity, price),
        "payer": _payer(task, item, boundary),
        "payee": task.provider,
        "boundary": boundary,
        "vat_rate": item.get("vat_rate"),
        "basis": str(item.get("basis", "")),
    }


def _payer(task: Task, item: FeeItem, boundary: str) -> str:
    # Outside the red line the user pays nothing in this city, and at a zero-investment level nothing at all.
    if task.is_zero_investment or boundary == "outside":
        return "provider"
    return str(item.get("payer") or "user")


def decimal_text(number: float) -> str:
    """A quantity as the protocol writes it: a plain decimal string with at most three decimals."""
    return format(Decimal(str(number)).quantize(Decimal("0.001")).normalize(), "f")


def amount_fen(quantity: str, unit_price_fen: int) -> int:
    """quantity × unit price, rounded half up to whole fen."""
    return int((Decimal(quantity) * unit_price_fen).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def valid_until(task: Task, on: dt.date) -> dt.date:
    """How long the reply holds: a year for big connections, three months for small ones."""
    return on + dt.timedelta(days=90 if sizing.is_small(task) else 365)
