"""A tiny language with another word order, for tests of translation."""

import itertools

WORDS = {
    "the": "la", "dog": "hund", "cat": "kat", "bird": "fugl", "sees": "vidi", "likes": "ami", "eats": "mangi",
}  # fmt: skip
NOUNS, VERBS = ("dog", "cat", "bird"), ("sees", "likes", "eats")
PAIRS = [
    (f"The {one} {verb} the {other}.", f"La {WORDS[one]} la {WORDS[other]} {WORDS[verb]}.")
    for one, verb, other in itertools.product(NOUNS, VERBS, NOUNS)
]
SETTINGS = {
    "task": "translate", "hidden_dim": 12, "embedding_dim": 8, "cell": "simple", "batch_size": 8, "seed": 3,
    "dropout": 0.1, "learning_rate": 0.03, "valid_fraction": 0.1, "epochs": 12, "min_count": 1, "sample_every": 0,
}  # fmt: skip


def write_pairs(path, pairs=PAIRS):
    """Write pairs, or lines without a tab, to a file."""
    path.write_text("".join(f"{one if isinstance(one, str) else chr(9).join(one)}\n" for one in pairs), "utf-8")
    return path
