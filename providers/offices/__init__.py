"""Offices outside the portal that are no providers: who carries messages to phones and mailboxes."""
