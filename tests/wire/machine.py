"""What all machines have in common: pages that come and go, are seen or not, and let time pass."""

from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from wire import FAULTS, Pages

PATIENCE_MS = 6_000
PAGE = st.integers(0, 2)
FAULT = st.sampled_from(FAULTS)
MOST_PAGES = 3


class Machine(RuleBasedStateMachine):
    """People at some pages; hypothesis chooses what happens in which order."""

    pages: ClassVar[Pages]
    wire: Any
    """Carries what pages and the other end say: `to_page` has its pages; `tell`, `open`, `close`, `carry_…`."""

    def page(self, index: int) -> str | None:
        names = list(self.wire.to_page)
        return names[index % len(names)] if names else None

    def tell(self, index: int, do: str, **rest: Any) -> None:
        if (page := self.page(index)) is not None:
            self.wire.tell(do, page, **rest)

    @rule(index=PAGE)
    def close_page(self, index: int) -> None:
        if (page := self.page(index)) is not None:
            self.wire.close(page)

    @rule(index=PAGE, visible=st.booleans())
    def show(self, index: int, visible: bool) -> None:
        self.tell(index, "show", visible=visible)

    @rule(ms=st.sampled_from([50, 300, PATIENCE_MS]))
    def wait(self, ms: int) -> None:
        self.wire.tell("pass", ms=ms)

    @rule(index=PAGE, fault=FAULT, times=st.integers(1, 4))
    def carry_to_page(self, index: int, fault: str, times: int) -> None:
        for _ in range(times):
            if (page := self.page(index)) is not None:
                self.wire.carry_to_page(page, fault)

    @rule(most=st.integers(1, 30))
    def carry_all(self, most: int) -> None:
        self.wire.carry_all(most)


def run_machine(machine: type[Machine], pages: Pages, examples: int) -> None:
    """Let a machine run so many times, the same ones everywhere; in the profile "soak" a thousand times, by chance."""
    machine.pages = pages
    soak = settings.get_current_profile_name() == "soak"
    chosen = settings(
        max_examples=1000 if soak else examples,
        derandomize=not soak,
        stateful_step_count=40,
        report_multiple_bugs=False,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    run_state_machine_as_test(machine, settings=chosen)
