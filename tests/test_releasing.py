"""The checks of a release, and the table of versions, notice what they are for."""

from pathlib import Path

import numpy as np
import pytest
import release_check
import versions
from packaging.version import Version
from PIL import Image

from rnnbow_widget import __version__


def picture(path: Path, changed: int) -> Path:
    """A picture of 100 pixels, of which so many are dark."""
    pixels = np.full((10, 10, 3), 255, np.uint8)  # (y, x, 3)
    pixels.reshape(100, 3)[:changed] = 0
    Image.fromarray(pixels).save(path)
    return path


def test_pictures_are_compared_pixel_by_pixel(tmp_path: Path) -> None:
    kept = picture(tmp_path / "kept.png", 0)
    assert release_check.differing(kept, kept) == 0
    assert release_check.differing(kept, picture(tmp_path / "other.png", 3)) == 0.03
    Image.new("RGB", (10, 11), "white").save(tmp_path / "larger.png")
    assert release_check.differing(kept, tmp_path / "larger.png") == 1


def test_the_changelog_begins_with_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    assert release_check.version().wrong == []
    monkeypatch.setattr(release_check, "VERSION", "99.0.0")
    assert "the version is 99.0.0" in release_check.version().wrong[0]


def test_the_version_is_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release_check, "NAMED_IN", set())
    assert f"rnnbow_widget/__init__.py names {__version__}" in "\n".join(release_check.version().wrong)


def test_a_check_that_cannot_be_carried_out_fails() -> None:
    with release_check.heard() as found:
        release_check.run(["/no/such/program"])
    assert "FileNotFoundError" in found.wrong[0]
    with release_check.heard() as found:
        release_check.run(["false"])
    assert found.wrong


def test_bounds_are_those_of_pyproject() -> None:
    found = versions.bounds(["cli", "demo"])
    assert {"numpy", "anywidget", "ipywidgets", "traitlets", "click", "jupyterlab"} == found.keys()
    assert found["numpy"] == Version("2.0")
    assert set(versions.SHOWN) <= versions.bounds(versions.EXTRAS).keys()


def test_every_python_has_rows_and_the_oldest_one_tries_kernels_and_jupyterlabs() -> None:
    rows = list(versions.environments({"3.11.7": "/a", "3.13.0": "/b"}))
    assert [(row.release, row.oldest, row.kernel, row.lab) for row in rows] == [
        ("3.11.7", True, 6, True),
        ("3.11.7", False, 6, False),
        ("3.11.7", False, 7, True),
        ("3.13.0", True, 6, False),
        ("3.13.0", False, 7, False),
    ]
    assert all(Version(release) >= versions.required_python() for release in versions.interpreters())


def test_what_the_table_tests_is_there() -> None:
    for test in (*versions.TESTS, versions.IN_A_BROWSER):
        path, _, name = test.partition("::")
        assert f"def {name}" in (versions.REPOSITORY / path).read_text(encoding="utf-8")


def test_the_page_of_versions_ends_with_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "versions.md"
    page.write_text("# Versions\n\nWords.\n\n| Python | old |\n| --- | --- |\n| 3.11 | 1 |\n")
    monkeypatch.setattr(versions, "PAGE", page)
    row = ["3.11.7", "oldest", "6.5.0", "–", *["1"] * len(versions.SHOWN), "9 pass"]
    versions.write([row])
    assert page.read_text().startswith("# Versions\n\nWords.\n\n| Python | dependencies |")
    assert page.read_text().endswith(f"| {' | '.join(row)} |\n")
