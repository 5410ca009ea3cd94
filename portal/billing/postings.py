"""The postings table: which event moves money from which account to which. One transfer is one balanced row.

Account codes are `PREFIX:<name>`. A transfer debits `dr` and credits `cr`, so debits equal credits by its shape.
There is no rounding account: if one were needed, the allocation would be wrong. The payable of a provider is also
materialised where a CHECK keeps it at 0 or more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

ASSET, LIABILITY = "A", "L"

# prefix -> (kind, guarded by a stored balance that may not fall below 0)
ACCOUNTS: Mapping[str, tuple[str, bool]] = {
    "GW_CLEARING": (ASSET, False),  # what the gateway has and we have not explained yet; never a balance row (hot)
    "UNALLOCATED": (LIABILITY, False),
    "PAYABLE": (LIABILITY, True),
    "SUSPENSE_LONG": (LIABILITY, False),
    "SUSPENSE_SHORT": (ASSET, False),
}

# event -> (debit, credit)
POSTINGS: Mapping[str, tuple[str, str]] = {
    "captured": ("GW_CLEARING:{channel}", "UNALLOCATED:{customer}"),
    "allocated": ("UNALLOCATED:{customer}", "PAYABLE:{provider}"),
    # COMBINE and PLAIN: the money is with the provider already. A memo: it counts, and is never paid out.
    "paid_direct": ("PAYABLE:{provider}", "GW_CLEARING:{channel}"),
    "long": ("GW_CLEARING:{channel}", "SUSPENSE_LONG:{channel}"),
    "short": ("SUSPENSE_SHORT:{channel}", "GW_CLEARING:{channel}"),
}


@dataclass(frozen=True, slots=True)
class Transfer:
    """`amount_fen` (above 0) from credit to debit side, as bookkeepers write it: Dr `dr`, Cr `cr`."""

    dr: str
    cr: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Movement:
    """What one row of the table needs: an amount in fen and the names in its account codes."""

    amount_fen: int
    customer: str = ""
    provider: str = ""


def build(event: str, movements: Iterable[Movement], *, channel: str) -> tuple[Transfer, ...]:
    """The balanced transfers of `event`, one a movement; movements of 0 fen leave no row.

    Raises KeyError for an unknown event, ValueError for a negative amount or a name the event needs and lacks.
    """
    debit, credit = POSTINGS[event]
    rows = []
    for movement in movements:
        if movement.amount_fen < 0:
            raise ValueError("a transfer is never negative; post the opposite event")
        if movement.amount_fen:
            rows.append(
                Transfer(_code(debit, movement, channel), _code(credit, movement, channel), movement.amount_fen)
            )
    return tuple(rows)


def reverse(transfers: Sequence[Transfer]) -> tuple[Transfer, ...]:
    """The transfers that undo these, in the same order."""
    return tuple(Transfer(t.cr, t.dr, t.amount_fen) for t in transfers)


def is_guarded(account: str) -> bool:
    """Whether the balance of this account code is stored and may not fall below 0."""
    return ACCOUNTS[account.partition(":")[0]][1]


def kind_of(account: str) -> str:
    """`A` (debit raises it) or `L` (credit raises it)."""
    return ACCOUNTS[account.partition(":")[0]][0]


def signed(account: str, debit_fen: int, credit_fen: int) -> int:
    """The balance of an account from its debit and credit sums, positive on its natural side."""
    return debit_fen - credit_fen if kind_of(account) == ASSET else credit_fen - debit_fen


def _code(template: str, movement: Movement, channel: str) -> str:
    code = template.format(channel=channel, customer=movement.customer, provider=movement.provider)
    if code.endswith(":"):
        raise ValueError(f"{template} needs a name")
    return code
