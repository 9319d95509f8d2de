"""Itemizing a long window of a large network: against its bare matrix products, and against plain back-propagation."""

from rnnbow_widget import bptt, itemized_bptt

from . import products
from .setting import LONG_HIDDEN, LONG_STEPS, long_window
from .table import Findings, dearer
from .timing import interleaved

LAGS = 25
EPSILON = 1e-3
TURNS = 20
AT_MOST_PRODUCTS = 1.5
AT_MOST_PLAIN = 4.0


def measure() -> Findings:
    rnn, forward = long_window("orthogonal")  # gradients reach through the whole window
    vanishing, forward_vanishing = long_window("normal")
    plain = bptt(rnn, forward)
    plain_vanishing = bptt(vanishing, forward_vanishing)
    seconds = interleaved(
        {
            "whole": lambda: itemized_bptt(rnn, forward),
            "products": products.of_itemizing(rnn, forward),
            "plain": lambda: bptt(rnn, forward),
            "lags": lambda: itemized_bptt(rnn, forward, LAGS),
            "lags, at hand": lambda: itemized_bptt(rnn, forward, LAGS, gradients=plain),
            "plain, vanishing": lambda: bptt(vanishing, forward_vanishing),
            "adaptive": lambda: itemized_bptt(vanishing, forward_vanishing, epsilon=EPSILON),
            "adaptive, at hand": lambda: itemized_bptt(
                vanishing, forward_vanishing, epsilon=EPSILON, gradients=plain_vanishing
            ),
        },
        TURNS,
    )
    name = f"itemized, n={LONG_STEPS}, H={LONG_HIDDEN}, {{}}"
    at_hand = "  the same with plain gradients at hand"
    lags, adaptive = f"k={LAGS}: vs plain backward pass", f"vanishing, ε={EPSILON:g}: vs plain"
    return Findings(
        [
            dearer(
                name.format("all: vs bare matrix products"), seconds["whole"], seconds["products"], AT_MOST_PRODUCTS
            ),
            dearer(name.format(lags), seconds["lags"], seconds["plain"], AT_MOST_PLAIN),
            dearer(at_hand, seconds["lags, at hand"], seconds["plain"], AT_MOST_PLAIN),
            dearer(name.format(adaptive), seconds["adaptive"], seconds["plain, vanishing"], AT_MOST_PLAIN),
            dearer(at_hand, seconds["adaptive, at hand"], seconds["plain, vanishing"], AT_MOST_PLAIN),
        ]
    )
