"""The tokens of an encoded text that are predicted, each with the tokens before it.

The tokens are those that a network predicts: all but the first of each sentence, or of a continuous text.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from theano_rnn.text.corpus import Ids
from theano_rnn.text.encoded_sentences import EncodedSentences, id_blocks

IntArray = npt.NDArray[np.int64]


def with_histories(text: Ids, length: int, start: int, continuous: bool = False) -> tuple[IntArray, IntArray]:
    """Return the predicted tokens of a text with the tokens before them.

    Parameters
    ----------
    text : EncodedSentences, or array of int
        An array is one continuous text, as at character level.
    length : int
        The number of tokens before each token.
    start : int
        The id of SENTENCE_START, which also stands for what is missing before a text or a sentence.
    continuous : bool
        Whether histories continue over the ends of sentences. SENTENCE_START is then left out.

    Returns
    -------
    histories : int64 array (length, n)
        Row k holds the tokens k + 1 places before.
    tokens : int64 array (n,)

    Examples
    --------
    >>> sentences = EncodedSentences([[0, 3, 4, 1], [0, 5, 1]])
    >>> histories, tokens = with_histories(sentences, 2, start=0)
    >>> tokens.tolist(), histories.tolist()
    ([3, 4, 1, 5, 1], [[0, 3, 4, 0, 5], [0, 0, 3, 0, 0]])
    >>> with_histories(sentences, 1, start=0, continuous=True)[0].tolist()
    [[0, 3, 4, 1, 5]]
    """
    if isinstance(text, EncodedSentences) and not continuous:
        first, last = int(text.offsets[0]), int(text.offsets[-1])
        ids: npt.NDArray[np.integer] = np.asarray(text.ids[first:last])
        place = np.arange(first, last) - np.repeat(text.offsets[:-1], np.diff(text.offsets))
    else:
        ids = as_stream(text, start)
        place = np.arange(len(ids))
    chosen = np.flatnonzero(place > 0)
    place = place[chosen]
    histories = np.empty((length, len(chosen)), np.int64)
    for back in range(1, length + 1):
        histories[back - 1] = np.where(place >= back, ids[np.maximum(chosen - back, 0)], start)
    return histories, ids[chosen].astype(np.int64)


def as_stream(text: Ids, start: int) -> npt.NDArray[np.integer]:
    """Return a continuous text as one array, whose first token is not predicted."""
    return np.concatenate(list(_stream_blocks(text, start)))


def _stream_blocks(text: Ids, start: int) -> Iterator[npt.NDArray[np.integer]]:
    """Yield the blocks of a continuous text. Sentences have one SENTENCE_START, at the beginning of the first."""
    if isinstance(text, EncodedSentences):
        yield np.array([start], np.int32)
    for block in id_blocks(text):
        yield block[block != start] if isinstance(text, EncodedSentences) else block


def blocks_with_histories(
    text: Ids, length: int, start: int, continuous: bool = False
) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield what `with_histories` returns in blocks of about a million tokens, which bounds the memory."""
    if isinstance(text, EncodedSentences) and not continuous:
        for sentences in text.blocks():
            yield with_histories(sentences, length, start)
        return
    kept = max(length, 1)  # tokens of the blocks before
    before: npt.NDArray[np.integer] = np.zeros(0, np.int32)
    for block in _stream_blocks(text, start):
        joined = np.concatenate([before, block])
        new = max(len(before) - 1, 0)
        histories, tokens = with_histories(joined, length, start)
        yield histories[:, new:], tokens[new:]
        before = joined[-kept:]
