"""Details in memory: thinned evenly, sparing those that matter within half of the room."""

from recorded import recorded

from rnnbow_widget.details import Details


def held(details: Details) -> list[int]:
    return [snapshot.batch // 7 for snapshot in details.since(0)]


def test_those_that_matter_most_are_spared_as_far_as_they_take_half_of_the_room() -> None:
    details = Details()
    for index in range(16):
        details.hold(index, recorded(index))
    details.thin(15, 8 * recorded(0).nbytes, [1, 3, 5, 7, 9, 11, 13])
    assert held(details) == [0, 1, 3, 5, 7, 8, 15]


def test_if_even_the_spared_are_too_many_only_the_newest_is_left() -> None:
    details, newest = Details(), recorded(15, steps=60, lags=30)
    for index in range(15):
        details.hold(index, recorded(index))
    details.hold(15, newest)
    details.thin(15, newest.nbytes + 1, [1, 3, 5])
    assert held(details) == [15]
    assert details.nbytes == newest.nbytes
