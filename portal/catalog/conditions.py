"""Conditions of the catalog's tables over plain facts; an unknown fact never satisfies a comparison."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal

from portal.catalog.model import Condition, Facts


def holds(conditions: Sequence[Condition], facts: Facts) -> bool:
    """Whether all conditions hold; with none it does."""
    return all(_holds(condition, facts.get(condition.fact)) for condition in conditions)


def _holds(condition: Condition, value: object) -> bool:
    if condition.known is not None:
        return condition.known == (value is not None)
    if value is None:
        return False
    if condition.equals is not None:
        return bool(value == condition.equals)
    if condition.one_of is not None:
        return _is_one_of(value, condition.one_of)
    return _is_within(condition, Decimal(str(value)))


def _is_one_of(value: object, wanted: Collection[str]) -> bool:
    if isinstance(value, set | frozenset | tuple | list):
        return not set(value).isdisjoint(wanted)
    return value in wanted


def _is_within(condition: Condition, number: Decimal) -> bool:
    return (
        (condition.at_least is None or number >= condition.at_least)
        and (condition.above is None or number > condition.above)
        and (condition.at_most is None or number <= condition.at_most)
        and (condition.below is None or number < condition.below)
    )
