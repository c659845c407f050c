"""The texts of a training run: read, divided into training and held-out text, and encoded."""

import hashlib
import logging
from array import array
from dataclasses import dataclass

import numpy as np

from theano_rnn.batches import EncodedSentences
from theano_rnn.corpus_files import read_documents
from theano_rnn.errors import CorpusError
from theano_rnn.text import Tokenizer
from theano_rnn.vocabulary import Vocabulary, count_characters

logger = logging.getLogger(__name__)

# Before there is a vocabulary, each distinct word has a provisional id, in the order in which they appear.
START, END, FIRST_WORD = 0, 1, 2
BLOCK_SIZE = 2**20  # ids, or characters, handled at a time where that saves memory
LONG_TEXT = 100_000  # characters; less is encoded sooner than a note of it is read


@dataclass(frozen=True)
class Corpus:
    """Encoded text.

    Attributes
    ----------
    train, valid : EncodedSentences, or at character level int32 arrays, one continuous text each
        `valid` is None where nothing is held out.
    rare : array (word_dim,) of bool, or None
        The words that occur once in the training text, where the vocabulary holds every word of it. Nothing would then
        ever be UNKNOWN_TOKEN in training; `with_unknown_words` lets these stand for the words that are yet unseen.
    fingerprint : str
        Differs for different texts.
    """

    tokenizer: Tokenizer
    vocabulary: Vocabulary
    train: EncodedSentences | np.ndarray
    valid: EncodedSentences | np.ndarray | None
    rare: np.ndarray | None
    fingerprint: str

    @property
    def summary(self):
        """What there is to learn from, in a line."""
        unit = "characters" if self.tokenizer.level == "char" else "sentences"
        held_out = 0 if self.valid is None else len(self.valid)
        return (
            f"training on {len(self.train):,} {unit}, {held_out:,} held out; "
            f"{len(self.vocabulary):,} entries in the vocabulary"
        )


def read_corpus(paths, options, note=logger.info, progress=None, vocabulary=None, tokenizer=None):
    """Read and encode the texts of a run.

    Parameters
    ----------
    paths : one path or several
    options : TrainingOptions
    note : callable
        Is told, in a line, what is being done and what was found.
    progress : callable, optional
        Called as ``progress(done, total)``, in characters, while words are found.
    vocabulary : Vocabulary, optional
        Encode with this one; default: the most frequent tokens of the training text.
    tokenizer : Tokenizer, optional
        Default: the one that the options describe.

    Raises
    ------
    CorpusError
        For a file that cannot be read, and texts with too little in them.
    """
    tokenizer = tokenizer or make_tokenizer(options)
    documents = read_documents(paths)
    held_out = None if options.valid is None else read_documents(options.valid)
    characters = sum(map(len, documents))
    if characters >= LONG_TEXT:
        note(f"encoding {characters:,} characters of text")
    read = read_characters if options.level == "char" else read_words
    vocabulary, train, valid, rare = read(documents, held_out, tokenizer, options, progress, vocabulary)
    corpus = Corpus(tokenizer, vocabulary, train, valid, rare, fingerprint(vocabulary, train, valid))
    note(corpus.summary)
    return corpus


def make_tokenizer(options):
    return Tokenizer(level=options.level, lowercase=not options.keep_case, tokenized=options.tokenized)


def fingerprint(vocabulary, train, valid):
    """Tells encoded texts apart."""
    digest = hashlib.sha256(repr(vocabulary.index_to_word).encode(errors="surrogatepass"))
    for part in (train, valid):
        if part is not None:
            digest.update(part.ids if isinstance(part, EncodedSentences) else part)
    return digest.hexdigest()


# Words


def read_words(documents, held_out, tokenizer, options, progress, vocabulary):
    numbers = Numbers({START: START, END: END})  # no word equals these two keys
    train = number_sentences(documents, tokenizer, numbers, progress)
    if held_out is not None:
        valid = number_sentences(held_out, tokenizer, numbers)
    else:
        chosen = hold_out(len(train), options.valid_fraction, options.seed)
        train, valid = train.selected(~chosen), train.selected(chosen)
    words = list(numbers)[FIRST_WORD:]
    frequencies = count_ids(train.ids, FIRST_WORD + len(words))[FIRST_WORD:]
    counts = {word: count for word, count in zip(words, frequencies.tolist(), strict=True) if count}
    if vocabulary is None:
        vocabulary = Vocabulary.build(counts, options.vocabulary_size)
    final = np.concatenate([[vocabulary.start, vocabulary.end], vocabulary.encode(words)]).astype(np.int32)
    for part in (train, valid):
        for block in blocks(part.ids):
            block[:] = final[block]
    rare = None
    if not options.tutorial and not any((block == vocabulary.unknown).any() for block in blocks(train.ids)):
        rare = np.array([counts.get(word) == 1 for word in vocabulary.index_to_word])
    return vocabulary, train, valid if len(valid) else None, rare


class Numbers(dict):
    """Provisional ids by word; a word without one gets the next."""

    def __missing__(self, word):
        self[word] = number = len(self)
        return number


def number_sentences(documents, tokenizer, numbers, progress=None):
    """Sentences in provisional ids.

    A sentence's words are gone as soon as they have ids: what is kept of a text is 4 bytes a word.
    """
    numbered = tokenizer.converting(numbers.__getitem__)
    ids, offsets = array("i"), array("q", [0])
    for sentence in tokenizer.iterate_sentences(documents, progress=progress):
        ids.append(START)
        ids.extend(numbered(sentence))
        ids.append(END)
        offsets.append(len(ids))
    return EncodedSentences.from_arrays(np.frombuffer(ids, np.int32), np.frombuffer(offsets, np.int64))


def hold_out(count, fraction, seed):
    """Which of so many sentences are for validation: a random share, at least one, as an array of bool."""
    if not count:
        raise CorpusError("the text holds no sentences to learn from")
    share = max(1, round(fraction * count)) if fraction > 0 else 0
    if share >= count:
        share = 0
        logger.info("too little text to hold any out: progress is measured on the training text")
    chosen = np.zeros(count, bool)
    chosen[np.random.default_rng([seed, 0]).permutation(count)[:share]] = True
    return chosen


def count_ids(ids, size):
    """How often each id below `size` occurs."""
    counts = np.zeros(size, np.int64)
    for block in blocks(ids):
        counts += np.bincount(block, minlength=size)
    return counts


def blocks(array):
    """Parts of an array, one after the other, without copying them."""
    return (array[start : start + BLOCK_SIZE] for start in range(0, len(array), BLOCK_SIZE))


# Characters


def read_characters(documents, held_out, tokenizer, options, progress, vocabulary):
    text = as_one_text(documents)
    if held_out is not None:
        train, valid = Stretch(text, 0, len(text)), as_one_text(held_out)
        valid = Stretch(valid, 0, len(valid))
    else:
        stop = len(text) - round(options.valid_fraction * len(text))
        train, valid = Stretch(text, 0, stop), Stretch(text, stop, len(text))
    if len(train) < 2:
        raise CorpusError(f"the training text has {len(train)} characters; at least 2 are needed")
    if vocabulary is None:
        vocabulary = Vocabulary.build(count_characters(train), options.vocabulary_size, newline_ends_sentence=True)

    def encode(stretch):
        # A text begins where a line before it has ended.
        ids = np.full(len(stretch) + 1, vocabulary.end, np.int32)
        end = 1
        for block in stretch:
            ids[end : end + len(block)] = vocabulary.encode_text(block)
            end += len(block)
        return ids

    return vocabulary, encode(train), encode(valid) if len(valid) else None, None


@dataclass
class Stretch:
    """A part of a text, in blocks, so that it is never copied as a whole."""

    text: str
    start: int
    stop: int

    def __len__(self):
        return self.stop - self.start

    def __iter__(self):
        for start in range(self.start, self.stop, BLOCK_SIZE):
            yield self.text[start : min(start + BLOCK_SIZE, self.stop)]


def as_one_text(documents):
    """Documents one after the other, each ending with a newline if there is another."""
    return "".join(
        document if document.endswith("\n") or i + 1 == len(documents) else document + "\n"
        for i, document in enumerate(documents)
    )


# While training


def with_unknown_words(sentences, rare, unknown, generator):
    """The same sentences with each occurrence of a rare word made UNKNOWN_TOKEN with probability one half.

    Words seen once are the best guess at where words never seen will stand (Good and Turing); each is still learnt,
    in half of the epochs.
    """
    ids = sentences.ids.copy()
    for block in blocks(ids):
        block[rare[block] & (generator.random(len(block)) < 0.5)] = unknown
    return EncodedSentences.from_arrays(ids, sentences.offsets)
