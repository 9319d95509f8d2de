"""Numpy's products on one thread."""

import sys

import pytest
from threadpoolctl import threadpool_info

from rnnbow_widget import blas_threads


def threads() -> list[int]:
    return [library["num_threads"] for library in threadpool_info() if library["internal_api"] == "openblas"]


def others() -> list[int]:
    return [library["num_threads"] for library in threadpool_info() if library["internal_api"] != "openblas"]


def test_openblas_has_one_thread_within_and_as_many_as_before_afterwards() -> None:
    before, untouched = threads(), others()
    with blas_threads.one_thread():
        assert threads() == [1] * len(before)
        assert others() == untouched
    assert threads() == before
    assert others() == untouched


def test_without_threadpoolctl_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    blas_threads._controller.cache_clear()
    before = threads()
    with blas_threads.one_thread():
        assert threads() == before
    blas_threads._controller.cache_clear()
