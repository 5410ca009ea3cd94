"""The worker's fixtures, for tests of what goes between portal and providers: what is delivered is the pump's alone."""

import pytest

from tests.worker.test_delivery import app, work

__all__ = ["app", "work"]


@pytest.fixture
def engine() -> str:
    """Deliveries are the same on every engine; the embedded one runs on both databases."""
    return "embedded"
