"""The worker's fixtures, for tests of what goes between portal and providers."""

from tests.worker.test_delivery import app, work

__all__ = ["app", "work"]
