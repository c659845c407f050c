"""How good simple models are on the held-out data of a training run, to compare a network with."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.ngrams.kneser_ney import KneserNey
from theano_rnn.text.corpus import Corpus, Ids
from theano_rnn.text.encoded_sentences import EncodedSentences, concatenate
from theano_rnn.text.minibatches import replace_words_seen_once

# A longer text is counted in part: evenly spaced stretches with this many tokens in all. They take a few seconds and
# half a gigabyte.
MOST_TOKENS, STRETCHES = 4_000_000, 64
# The orders of the models, by level; the longest n-grams tell as much of a text of characters as trigrams of words.
ORDERS = {"word": (1, 2, 3), "char": (1, 2, 5)}
NAMES = {1: "unigram", 2: "Kneser-Ney bigram", 3: "trigram", 5: "5-gram"}
_SEED = 0


@dataclass(frozen=True)
class Baselines:
    """The figures of simple models on held-out data.

    Attributes
    ----------
    figure : {"loss", "accuracy"}
        The mean cross-entropy in nats per token, or the share of right labels.
    values : dict of str to float
        The figure of each model, the simplest first.
    counted_tokens, training_tokens : int
        How many tokens of the training data the models have seen, and how many there are; 0 if it does not matter.
    """

    figure: str
    values: dict[str, float]
    counted_tokens: int = 0
    training_tokens: int = 0

    def to_record(self) -> dict[str, Any]:
        """Return a plain dict that JSON can write."""
        return asdict(self)


def ngram_baselines(corpus: Corpus, held_out: Ids, continuous: bool, words_only: bool = False) -> Baselines:
    """Measure n-gram models of the training text on held-out text.

    Tokens, unknown words and sentence ends are those that a network predicts, so the losses can be compared with its
    own. If UNKNOWN_TOKEN does not occur in the training text, it takes the place of half of the words that occur once.

    Parameters
    ----------
    corpus : Corpus
    held_out : EncodedSentences, or at character level array of int
        The text that the network's loss was measured on.
    continuous : bool
        Whether the network carries its state over the ends of sentences. The n-grams then do so too.
    words_only : bool
        Whether the network predicts only words, not the ends of sentences.
    """
    train, vocabulary = corpus.train, corpus.vocabulary
    part = evenly_spaced_part(train, MOST_TOKENS)
    with_unknown = part
    if corpus.seen_once is not None and isinstance(part, EncodedSentences):
        generator = np.random.default_rng(_SEED)
        with_unknown = replace_words_seen_once(part, corpus.seen_once, vocabulary.unknown, generator)
    values = {}
    for order in ORDERS[corpus.tokenizer.level]:
        model = KneserNey(with_unknown, len(vocabulary), order, vocabulary.start, continuous)
        values[NAMES[order]] = model.loss(held_out, vocabulary.end if words_only else None)
    return Baselines("loss", values, count_predicted(part), count_predicted(train))


def target_baselines(
    targets: Sequence[npt.NDArray[np.int32]], held_out_targets: Sequence[npt.NDArray[np.int32]], size: int
) -> Baselines:
    """Measure n-gram models of the targets, which do not read the sources, on held-out targets.

    Parameters
    ----------
    targets, held_out_targets : sequence of int32 arrays
        Each from its start marker to its end marker.
    size : int
        The number of ids.
    """
    train, held_out = joined(targets), joined(held_out_targets)
    part, start = evenly_spaced_part(train, MOST_TOKENS), int(train.ids[0])
    values = {NAMES[order]: KneserNey(part, size, order, start).loss(held_out) for order in ORDERS["word"]}
    return Baselines("loss", values, count_predicted(part), count_predicted(train))


def joined(sentences: Sequence[npt.NDArray[np.int32]]) -> EncodedSentences:
    """Copy sentences, one after the other."""
    offsets = np.concatenate([[0], np.cumsum([len(ids) for ids in sentences])])
    return EncodedSentences.from_arrays(np.concatenate(sentences), offsets)


def count_predicted(text: Ids) -> int:
    """Count the tokens of a text that are predicted."""
    return text.tokens if isinstance(text, EncodedSentences) else len(text) - 1


def evenly_spaced_part(text: Ids, tokens: int, stretches: int = STRETCHES) -> Ids:
    """Return evenly spaced stretches of a text with about so many tokens in all, or the text if it has no more.

    Only these stretches are read, so a text may be larger than memory.
    """
    length = len(text.ids) if isinstance(text, EncodedSentences) else len(text)
    if length <= tokens:
        return text
    size = max(tokens // stretches, 1)
    firsts = [number * length // stretches for number in range(stretches)]
    if not isinstance(text, EncodedSentences):
        return np.concatenate([text[first : first + size] for first in firsts])
    edges = [_sentences(text, first, first + size) for first in firsts]
    return concatenate([text[start:stop] for start, stop in edges if start < stop])


def _sentences(text: EncodedSentences, first: int, last: int) -> tuple[int, int]:
    """The range of the sentences that begin within a range of ids."""
    start, stop = np.searchsorted(text.offsets[:-1], [first, last])
    return int(start), int(stop)


def label_baselines(
    labels: npt.NDArray[np.integer],
    held_out_labels: npt.NDArray[np.integer],
    words: npt.NDArray[np.integer] | None = None,
    held_out_words: npt.NDArray[np.integer] | None = None,
) -> Baselines:
    """Measure the accuracy of the most frequent label, and of the most frequent label of each word.

    Parameters
    ----------
    labels, held_out_labels : int arrays (n,), (m,)
    words, held_out_words : int arrays (n,), (m,), optional
        The ids of the words that are labelled. Default: the labels are not those of words.

    Examples
    --------
    >>> labels, words = np.array([0, 1, 1, 2]), np.array([5, 6, 6, 7])
    >>> label_baselines(labels, np.array([0, 1]), words, np.array([5, 8])).values
    {'most frequent label': 0.5, 'most frequent label of each word': 1.0}
    """
    most_frequent = int(np.bincount(labels).argmax())
    values = {"most frequent label": float(np.mean(held_out_labels == most_frequent))}
    if words is not None and held_out_words is not None:
        of_word = np.full(max(words.max(), held_out_words.max()) + 1, most_frequent)
        pairs, counts = np.unique(np.stack([words, labels]), axis=1, return_counts=True)
        order = np.lexsort((-pairs[1], counts))  # of several most frequent labels, the first
        of_word[pairs[0][order]] = pairs[1][order]
        values["most frequent label of each word"] = float(np.mean(held_out_labels == of_word[held_out_words]))
    return Baselines("accuracy", values)
