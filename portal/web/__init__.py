"""Thin pages, one blueprint per audience."""
