"""The checks of a release notice what they are for."""

from pathlib import Path

import numpy as np
import pytest
import release_check
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
