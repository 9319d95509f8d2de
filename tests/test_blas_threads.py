"""Numpy's products on one thread."""

import sys
from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from rnnbow_widget import blas_threads


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    """More than one, also where there is one core only."""
    with threadpool_limits(2):
        yield


def threads() -> list[int]:
    return [library["num_threads"] for library in threadpool_info() if library["internal_api"] == "openblas"]


def others() -> list[int]:
    return [library["num_threads"] for library in threadpool_info() if library["internal_api"] != "openblas"]


@pytest.mark.skipif(not threads(), reason="numpy has another BLAS here")
def test_openblas_has_one_thread_within_and_as_many_as_before_afterwards() -> None:
    before, untouched = threads(), others()
    assert set(before) == {2}
    with blas_threads.one_thread():
        assert threads() == [1] * len(before)
        assert others() == untouched
    assert threads() == before
    assert others() == untouched


@pytest.mark.skipif(not threads(), reason="numpy has another BLAS here")
def test_without_threadpoolctl_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    monkeypatch.setattr(blas_threads, "_controller", blas_threads._controller.__wrapped__)  # what was found before
    before = threads()
    with blas_threads.one_thread():
        assert threads() == before
