"""Snapshots as bytes: what comes back is the same, and what does not fit its description is refused."""

import json
from dataclasses import fields, replace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import VOCABULARY, recorded, require_same

from rnnbow_widget import Snapshot
from rnnbow_widget.snapshot_bytes import Layout, LayoutError, SnapshotReader, pack_snapshot


@settings(max_examples=40)
@given(steps=st.integers(1, 9), lags=st.integers(1, 9), streams=st.integers(0, 3), place=st.integers(0, 9))
def test_a_snapshot_is_the_same_after_it_was_bytes(steps: int, lags: int, streams: int, place: int) -> None:
    snapshot = recorded(place, steps=steps, lags=lags, streams=streams)
    layout, content = pack_snapshot(snapshot)
    found = SnapshotReader(json.loads(layout.description), VOCABULARY).unpack(content)
    require_same(found, snapshot)
    assert len(content) % 8 == 0
    assert pack_snapshot(replace(snapshot, batch=2**40, grad_norm=np.inf))[0] == layout
    for wrong in (content[:-1], content + b"\0", b""):
        with pytest.raises(LayoutError, match="bytes"):
            SnapshotReader(json.loads(layout.description), VOCABULARY).unpack(wrong)


def test_fields_that_snapshots_will_have_are_in_the_bytes_without_being_named_there() -> None:
    snapshot = recorded(3)
    layout, _ = pack_snapshot(snapshot)
    described = {place[0] for place, *_ in layout.pieces} | {name for name, _ in layout.constants}
    assert described | {"vocabulary", "streams"} == {field.name for field in fields(Snapshot)}


def test_names_that_a_later_version_adds_are_passed_over_and_those_that_are_needed_are_missed() -> None:
    layout, content = pack_snapshot(recorded(1))
    more = replace(layout, constants=(*layout.constants, ("mood", '"good"')))
    require_same(SnapshotReader(json.loads(more.description), VOCABULARY).unpack(content), recorded(1))
    less = Layout(tuple(piece for piece in layout.pieces if piece[0] != ("batch",)), layout.constants)
    with pytest.raises(LayoutError, match=r"no snapshot.*batch"):
        SnapshotReader(json.loads(less.description), VOCABULARY).unpack(content[8:])


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        {"pieces": [[["loss"], "|O", [2]]], "constants": {}, "streams": []},
        {"pieces": [[["loss"], "<f4", [-2]]], "constants": {}, "streams": []},
        {"pieces": [[["loss", "a", "b"], "<f4", [2]]], "constants": {}, "streams": []},
        {"pieces": [[["loss"], "<f4"]], "constants": {}, "streams": []},
        {"pieces": [], "constants": [], "streams": []},
        {"pieces": [], "constants": {}, "streams": [None]},
    ],
)
def test_a_description_that_is_none_is_refused(wrong: object) -> None:
    with pytest.raises(LayoutError, match="documented form"):
        SnapshotReader(wrong, VOCABULARY)


def test_a_field_without_a_form_in_bytes_is_named() -> None:
    with pytest.raises(TypeError, match="loss takes an array of numbers"):
        pack_snapshot(recorded(0, loss=np.array([None, 1], object)))
    with pytest.raises(TypeError, match="stream has no form in a file: object"):
        pack_snapshot(replace(recorded(0), stream=cast(Any, object())))
