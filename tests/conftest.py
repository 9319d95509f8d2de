"""Fixtures that several modules use."""

from itertools import count

import pytest

from rnnbow_widget import leases


@pytest.fixture
def even_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock of leases that goes on by a millisecond whenever it is read, however busy the machine is."""
    readings = count()
    monkeypatch.setattr(leases, "monotonic", lambda: next(readings) / 1000)
