"""Fixtures that several modules use, and the table of bad input that was tried."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from recorded import long_run

from rnnbow_widget import Run, leases

# How long an example takes depends on what else the machine does; the other profiles have this from here.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
settings.register_profile("soak")
# Whether a mutant dies must not depend on chance, and nobody reads its smallest counterexample.
settings.register_profile("mutation", derandomize=True, database=None, phases=[Phase.explicit, Phase.generate])

TRIED = pytest.StashKey[dict[str, int]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    monkey = parser.getgroup("monkey", "tests/browser/test_monkey.py")
    monkey.addoption("--monkey-seed", type=int, default=9, help="which actions the monkey does (default: 9)")
    monkey.addoption("--monkey-minutes", type=float, default=0, help="how long it is at it (default: five rounds)")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a run file may be: its name would mean something in an address."""
    return tmp_path / "run #1 100%?.rnnbow"


@pytest.fixture(scope="session")
def many() -> Run:
    """A run of so many batches that pages get an extract of it. To be read only."""
    return long_run(30_000)


@pytest.fixture
def even_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock of leases that goes on by a millisecond whenever it is read, however busy the machine is."""
    readings = count()
    monkeypatch.setattr(leases, "monotonic", lambda: next(readings) / 1000)


@pytest.fixture
def tried(request: pytest.FixtureRequest) -> Callable[[str, int], None]:
    """Counts cases of bad or odd input under a heading of the table that is printed when all tests have ended."""
    table = request.config.stash.setdefault(TRIED, {})

    def add(heading: str, cases: int) -> None:
        assert cases > 0, f"{heading}: nothing was tried"
        table[heading] = table.get(heading, 0) + cases

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print how many cases of bad input were tried."""
    if table := config.stash.get(TRIED, {}):
        terminalreporter.section("bad or odd input tried")
        for heading, cases in {**table, "together": sum(table.values())}.items():
            terminalreporter.write_line(f"{cases:>8,}  {heading}")
