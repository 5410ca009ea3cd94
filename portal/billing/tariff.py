"""What a provider may charge: every quote line is checked against its published items (provider protocol, `quote`).

Codes: `amount_mismatch` (not quantity × unit price, rounded half up once), `fee_not_published` (no such item, or not
at this price), `fee_cancelled`, `zero_investment` (a positive user charge inside a zero-investment boundary).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from portal.kernel.errors import FieldError
from portal.kernel.money import format_yuan, multiply


class PublishedItem(Protocol):
    """A fee item of the catalog: one price, or a range up to `max_price_fen`."""

    @property
    def price_fen(self) -> int: ...  # noqa: D102
    @property
    def max_price_fen(self) -> int | None: ...  # noqa: D102
    @property
    def state(self) -> str: ...  # noqa: D102
    @property
    def basis(self) -> str: ...  # noqa: D102


# One line as reported: fee_item, quantity (decimal string), unit_price_fen, amount_fen, payer, boundary.
QuoteLine = Mapping[str, Any]
FindItem = Callable[[str], PublishedItem | None]


def check_quote(
    lines: Sequence[QuoteLine], find_item: FindItem, zero_investment: bool, *, path: str = "quote"
) -> tuple[FieldError, ...]:
    """All that is wrong with a quote, in line order; empty when it may be shown to the applicant.

    `find_item` looks an item up for this provider and date. `path` is the dotted place of the quote in the report.
    """
    errors: list[FieldError] = []
    for index, line in enumerate(lines):
        errors.extend(_check_line(line, find_item(str(line["fee_item"])), zero_investment, f"{path}.{index}"))
    return tuple(errors)


def _check_line(line: QuoteLine, item: PublishedItem | None, zero_investment: bool, path: str) -> list[FieldError]:
    errors = [error for error in (_check_amount(line, path), _check_item(line, item, path)) if error]
    if zero_investment and line["boundary"] == "inside" and line["payer"] == "user" and line["amount_fen"] > 0:
        basis = f"（依据：{item.basis}）" if item is not None else ""
        message = f"该用户属于“零投资”范围，投资界面内不得向用户收费，请改为供应单位承担{basis}。"
        errors.append(FieldError(f"{path}.amount_fen", message, "zero_investment"))
    return errors


def _check_amount(line: QuoteLine, path: str) -> FieldError | None:
    try:
        expected = multiply(str(line["quantity"]), line["unit_price_fen"])
    except ValueError:
        return FieldError(f"{path}.quantity", "数量应为不小于 0 的十进制数字。", "amount_mismatch")
    if expected == line["amount_fen"]:
        return None
    message = f"金额应为数量×单价四舍五入到分，即 {format_yuan(expected)} 元（{expected} 分）。"
    return FieldError(f"{path}.amount_fen", message, "amount_mismatch")


def _check_item(line: QuoteLine, item: PublishedItem | None, path: str) -> FieldError | None:
    if item is None:
        return FieldError(f"{path}.fee_item", "该收费项目未在收费目录中公布，不得收取。", "fee_not_published")
    if item.state == "cancelled":
        return FieldError(f"{path}.fee_item", f"该收费项目已取消，不得收取（依据：{item.basis}）。", "fee_cancelled")
    top = item.price_fen if item.max_price_fen is None else item.max_price_fen
    if item.price_fen <= line["unit_price_fen"] <= top:
        return None
    price = (
        format_yuan(item.price_fen) if top == item.price_fen else f"{format_yuan(item.price_fen)}–{format_yuan(top)}"
    )
    message = f"单价与公布的标准不符，公布标准为 {price} 元（依据：{item.basis}）。"
    return FieldError(f"{path}.unit_price_fen", message, "fee_not_published")
