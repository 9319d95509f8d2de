"""Keeps numpy's products on one thread, where threadpoolctl is installed.

What is itemized beside somebody's training loop are many small products. On several threads they gain little, and where
other processes use the cores, threads wait for each other much longer than the products take.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from importlib import import_module
from typing import Any


def one_thread() -> AbstractContextManager[Any]:
    """Within this, numpy's OpenBLAS computes on one thread, as it did before afterwards. PyTorch's own are left alone.

    It takes some 40 µs; without threadpoolctl, or with another BLAS, it does nothing.
    """
    controller = _controller()
    found: AbstractContextManager[Any] = nullcontext() if controller is None else controller.limit(limits=1)
    return found


@cache
def _controller() -> Any:
    """Return what sets the number of threads of OpenBLAS; looking for it takes milliseconds."""
    try:
        threadpoolctl = import_module("threadpoolctl")
    except ImportError:
        return None
    return threadpoolctl.ThreadpoolController().select(internal_api="openblas")
