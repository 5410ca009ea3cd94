"""Conditions of the catalog's tables over plain facts; an unknown fact never satisfies a comparison."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal

from portal.catalog.model import Condition, Facts


def holds(conditions: Sequence[Condition], facts: Facts) -> bool:
    """Whether all conditions hold."""
    return all(_holds(condition, facts.get(condition.fact)) for condition in conditions)


def _holds(condition: Condition, value: object) -> bool:
    if condition.known is not None and condition.known != (value is not None):
        return False
    if value is None:
        return condition.known is False
    if condition.equals is not None and value != condition.equals:
        return False
    if condition.one_of is not None and not _is_one_of(value, condition.one_of):
        return False
    return _within(condition, value)


def _is_one_of(value: object, wanted: Collection[str]) -> bool:
    if isinstance(value, (set, frozenset, tuple, list)):
        return not set(value).isdisjoint(wanted)
    return str(value) in wanted


def _within(condition: Condition, value: object) -> bool:
    bounds = (condition.at_least, condition.at_most, condition.above)
    if all(bound is None for bound in bounds):
        return True
    number = Decimal(str(value))
    if condition.at_least is not None and number < condition.at_least:
        return False
    if condition.above is not None and number <= condition.above:
        return False
    return condition.at_most is None or number <= condition.at_most
