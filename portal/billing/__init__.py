"""Quote, Bill, Payment, Allocation, Split, Settlement and the ledger."""
