"""Traits that widgets share with their pages: what they may hold, who may set them, and what is said of a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import traitlets

from .checks import whole_number
from .none_as_null import NoneAsNull
from .page_message import echoed
from .protocol import drawable

_MOST_SAID = 500  # characters of a refusal


class Choice(traitlets.Enum[Any]):
    """One of some names; arrays, which have no truth value, are refused like all else."""

    def validate(self, obj: Any, value: Any) -> Any:
        """Return the name if it is one of them."""
        return super().validate(obj, value if value is None or isinstance(value, str) else repr(value))


@contextmanager
def refused() -> Iterator[None]:
    """Make errors of a check the only one after which traitlets keep what a trait held before."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise traitlets.TraitError(str(error)) from None


class Batch(traitlets.TraitType[int | None, Any]):
    """Number of a batch, or None."""

    default_value = None

    def validate(self, _: Any, value: Any) -> int | None:
        """Return the number if it can be one of a batch."""
        with refused():
            return None if value is None else whole_number(str(self.name), value, minimum=0)


class Checked(traitlets.TraitType[Any, Any]):
    """What is checked elsewhere, None too; `traitlets.Any` would let that pass unchecked."""

    default_value = None


def computed(compute: Callable[[Any], Any]) -> Any:
    """Return a trait whose value is worked out when a page asks for the widget's state, and not stored."""
    return traitlets.Any().tag(sync=True, to_json=lambda _, widget: compute(widget))


class PageWidget(NoneAsNull):
    """A widget whose pages may set some traits only, and learn what was refused.

    A page may set traits that are not marked ``from_pages=False`` and whose name does not begin with an underscore, but
    for those that are marked ``from_pages=True``. So no page can give another one code to run.
    """

    def set_state(self, sync_data: Any) -> None:
        """Take what a page has set, `sync_data` by trait. What is refused is told by name; the page gets what holds."""
        if not isinstance(sync_data, dict):
            self._refuse("state", sync_data, "state takes an object of traits by name")
            return
        for name, value in sync_data.items():
            if name not in self.keys:
                continue
            try:
                if not self._takes_from_pages(name):
                    raise traitlets.TraitError(f"{name} cannot be set by a page")
                super().set_state({name: value})
            except traitlets.TraitError as error:
                self._refuse(name, value, str(error))
                self.send_state(name)

    def _takes_from_pages(self, name: str) -> bool:
        return bool(self.trait_metadata(name, "from_pages", default=not name.startswith("_")))

    def _refuse(self, name: str, value: Any, message: str) -> None:
        said = drawable(message if len(message) <= _MOST_SAID else f"{message[:_MOST_SAID]} …")
        self.send({"kind": "refused", "name": name, "value": echoed(value), "message": said})
