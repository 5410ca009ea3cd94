"""The public fee list: what a provider may charge on a day, and at which price."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from portal.catalog.model import Catalog, FeeItem


def published_items(catalog: Catalog, provider: str, on: dt.date) -> tuple[FeeItem, ...]:
    """The items `provider` may charge on `on`, in the order of the file. Raises KeyError for an unknown provider."""
    return tuple(item for item in _items_of(catalog, provider, on) if item.state == "published")


def find_item(catalog: Catalog, provider: str, code: str, on: dt.date) -> FeeItem | None:
    """One item of the provider on a day, cancelled ones included (they say why); None when the list has none."""
    return next((item for item in _items_of(catalog, provider, on) if item.code == code), None)


def _items_of(catalog: Catalog, provider: str, on: dt.date) -> Iterator[FeeItem]:
    utility = catalog.provider(provider).utility
    for item in catalog.fees:
        is_theirs = item.utility == utility and (not item.providers or provider in item.providers)
        if is_theirs and item.from_on <= on and (item.until_on is None or on <= item.until_on):
            yield item if item.cancelled_on is None or item.cancelled_on <= on else _before_cancelling(item)


def _before_cancelling(item: FeeItem) -> FeeItem:
    return item.model_copy(update={"state": "published"})
