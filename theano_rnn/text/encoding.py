"""From sentences to ids: the vocabulary of a training text, and the ids of its words or characters.

The ids are never in memory as a whole: they are written to temporary files, which are then mapped.
"""

import logging
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from os import PathLike
from typing import Protocol

import numpy as np
import numpy.typing as npt

from theano_rnn.errors import CorpusError
from theano_rnn.files.temporary_storage import TemporaryStorage
from theano_rnn.text.documents import Documents
from theano_rnn.text.encoded_sentences import BLOCK_SIZE, EncodedSentences, EncodedSentencesWriter, count_ids
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary, count_characters

logger = logging.getLogger(__name__)

# Until there is a vocabulary, each distinct word has a provisional id, in order of first appearance.
_START, _END, _FIRST_WORD = 0, 1, 2


class CorpusOptions(Protocol):
    """The training options that decide how a text is read and encoded.

    `theano_rnn.training.options.TrainingOptions` has them.
    """

    @property
    def level(self) -> str: ...
    @property
    def keep_case(self) -> bool: ...
    @property
    def tokenized(self) -> bool: ...
    @property
    def lines(self) -> bool: ...
    @property
    def column(self) -> str | None: ...
    @property
    def valid(self) -> str | None: ...
    @property
    def vocabulary_size(self) -> int: ...
    @property
    def min_count(self) -> int: ...
    @property
    def tutorial(self) -> bool: ...
    @property
    def continuous(self) -> bool: ...
    @property
    def init_from(self) -> str | None: ...

    def held_out_share(self, tokens: int) -> float:
        """Return the share that is held out of a text with this number of tokens."""

    def held_out_seed(self, tokens: int) -> int:
        """Return the seed that chooses the held-out sentences of a text with this number of tokens."""


@dataclass(frozen=True)
class EncodedText:
    """A training text and its held-out text as ids.

    Attributes
    ----------
    vocabulary : Vocabulary
    train, valid : EncodedSentences, or numpy.ndarray at character level
        `valid` is None if nothing is held out.
    seen_once : numpy.ndarray or None
        (word_dim,) bool: see `theano_rnn.text.corpus.Corpus`.
    frequencies : numpy.ndarray
        How often each distinct word or character occurs in the training text, in any order. Line ends do not count.
    """

    vocabulary: Vocabulary
    train: EncodedSentences | npt.NDArray[np.integer]
    valid: EncodedSentences | npt.NDArray[np.integer] | None
    seen_once: npt.NDArray[np.bool_] | None
    frequencies: npt.NDArray[np.int64]


# Words


def encode_words(
    documents: Documents,
    held_out_documents: Documents | None,
    tokenizer: Tokenizer,
    options: CorpusOptions,
    *,
    vocabulary: Vocabulary | None = None,
    folder: str | PathLike[str] | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> EncodedText:
    """Encode the words of documents.

    The words first get provisional ids, in order of appearance, as the vocabulary is not known until all of them are
    counted. A sentence's words are forgotten as soon as they have ids.

    Parameters
    ----------
    documents : Documents
        The training text.
    held_out_documents : Documents or None
        None: hold out some sentences of the training text, chosen at random, or its last ones if it is continuous.
    tokenizer : Tokenizer
    options : CorpusOptions
    vocabulary : Vocabulary, optional
        Default: the most frequent words of the training text.
    folder : path, optional
        A folder for temporary files.
    progress : callable, optional
        Called as ``progress(done, total)``, in characters of the training text.
    """
    provisional = _ProvisionalIds()
    train = provisional.encode(documents, tokenizer, folder, progress)
    if held_out_documents is not None:
        is_held_out = np.zeros(len(train), bool)
        valid = provisional.encode(held_out_documents, tokenizer, folder)
    else:
        share, seed = options.held_out_share(train.tokens), options.held_out_seed(train.tokens)
        is_held_out = choose_held_out(len(train), share, None if options.continuous else seed)
        valid = None
    words = provisional.words()
    frequencies = count_ids(train.blocks(~is_held_out), len(provisional))[_FIRST_WORD:]
    del provisional
    if vocabulary is None:
        kept = most_frequent(frequencies, options.vocabulary_size, options.min_count)
        counts = {words[place]: int(frequencies[place]) for place in kept}
        vocabulary = Vocabulary.build(counts, options.vocabulary_size, min_count=options.min_count)
        del counts
    else:
        kept = np.arange(len(words))
    ids = np.full(_FIRST_WORD + len(words), vocabulary.unknown, np.int32)  # by provisional id
    ids[[_START, _END]] = vocabulary.start, vocabulary.end
    ids[kept + _FIRST_WORD] = vocabulary.encode(words[place] for place in kept)
    del words
    if valid is None:
        valid = _renumber(train.blocks(is_held_out), ids, folder)
    else:
        valid = _renumber(valid.blocks(), ids, folder)
    train = _renumber(train.blocks(~is_held_out), ids, folder)
    seen_once = None if options.tutorial else _words_seen_once(train, vocabulary)
    return EncodedText(vocabulary, train, valid if len(valid) else None, seen_once, frequencies)


class _ProvisionalIds(dict[object, int]):
    """Provisional ids by word. A word without one gets the next."""

    def __init__(self) -> None:
        super().__init__({_START: _START, _END: _END})  # no word equals these two keys

    def __missing__(self, word: object) -> int:
        self[word] = number = len(self)
        return number

    def words(self) -> list[str]:
        """Return the words in the order of their ids, from `_FIRST_WORD` on."""
        return [word for word in self if isinstance(word, str)]

    def encode(
        self,
        documents: Documents,
        tokenizer: Tokenizer,
        folder: str | PathLike[str] | None,
        progress: Callable[[int, int], object] | None = None,
    ) -> EncodedSentences:
        """Encode the sentences of documents with provisional ids."""
        tokens_to_ids = tokenizer.token_mapper(self.__getitem__)
        writer = EncodedSentencesWriter(folder)
        ids, lengths = array("i"), array("q")
        for sentence in tokenizer.iterate_sentences(documents, progress=progress):
            before = len(ids)
            ids.append(_START)
            ids.extend(tokens_to_ids(sentence))
            ids.append(_END)
            lengths.append(len(ids) - before)
            if len(ids) >= BLOCK_SIZE:
                writer.add(np.asarray(ids), np.asarray(lengths))
                ids, lengths = array("i"), array("q")
        writer.add(np.asarray(ids), np.asarray(lengths))
        return writer.finish()


def _renumber(
    blocks: Iterable[EncodedSentences], ids: npt.NDArray[np.int32], folder: str | PathLike[str] | None
) -> EncodedSentences:
    """Replace each provisional id i by ``ids[i]``."""
    writer = EncodedSentencesWriter(folder)
    for block in blocks:
        writer.add(ids[block.ids], np.diff(block.offsets))
    return writer.finish()


def _words_seen_once(train: EncodedSentences, vocabulary: Vocabulary) -> npt.NDArray[np.bool_] | None:
    """Find the words that occur once, or None if the training text has unknown words anyway."""
    counts = count_ids(train.blocks(), len(vocabulary))
    if counts[vocabulary.unknown]:
        return None
    seen_once = counts == 1
    seen_once[: vocabulary.unknown + 1] = False
    return seen_once


def most_frequent(frequencies: npt.NDArray[np.int64], size: int, min_count: int) -> npt.NDArray[np.intp]:
    """Find all words that can be among the `size` most frequent ones.

    Parameters
    ----------
    frequencies : numpy.ndarray
        How often each word occurs.
    size : int
    min_count : int
        Leave out words that occur less often, unless all words do.

    Returns
    -------
    numpy.ndarray
        Indices of `frequencies`; more than `size` if several words are as frequent as the last one.

    Examples
    --------
    >>> most_frequent(np.array([5, 1, 2, 2]), 2, 1).tolist()
    [0, 2, 3]
    """
    least = min(min_count, int(frequencies.max(initial=1)))
    if size < len(frequencies):
        least = max(least, int(np.partition(frequencies, -size)[-size]))
    return np.flatnonzero(frequencies >= max(least, 1))


def choose_held_out(count: int, share: float, seed: int | None) -> npt.NDArray[np.bool_]:
    """Choose the sentences to hold out: a share of them, and at least one.

    Parameters
    ----------
    count : int
        The number of sentences.
    share : float
        From 0 to 1. Nothing is held out if it is 0, or if no sentence would be left.
    seed : int or None
        Of the choice at random; None: the last ones.

    Returns
    -------
    numpy.ndarray
        (count,) bool.

    Raises
    ------
    CorpusError
        If there are no sentences.
    """
    if not count:
        raise CorpusError("the text contains no sentences to learn from")
    number = max(1, round(share * count)) if share > 0 else 0
    if number >= count:
        number = 0
        logger.info("too little text to hold any out: progress is measured on the training text")
    chosen = np.zeros(count, bool)
    if seed is None:
        chosen[count - number :] = True
    else:
        chosen[np.random.default_rng([seed, 0]).permutation(count)[:number]] = True
    return chosen


# Characters


def encode_characters(
    documents: Documents,
    held_out_documents: Documents | None,
    options: CorpusOptions,
    *,
    vocabulary: Vocabulary | None = None,
    folder: str | PathLike[str] | None = None,
) -> EncodedText:
    """Encode the characters of documents.

    Parameters
    ----------
    documents : Documents
        The training text, as one document.
    held_out_documents : Documents or None
        Likewise. None: hold out the end of the training text.
    options : CorpusOptions
    vocabulary : Vocabulary, optional
        Default: the most frequent characters of the training text.
    folder : path, optional
        A folder for temporary files.

    Raises
    ------
    CorpusError
        If the training text has fewer than two characters.
    """
    stop, valid = documents.characters, None
    if held_out_documents is not None:
        valid_text = held_out_documents.excerpt()
    else:
        stop -= round(options.held_out_share(documents.characters) * documents.characters)
        valid_text = documents.excerpt(stop)
    train_text = documents.excerpt(0, stop)
    if len(train_text) < 2:
        raise CorpusError("the training text has fewer than 2 characters; name a longer text")
    counts = count_characters(train_text)
    if vocabulary is None:
        vocabulary = Vocabulary.build(
            counts, options.vocabulary_size, newline_ends_sentence=True, min_count=options.min_count
        )
    train = character_ids(train_text, vocabulary, folder)
    if len(valid_text):
        valid = character_ids(valid_text, vocabulary, folder)
    frequencies = np.array([count for character, count in counts.items() if character != "\n"], np.int64)
    return EncodedText(vocabulary, train, valid, None, frequencies)


def character_ids(
    text: Iterable[str], vocabulary: Vocabulary, folder: str | PathLike[str] | None = None
) -> npt.NDArray[np.integer]:
    """Encode a continuous text as ids of characters, after the id of a line end.

    Parameters
    ----------
    text : iterable of str
        The text in chunks.
    vocabulary : Vocabulary
    folder : path, optional
        A folder for a temporary file.

    Returns
    -------
    numpy.ndarray
        (number of characters + 1,) uint8, uint16 or int32, the smallest type that suits the vocabulary; read-only.

    Examples
    --------
    >>> vocabulary = Vocabulary.build({"a": 2, "b": 1}, 5, newline_ends_sentence=True)
    >>> character_ids(["ab", "a?"], vocabulary).tolist()
    [1, 3, 4, 3, 2]
    """
    dtype: type[np.integer] = np.int32
    for smaller in (np.uint16, np.uint8):
        if len(vocabulary) <= np.iinfo(smaller).max + 1:
            dtype = smaller
    ids = TemporaryStorage(folder)
    # The line before the text has ended.
    ids.write(np.array([vocabulary.end], dtype))
    for chunk in text:
        ids.write(vocabulary.encode_text(chunk).astype(dtype))
    return ids.mapped(dtype)
