"""Fixtures that several modules use."""

from itertools import count

import pytest
from hypothesis import settings

from rnnbow_widget import leases

settings.register_profile("soak", deadline=None)


@pytest.fixture
def even_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock of leases that goes on by a millisecond whenever it is read, however busy the machine is."""
    readings = count()
    monkeypatch.setattr(leases, "monotonic", lambda: next(readings) / 1000)
