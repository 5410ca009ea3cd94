"""Bills, payments, the ledger, settlement and reconciliation. Case, subject and document ids are bare values."""

from portal.billing.tables.bill import Bill, BillLine
from portal.billing.tables.ledger import Account, AccountGuard, BookDay, Entry, TransferRow
from portal.billing.tables.payment import (
    Allocation,
    GatewayNotice,
    Payment,
    PaymentLine,
    PaymentOrder,
    PaymentSubOrder,
    Split,
)
from portal.billing.tables.settlement import ReconItem, Settlement, SettlementItem, StatementFile, StatementLine

__all__ = [
    "Account",
    "AccountGuard",
    "Allocation",
    "Bill",
    "BillLine",
    "BookDay",
    "Entry",
    "GatewayNotice",
    "Payment",
    "PaymentLine",
    "PaymentOrder",
    "PaymentSubOrder",
    "ReconItem",
    "Settlement",
    "SettlementItem",
    "Split",
    "StatementFile",
    "StatementLine",
    "TransferRow",
]
