"""Surprisal, -log2 P(token | tokens before it), in bits."""

import math

import numpy as np


def surprisal(log_probabilities):
    """-log2 P in bits: float64 array of the shape of `log_probabilities`, which are natural logarithms."""
    bits = np.asarray(log_probabilities, dtype=np.float64) / -math.log(2)
    return np.maximum(bits, 0)  # no -0, and nothing below it by rounding


def readable(perplexity):
    """A perplexity for people."""
    return f"{perplexity:,.2f}" if perplexity < 1e7 else f"{perplexity:.2e}"


def bits_per_token(tokens):
    """The mean surprisal of some `Tokens`."""
    return float(surprisal(tokens.log_probability) / tokens.number)
