"""The gradients of a network that can be looked at, and their names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from .cell import Cell
from .cells import CELLS
from .checks import names as checked_names
from .checks import shown
from .parameters import layer_suffix
from .rnn import RNN

Direction = Literal["forward", "reverse", "both"]

WEIGHTS = ("W_hh", "W_ih")
"""Surfaces of parameters: their items are pieces of a matrix."""
STATES = ("h", "c")
"""Surfaces of states: their items are gradients with respect to what a step hands on."""
JACOBIAN = "jacobian"
"""The surface of the state's own dependence on earlier states, whatever the loss."""

_NAME = re.compile(r"(W_hh|W_ih|h|c|jacobian)(?:_l(\d+))?(?:_(reverse|both))?(?:\[(\w+)\])?", re.ASCII)


@dataclass(frozen=True)
class Surface:
    """A gradient that can be looked at.

    Attributes
    ----------
    base : str
        "W_hh" or "W_ih" (the gradient with respect to these weights), "h" or "c" (with respect to the state after each
        step), or "jacobian" (of the state with respect to earlier ones).
    layer : int
        The layer, from 0.
    direction : str
        "forward", "reverse", or "both" directions of a bidirectional layer, as one concatenated parameter or state.
    gate : str or None
        The gate whose rows these are; None for those of all.
    unit : int or None
        The hidden unit whose rows (of a state, whose entry) these are; None for all.
    """

    base: str
    layer: int = 0
    direction: Direction = "forward"
    gate: str | None = None
    unit: int | None = None

    @property
    def suffix(self) -> str:
        """How the name ends, but for what is selected: as that of PyTorch's parameters."""
        if self.direction == "both":
            return f"_l{self.layer}_both"
        return layer_suffix(self.layer, int(self.direction == "reverse"))

    @property
    def name(self) -> str:
        """The canonical name, such as "W_hh", "h_l1_reverse", "W_hh_l2_both[f]" or "c[17]"."""
        selected = self.gate if self.unit is None else self.unit
        return self.base + self.suffix + ("" if selected is None else f"[{selected}]")

    @property
    def directions(self) -> tuple[int, ...]:
        """The directions that it is about: 0 is forward, 1 reverse."""
        return {"forward": (0,), "reverse": (1,), "both": (0, 1)}[self.direction]


@dataclass(frozen=True)
class Surfaces:
    """The surfaces of a network.

    Attributes
    ----------
    cell : type of Cell
        Its cell.
    hidden_size, num_layers, bidirectional :
        See `RNN`.
    """

    cell: type[Cell]
    hidden_size: int
    num_layers: int = 1
    bidirectional: bool = False

    @classmethod
    def of(cls, rnn: RNN) -> Surfaces:
        """Return the surfaces of a network."""
        return cls(type(rnn.cell), rnn.hidden_size, rnn.num_layers, rnn.bidirectional)

    @classmethod
    def of_settings(cls, settings: Mapping[str, Any]) -> Surfaces | None:
        """Return the surfaces of the network that a run was made with, or None if its settings do not say."""
        cell, hidden_size = CELLS.get(settings.get("cell", "")), settings.get("hidden_size")
        if cell is None or hidden_size is None:
            return None
        return cls(cell, hidden_size, settings.get("num_layers", 1), settings.get("bidirectional", False))

    @cached_property
    def all(self) -> tuple[Surface, ...]:
        """Every surface, without those of single gates and units."""
        bases = (*WEIGHTS, *STATES[: self.cell.state_blocks], JACOBIAN)
        directions: tuple[Direction, ...] = ("forward", "reverse", "both") if self.bidirectional else ("forward",)
        return tuple(
            Surface(base, layer, direction)
            for base in bases
            for layer in range(self.num_layers)
            for direction in directions
            if not (base == JACOBIAN and direction == "both")
        )

    @cached_property
    def primary(self) -> Surface:
        """The one that a run records first, and pages show by default: W_hh next to the read-out."""
        return Surface("W_hh", self.num_layers - 1, "both" if self.bidirectional else "forward")

    @cached_property
    def weights(self) -> tuple[Surface, ...]:
        """W_hh of every layer and direction."""
        return tuple(one for one in self.all if one.base == "W_hh" and one.direction != "both")

    def recorded(self, names: Sequence[str] | None) -> list[Surface]:
        """Return what is recorded if these are asked for: the primary one, and they; by default W_hh of every track.

        Raises
        ------
        TypeError, ValueError
            If they are no sequence of names of surfaces; the message calls them "surfaces".
        """
        wanted = (
            self.weights
            if names is None
            else [self.parse(name, "surfaces") for name in checked_names("surfaces", names)]
        )
        return list(dict.fromkeys([self.primary, *wanted]))

    def parse(self, name: object, argument: str = "surface") -> Surface:
        """Return the surface of a name.

        Parameters
        ----------
        name : str
            BASE, then PyTorch's ending of the layer and direction (none for layer 0, forward; ``_l1``,
            ``_l0_reverse``), or ``_l1_both``; then, if wanted, a gate or a unit, ``[f]`` or ``[17]``.
        argument : str
            What an error calls the name.

        Raises
        ------
        TypeError, ValueError
            If this network has no such surface; the message says which there are.
        """
        if not isinstance(name, str):
            raise TypeError(f"{argument} takes the name of a surface, got {shown(name)}")
        found = _NAME.fullmatch(name)
        if found:
            base, layer, direction, selected = found.groups()
            ways: dict[str | None, Direction] = {None: "forward", "reverse": "reverse", "both": "both"}
            whole = Surface(base, int(layer or 0), ways[direction])
            surface = self._select(whole, selected)
            if whole in self.all and surface is not None and surface.name == name:
                return surface
        raise ValueError(f"{argument} takes {self._choices()}; got {shown(name)}")

    def _select(self, whole: Surface, selected: str | None) -> Surface | None:
        if selected is None:
            return whole
        if whole.base in WEIGHTS and selected in self.cell.gate_names:
            return replace(whole, gate=selected)
        if whole.base != JACOBIAN and selected.isdecimal() and int(selected) < self.hidden_size:
            return replace(whole, unit=int(selected))
        return None

    def _choices(self) -> str:
        bases = list(dict.fromkeys(one.base for one in self.all))
        endings = [one.suffix for one in self.all if one.base == "W_hh"]
        found = f"one of {', '.join(bases)}"
        if len(endings) > 1:
            ends = ", ".join(ending for ending in endings if ending)
            found += f" (layer 0, forward), or with one of the endings {ends}"
        gates = f"[{self.cell.gate_names[0]}] of {', '.join(self.cell.gate_names)}, or " if self.cell.gate_names else ""
        kind = "a gate such as " + gates if gates else ""
        return f"{found}; then, except for jacobian, perhaps {kind}a unit from [0] to [{self.hidden_size - 1}]"
