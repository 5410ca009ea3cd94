"""Outbox, inbox, wire messages and what every provider adapter implements."""
