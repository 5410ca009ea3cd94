"""Money is an integer number of fen (分). This module splits, rounds and prints it; nothing here uses floats."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

_YUAN = re.compile(r"[0-9]{1,13}(\.[0-9]{1,2})?")
_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_UNITS = ("", "拾", "佰", "仟")
_SECTIONS = ("", "万", "亿", "万亿")


def allocate(total_fen: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Share `total_fen` by `weights` with the largest-remainder method; the shares sum to the total exactly.

    Weights are non-negative integers and not all zero unless the total is zero. Ties go to the earlier weight, so
    callers sort by a stable key (the provider code) first. No share exceeds its weight when `total_fen` is at most
    the sum of the weights: allocate over what *remains*, never over a cumulative total.
    Raises ValueError for a negative total or weight, or a positive total over zero weights.
    """
    if total_fen < 0 or any(w < 0 for w in weights):
        raise ValueError("amounts and weights must not be negative")
    whole = sum(weights)
    if whole == 0:
        if total_fen:
            raise ValueError("nothing to allocate to")
        return tuple(0 for _ in weights)
    shares = [total_fen * w // whole for w in weights]
    left = total_fen - sum(shares)
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total_fen * weights[i] % whole), i))
    for i in by_remainder[:left]:
        shares[i] += 1
    return tuple(shares)


def round_half_up(amount: Decimal) -> int:
    """A decimal number of fen rounded half up to whole fen."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def multiply(quantity: str, unit_price_fen: int) -> int:
    """quantity (decimal string) × unit price in fen, rounded half up once. Raises ValueError on a bad quantity."""
    try:
        count = Decimal(quantity)
    except ArithmeticError as bad:
        raise ValueError(f"not a decimal number: {quantity!r}") from bad
    if not count.is_finite() or count < 0:
        raise ValueError(f"not a usable quantity: {quantity!r}")
    return round_half_up(count * unit_price_fen)


def tax_inside(total_fen: int, rate_percent: Decimal) -> int:
    """The tax contained in a tax-inclusive total: total − total / (1 + rate), in fen, rounded half up."""
    net = round_half_up(Decimal(total_fen) / (1 + rate_percent / 100))
    return total_fen - net


def format_yuan(amount_fen: int) -> str:
    """`1234567` fen as `12,345.67` (yuan)."""
    sign = "-" if amount_fen < 0 else ""
    yuan, fen = divmod(abs(amount_fen), 100)
    return f"{sign}{yuan:,}.{fen:02d}"


def parse_yuan(text: str) -> int:
    """`12.34` (yuan, at most two decimals, no sign, no separators) as 1234 fen. Raises ValueError."""
    if not _YUAN.fullmatch(text):
        raise ValueError(f"not an amount in yuan: {text!r}")
    yuan, _, cents = text.partition(".")
    return int(yuan) * 100 + int(cents.ljust(2, "0"))


def capital_numerals(amount_fen: int) -> str:
    """The amount in capital Chinese numerals (大写), as documents need it: 壹万贰仟叁佰肆拾伍元陆角柒分."""
    if amount_fen < 0:
        return "负" + capital_numerals(-amount_fen)
    yuan, cents = divmod(amount_fen, 100)
    jiao, fen = divmod(cents, 10)
    text = _capital_integer(yuan) + "元" if yuan else ""
    if not jiao and not fen:
        return (text or "零元") + "整"
    if jiao:
        text += _DIGITS[jiao] + "角"
    elif yuan:
        text += "零"
    return text + (_DIGITS[fen] + "分" if fen else "整")


def _capital_integer(number: int) -> str:
    sections: list[int] = []
    while number:
        number, low = divmod(number, 10_000)
        sections.append(low)
    text, gap = "", False
    for index in range(len(sections) - 1, -1, -1):
        section = sections[index]
        if section == 0:
            gap = bool(text)
            continue
        if text and (gap or section < 1000):
            text += "零"
        text += _capital_section(section) + _SECTIONS[index]
        gap = False
    return text


def _capital_section(section: int) -> str:
    text, gap = "", False
    for power in (3, 2, 1, 0):
        digit = section // 10**power % 10
        if digit == 0:
            gap = bool(text)
            continue
        text += ("零" if gap else "") + _DIGITS[digit] + _UNITS[power]
        gap = False
    return text
