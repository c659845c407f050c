"""The corpus of a training run: the whole way from files to ids, one step after the other."""

import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from theano_rnn.text.coverage import Coverage
from theano_rnn.text.documents import Documents, read_documents
from theano_rnn.text.encoded_sentences import EncodedSentences, id_blocks
from theano_rnn.text.encoding import CorpusOptions, EncodedText, encode_characters, encode_words
from theano_rnn.text.text_profile import TextProfile, usual_separator
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

logger = logging.getLogger(__name__)

_LONG_TEXT = 100_000  # characters; a shorter text is encoded faster than a message is read

_LEAST_COUNT = 0.5  # of a token in the initial output bias

Ids: TypeAlias = EncodedSentences | npt.NDArray[np.integer]


@dataclass(frozen=True)
class Corpus:
    """The encoded text of a training run.

    Attributes
    ----------
    tokenizer : Tokenizer
    vocabulary : Vocabulary
    train, valid : EncodedSentences, or numpy.ndarray at character level
        The training text and the held-out text, mapped from files and read-only. At character level each is one
        continuous text, with one or two bytes per id if the vocabulary is small enough. `valid` is None if nothing is
        held out.
    seen_once : numpy.ndarray or None
        (word_dim,) bool: the words that occur once in the training text, if the vocabulary holds every word of it.
        UNKNOWN_TOKEN would then never occur in training, so `theano_rnn.text.minibatches.replace_words_seen_once`
        puts it in the place of some of these words. None in all other cases.
    fingerprint : str
        A checksum of vocabulary and ids.
    coverage : Coverage
        How much of the text the vocabulary covers.
    profile : TextProfile
        Figures that show whether other options suit the text better.
    """

    tokenizer: Tokenizer
    vocabulary: Vocabulary
    train: Ids
    valid: Ids | None
    seen_once: npt.NDArray[np.bool_] | None
    fingerprint: str
    coverage: Coverage
    profile: TextProfile

    @property
    def summary(self) -> str:
        """The size of the corpus, in one line."""
        unit = "character" if self.tokenizer.level == "char" else "sentence"
        unit += "s" * (len(self.train) != 1)
        held_out = 0 if self.valid is None else len(self.valid)
        return (
            f"training on {len(self.train):,} {unit}, {held_out:,} held out; "
            f"{len(self.vocabulary):,} entries in the vocabulary"
        )


def read_corpus(
    paths: str | PathLike[str] | Iterable[str | PathLike[str]],
    options: CorpusOptions,
    note: Callable[[str], object] = logger.info,
    progress: Callable[[int, int], object] | None = None,
    *,
    vocabulary: Vocabulary | None = None,
    tokenizer: Tokenizer | None = None,
    folder: str | PathLike[str] | None = None,
    ends_last_line: bool = True,
) -> Corpus:
    """Read and encode the text of a training run.

    Parameters
    ----------
    paths : path or iterable of paths
        The files of the training text.
    options : CorpusOptions
    note : callable
        Called with a line of text for the user: what is being done, or what was found.
    progress : callable, optional
        Called as ``progress(done, total)``, in characters, while sentences are split into words.
    vocabulary : Vocabulary, optional
        The vocabulary of the model to start from. Default: the most frequent tokens, as the options `vocabulary_size`
        and `min_count` say.
    tokenizer : Tokenizer, optional
        The tokenizer of the model to start from. Default: the one that the options describe, with the abbreviations
        and the usual separator of sentences that occur in the text.
    folder : path, optional
        A folder with space for temporary files: the text, and 4 to 12 bytes per word or 1 to 4 per character. They have
        no names and vanish with the process. Default: the system's folder for temporary files, which may be in memory.
    ends_last_line : bool
        At character level: add a line end to the text if it has none at its end.

    Raises
    ------
    CorpusError
        If a file cannot be read, if there is too little text, or if the disk is full.
    """
    is_fitted, tokenizer = tokenizer is not None, tokenizer or make_tokenizer(options)
    documents = read_documents(paths, folder, options.column, tokenizer.lines)
    held_out = None
    if options.valid is not None:
        held_out = read_documents(options.valid, folder, options.column, tokenizer.lines)
    if tokenizer.level == "char":
        documents, held_out = documents.joined(ends_last_line), held_out and held_out.joined(ends_last_line)
    if documents.characters >= _LONG_TEXT:
        note(f"encoding {documents.characters:,} characters of text")
    if not is_fitted:
        tokenizer = tokenizer.with_abbreviations_of(documents)
        if tokenizer.splits_sentences:
            tokenizer = replace(tokenizer, separator=usual_separator(documents, tokenizer.split))
    if tokenizer.level == "char":
        encoded = encode_characters(documents, held_out, options, vocabulary=vocabulary, folder=folder)
    else:
        encoded = encode_words(
            documents, held_out, tokenizer, options, vocabulary=vocabulary, folder=folder, progress=progress
        )
    corpus = Corpus(
        tokenizer,
        encoded.vocabulary,
        encoded.train,
        encoded.valid,
        encoded.seen_once,
        fingerprint(encoded.vocabulary, encoded.train, encoded.valid),
        _measure_coverage(encoded, options.min_count),
        _measure_profile(documents, tokenizer, encoded.train, encoded.valid if held_out is None else None),
    )
    note(corpus.summary)
    return corpus


def make_tokenizer(options: CorpusOptions) -> Tokenizer:
    """Make the tokenizer that the options describe."""
    return Tokenizer(
        level=options.level, lowercase=not options.keep_case, tokenized=options.tokenized, lines=options.lines
    )


def fingerprint(vocabulary: Vocabulary, train: Ids, valid: Ids | None) -> str:
    """Compute a checksum that differs for different texts."""
    digest = hashlib.sha256(repr(vocabulary.index_to_word).encode(errors="surrogatepass"))
    for ids in (train, valid):
        if ids is not None:
            for block in id_blocks(ids):
                digest.update(block.astype(np.int32).data)
    return digest.hexdigest()


def count_words(encoded: Ids, vocabulary: Vocabulary) -> tuple[int, int]:
    """Count the words (or characters) of an encoded text, without boundary tokens, and the unknown ones among them."""
    words = unknown = 0
    for block in id_blocks(encoded):
        words += int(np.count_nonzero((block != vocabulary.start) & (block != vocabulary.end)))
        unknown += int(np.count_nonzero(block == vocabulary.unknown))
    return words, unknown


def _measure_coverage(encoded: EncodedText, min_count: int) -> Coverage:
    frequencies = encoded.frequencies
    return Coverage(
        int(np.count_nonzero(frequencies)),
        *count_words(encoded.train, encoded.vocabulary),
        int(frequencies[frequencies < min_count].sum()),
        *([] if encoded.valid is None else count_words(encoded.valid, encoded.vocabulary)),
    )


def _measure_profile(documents: Documents, tokenizer: Tokenizer, *encoded: Ids | None) -> TextProfile:
    """Measure documents and their sentences. At character level the profile is empty."""
    lengths = [np.diff(sentences.offsets) for sentences in encoded if isinstance(sentences, EncodedSentences)]
    if not lengths:
        return TextProfile()
    longest = max(int(each.max()) for each in lengths) - 2  # without boundary tokens
    return TextProfile.measure(documents, tokenizer.splits_sentences, sum(map(len, lengths)), longest)


def log_frequencies(corpus: Corpus, never_predicted: Sequence[int]) -> npt.NDArray[np.float64]:
    """Compute ln of each token's relative frequency in the training text, the initial output bias of a network.

    A token that does not occur counts as half an occurrence, as does a word that stands for unknown ones in half of the
    epochs.

    Parameters
    ----------
    corpus : Corpus
    never_predicted : sequence of int
        The tokens that do not count.

    Returns
    -------
    float64 array (word_dim,)
    """
    counts = np.zeros(len(corpus.vocabulary))
    for block in id_blocks(corpus.train):
        counts += np.bincount(block, minlength=len(counts))
    counts[list(never_predicted)] = 0
    if corpus.seen_once is not None:
        counts[corpus.vocabulary.unknown] += np.count_nonzero(corpus.seen_once) / 2
        counts[corpus.seen_once] /= 2
    counts = np.maximum(counts, _LEAST_COUNT)
    return np.log(counts / counts.sum())
