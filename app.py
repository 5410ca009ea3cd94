"""Composition root: the only file that knows both the portal and the providers."""
