"""The recurrent cells, by name."""

from __future__ import annotations

from .cell import Cell
from .checks import shown
from .elman import ReLUCell, TanhCell
from .gated import GRUCell, LSTMCell

CELLS: dict[str, type[Cell]] = {cell.name: cell for cell in (TanhCell, ReLUCell, LSTMCell, GRUCell)}


def cell_type(cell: str | type[Cell]) -> type[Cell]:
    """Return the cell of a name, or the class itself.

    Raises
    ------
    TypeError, ValueError
        If it is neither a name from `CELLS` nor a subclass of `Cell`.
    """
    names = ", ".join(map(repr, CELLS))
    if isinstance(cell, str):
        if cell not in CELLS:
            raise ValueError(f"cell takes one of {names}, or a subclass of Cell; got {shown(cell)}")
        return CELLS[cell]
    if not (isinstance(cell, type) and issubclass(cell, Cell)):
        raise TypeError(f"cell takes one of {names}, or a subclass of Cell; got {shown(cell)}")
    return cell
