"""Whether a grader runs a notebook, and how much is trained then."""

import pytest

from rnnbow_widget import grading


def test_training_is_capped_where_a_grader_runs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(grading.VARIABLE, raising=False)
    assert grading.capped(3000, graded=500) == 3000
    monkeypatch.setenv(grading.VARIABLE, "validate")
    assert grading.capped(3000, graded=500) == 500
    assert grading.capped(100, graded=500) == 100
    with pytest.raises(ValueError, match="graded takes a whole number of at least 1, got 0"):
        grading.capped(1, graded=0)
