"""Notebooks that are graded: whether a grader runs them, and how much they train then."""

from __future__ import annotations

import os

from .checks import whole_number

VARIABLE = "NBGRADER_EXECUTION"
"""The environment variable that nbgrader sets while it runs a notebook. Whoever grades otherwise can set it too."""


def is_graded() -> bool:
    """Return whether a grader runs this: then widgets give a still picture in the place of what needs a browser."""
    return bool(os.environ.get(VARIABLE))


def capped(batches: int, *, graded: int) -> int:
    """Return how many batches to train: as many as are wanted, or fewer where a grader runs the notebook.

    Parameters
    ----------
    batches : int
        How many a person trains.
    graded : int
        How many at most if the environment variable ``NBGRADER_EXECUTION`` is set, as nbgrader does.

    Raises
    ------
    TypeError, ValueError
        If one of them is not a whole number of at least 1.

    Examples
    --------
    >>> trained = capped(3000, graded=500)  # 500 in nbgrader, else 3000
    """
    wanted, most = whole_number("batches", batches), whole_number("graded", graded)
    return min(wanted, most) if is_graded() else wanted
