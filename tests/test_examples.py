"""The examples are what they are said to be, and the same every time."""

import numpy as np

from rnnbow_widget import examples


def test_verbs_agree_with_subjects_that_lie_far_back() -> None:
    corpus = examples.agreement()
    sentences = "".join(corpus.decode(corpus.tokens)).split(". ")[:-1]
    assert len(sentences) == 500
    assert len(set(sentences)) == 100
    for sentence in sentences:
        plural = sentence.startswith(("the keys", "leaves"))
        assert (" are " in sentence, " is " in sentence) == (plural, not plural)
    assert max(sentence.find(" is ") for sentence in sentences) > 30


def test_its_gradients_vanish_in_numbers_and_in_words() -> None:
    run = examples.vanishing().run
    assert len(run) == 21
    (found,) = run.diagnoses()
    assert found.kind == "vanishing"
    reach = run.reading().reach
    assert reach is not None
    assert (reach.steps, reach.seen) == (6, True)
    items = run[-1].surfaces["W_hh"]  # (n, n)
    sent = [sum(items[t - d, d] for d in range(t + 1)) for t in range(32)]
    strongest = int(np.argmax(sent))
    pieces = np.array([items[strongest - d, d] for d in range(strongest + 1)])
    assert np.flatnonzero(pieces < 0.01 * pieces.max())[0] == 6, "the loss that is shown first falls off too"


def test_it_is_the_same_every_time() -> None:
    first, second = (examples.vanishing().run for _ in range(2))
    np.testing.assert_array_equal(first[-1].surfaces["W_hh"], second[-1].surfaces["W_hh"])
