"""Lights, whose turn it is, and figures for supervisors."""
