"""Runs due work: deliveries, documents, clocks, payments."""
