"""What is done with a widget on every host: it is compared with a trainer in this process, clicked, and trained."""

from expected import assert_parts_are
from figure import Figure
from harness import SLOW_MS
from playwright.sync_api import expect

from rnnbow_widget import Trainer, corpora

SOURCE = """
from rnnbow_widget import RNNbow, corpora
widget = RNNbow(corpora.c_headers(), hidden_size=16, horizon=5, record_every=20, seed=7)
widget.train(41)
widget
"""


def use(figure: Figure, text: str | None = None) -> None:
    """See what the cell trained, on numpy's headers or another text, click a batch, and train on for a while."""
    expect(figure.root).to_be_visible(timeout=SLOW_MS)  # the host starts a kernel first
    figure.expect_state("paused")
    figure.expect_recorded(3)
    figure.expect_batch(40)
    figure.click(figure.bar_place(1))
    figure.leave()
    figure.expect_batch(20)
    assert_shows_what_is_trained_here(figure, text)
    figure.button("play").click()
    figure.expect_state("training")
    figure.expect_more_recorded(6)
    figure.button("play").click()
    figure.expect_state("paused")
    assert_shows_what_is_trained_here(figure, text)  # the clicked batch stays
    figure.button("follow").click()
    expect(figure.root).not_to_have_attribute("data-batch", "20")
    assert len(figure.read().bars) == figure.recorded
    expect(figure.banner).to_be_hidden()


def assert_shows_what_is_trained_here(figure: Figure, text: str | None) -> None:
    """The same seed gives the same picture on every host: the one of a trainer in this process."""
    trainer = Trainer(text or corpora.c_headers(), hidden_size=16, horizon=5, record_every=20, seed=7)
    items = trainer.train(21).at(20).surfaces["W_hh"]  # (T, D)
    assert_parts_are(figure.read(), items, within=0.05)
