"""Seeded examples, the same on every machine: small enough to train while a cell runs."""

from __future__ import annotations

from itertools import product

from .corpora import Corpus, text
from .trainer import Trainer

_SUBJECTS = (("the key", "is"), ("the keys", "are"), ("a leaf", "is"), ("leaves", "are"), ("the lake", "is"))
_BETWEEN = ("", " to the old house", " near the river", " that she saw", " behind the hill and the road")
_ENDS = ("small", "green", "here", "gone")
_STRIDE = 37  # without a factor in common with the number of sentences, so that all come, in no apparent order


def agreement() -> Corpus:
    """Sentences whose verb depends on a subject up to 30 characters before: *the keys near the river are gone*.

    There are 100, always in the same order, five times over: about 16,000 characters.

    Returns
    -------
    Corpus

    Examples
    --------
    >>> from rnnbow_widget.examples import agreement
    >>> agreement()
    Corpus('agreement of verbs', 16,350 characters, 22 distinct)
    """
    sentences = [
        f"{subject}{between} {verb} {end}. " for (subject, verb), between, end in product(_SUBJECTS, _BETWEEN, _ENDS)
    ]
    count = len(sentences)
    corpus = text("".join(sentences[i * _STRIDE % count] for i in range(5 * count)), name="agreement of verbs")
    corpus.code = "examples.agreement()"
    return corpus


def vanishing() -> Trainer:
    """Return a trained network whose gradients vanish: a small tanh network that reads `agreement`.

    101 batches are trained, and every fifth is recorded, over the whole window. What the verbs depend on lies further
    back than its gradients reach: the newest batch's fall below 1 % after 6 of 32 steps.

    Returns
    -------
    Trainer

    Examples
    --------
    >>> from rnnbow_widget.examples import vanishing
    >>> vanishing().run.diagnoses()[0].name
    'vanishing gradients'
    """
    trainer = Trainer(
        agreement(), hidden_size=16, seq_length=32, horizon=None, record_every=5, learning_rate=0.02, seed=1
    )
    trainer.train(101)
    return trainer
