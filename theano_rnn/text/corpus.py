"""The texts of a training run: read, divided into training and held-out text, and encoded.

Neither the texts nor their ids are ever in memory as a whole: both lie in files without a name.
"""

import hashlib
import logging
from array import array
from dataclasses import dataclass

import numpy as np

from theano_rnn.errors import CorpusError
from theano_rnn.files.temporary_arrays import ScratchFile
from theano_rnn.text.coverage import Coverage
from theano_rnn.text.documents import Documents, parts, read_documents
from theano_rnn.text.minibatches import EncodedSentences
from theano_rnn.text.text_layout import Layout
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary, count_characters

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
    train, valid : EncodedSentences, or at character level arrays of ids, one continuous text each
        Mapped from files, so that they can only be read. Ids of characters take one or two bytes each where the
        vocabulary is that small. `valid` is None where nothing is held out.
    rare : array (word_dim,) of bool, or None
        The words that occur once in the training text, where the vocabulary holds every word of it. Nothing would then
        ever be UNKNOWN_TOKEN in training; `with_unknown_words` lets these stand for the words that are yet unseen.
    fingerprint : str
        Differs for different texts.
    coverage : Coverage
        How much of the text the vocabulary covers.
    layout : Layout
        What about the text suggests reading it in another way.
    """

    tokenizer: Tokenizer
    vocabulary: Vocabulary
    train: EncodedSentences | np.ndarray
    valid: EncodedSentences | np.ndarray | None
    rare: np.ndarray | None
    fingerprint: str
    coverage: Coverage
    layout: Layout

    @property
    def summary(self):
        """What there is to learn from, in a line."""
        unit = "character" if self.tokenizer.level == "char" else "sentence"
        unit += "s" * (len(self.train) != 1)
        held_out = 0 if self.valid is None else len(self.valid)
        return (
            f"training on {len(self.train):,} {unit}, {held_out:,} held out; "
            f"{len(self.vocabulary):,} entries in the vocabulary"
        )


def read_corpus(
    paths,
    options,
    note=logger.info,
    progress=None,
    *,
    vocabulary=None,
    tokenizer=None,
    folder=None,
    ends_last_line=True,
):
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
        That of a model which shall learn more; `vocabulary_size` and `min_count` of the options then say nothing.
    tokenizer : Tokenizer, optional
        Likewise; default the one that the options describe, with the abbreviations that the text shows.
    folder : path, optional
        Where there is room for the texts and for 4 to 12 bytes a word (1 to 4 a character); default the system's folder
        for temporary files, which may be in memory. Nothing there has a name, or outlives the process.
    ends_last_line : bool
        At character level: whether the text gets a line end at its end if it has none.

    Raises
    ------
    CorpusError
        For a file that cannot be read, texts with too little in them, and a folder without room.
    """
    is_given, tokenizer = tokenizer is not None, tokenizer or make_tokenizer(options)
    where = {"folder": folder, "column": options.column, "joins_lines": tokenizer.lines}
    texts = read_documents(paths, **where)
    held_out = None if options.valid is None else read_documents(options.valid, **where)
    if tokenizer.level == "char":
        join = ended_text if ends_last_line else one_text
        texts, held_out = join(texts, folder), held_out and join(held_out, folder)
    if texts.characters >= LONG_TEXT:
        note(f"encoding {texts.characters:,} characters of text")
    if not is_given:
        tokenizer = tokenizer.fitted(texts)
    read = read_characters if tokenizer.level == "char" else read_words
    vocabulary, train, valid, rare, counts = read(texts, held_out, tokenizer, options, progress, vocabulary, folder)
    coverage = Coverage(*counts, *([] if valid is None else count_words(valid, vocabulary)))
    layout = layout_of(texts, tokenizer, train, valid if held_out is None else None)
    digest = fingerprint(vocabulary, train, valid)
    corpus = Corpus(tokenizer, vocabulary, train, valid, rare, digest, coverage, layout)
    note(corpus.summary)
    return corpus


def layout_of(texts, tokenizer, *found):
    """The layout of a text in which these sentences were found."""
    if tokenizer.level == "char":
        return Layout()
    found = [sentences for sentences in found if sentences is not None]
    longest = max(int(np.diff(sentences.offsets).max()) - 2 for sentences in found)
    return Layout.of(texts, tokenizer.splits_sentences, sum(map(len, found)), longest)


def make_tokenizer(options):
    return Tokenizer(
        level=options.level, lowercase=not options.keep_case, tokenized=options.tokenized, lines=options.lines
    )


def fingerprint(vocabulary, train, valid):
    """Tells encoded texts apart."""
    digest = hashlib.sha256(repr(vocabulary.index_to_word).encode(errors="surrogatepass"))
    for part in (train, valid):
        if part is not None:
            for block in id_blocks(part):
                digest.update(block.astype(np.int32))
    return digest.hexdigest()


def count_words(part, vocabulary):
    """The number of words (or characters) of a part of a corpus, ends of sentences left out, and of unknown ones."""
    words = unknown = 0
    for block in id_blocks(part):
        words += int(np.count_nonzero((block != vocabulary.start) & (block != vocabulary.end)))
        unknown += int(np.count_nonzero(block == vocabulary.unknown))
    return words, unknown


def counts_of(train, vocabulary, frequencies, min_count):
    """Of the training text: distinct words, words, unknown ones, and those that occur less often than `min_count`.

    `frequencies` is how often each distinct word occurs.
    """
    rare = int(frequencies[frequencies < min_count].sum())
    return int(np.count_nonzero(frequencies)), *count_words(train, vocabulary), rare


# Words


def read_words(texts, held_out, tokenizer, options, progress, vocabulary, folder):
    numbers = Numbers({START: START, END: END})  # no word equals these two keys
    train = number_sentences(texts, tokenizer, numbers.__getitem__, folder, progress)
    if held_out is not None:
        chosen, valid = (
            np.zeros(len(train), bool),
            number_sentences(held_out, tokenizer, numbers.__getitem__, folder),
        )
    else:
        share, seed = options.held_out_share(train.tokens), options.held_out_seed(train.tokens)
        chosen, valid = hold_out(len(train), share, seed), None
    words = list(numbers)[FIRST_WORD:]
    frequencies = count_ids(sentence_blocks(train, ~chosen), len(numbers))[FIRST_WORD:]
    del numbers
    if vocabulary is None:
        kept = most_frequent(frequencies, options.vocabulary_size, options.min_count)
        counts = {words[place]: int(frequencies[place]) for place in kept}
        vocabulary = Vocabulary.build(counts, options.vocabulary_size, min_count=options.min_count)
        del counts
    else:
        kept = np.arange(len(words))
    final = np.full(FIRST_WORD + len(words), vocabulary.unknown, np.int32)
    final[[START, END]] = vocabulary.start, vocabulary.end
    final[kept + FIRST_WORD] = vocabulary.encode(words[place] for place in kept)
    del words
    if valid is None:
        valid = final_sentences(train, chosen, final, folder)
    else:
        valid = final_sentences(valid, None, final, folder)
    train = final_sentences(train, ~chosen, final, folder)
    counts = counts_of(train, vocabulary, frequencies, options.min_count)
    rare = None
    if not options.tutorial and not counts[2]:
        rare = count_ids(sentence_blocks(train), len(vocabulary)) == 1
        rare[: vocabulary.unknown + 1] = False
    return vocabulary, train, valid if len(valid) else None, rare, counts


class Numbers(dict):
    """Provisional ids by word; a word without one gets the next."""

    def __missing__(self, word):
        self[word] = number = len(self)
        return number


class GrowingSentences:
    """Encoded sentences that are written to files as they come."""

    def __init__(self, folder):
        self._ids, self._offsets = ScratchFile(folder), ScratchFile(folder)
        self._offsets.write(np.zeros(1, np.int64))
        self._length = 0

    def add(self, ids, lengths):
        """Sentences that follow each other in `ids`, an array of int32."""
        ends = self._length + np.cumsum(lengths, dtype=np.int64)
        self._ids.write(ids)
        self._offsets.write(ends)
        self._length += len(ids)

    def finished(self):
        """All of them as `EncodedSentences`."""
        return EncodedSentences.from_arrays(self._ids.mapped(np.int32), self._offsets.mapped(np.int64))


def number_sentences(texts, tokenizer, number, folder, progress=None):
    """Sentences in the provisional ids that `number` gives their words.

    A sentence's words are gone as soon as they have ids.
    """
    numbered = tokenizer.converting(number)
    found = GrowingSentences(folder)
    ids, lengths = array("i"), array("q")
    for sentence in tokenizer.iterate_sentences(texts, progress=progress):
        before = len(ids)
        ids.append(START)
        ids.extend(numbered(sentence))
        ids.append(END)
        lengths.append(len(ids) - before)
        if len(ids) >= BLOCK_SIZE:
            found.add(np.asarray(ids), np.asarray(lengths))
            ids, lengths = array("i"), array("q")
    found.add(np.asarray(ids), np.asarray(lengths))
    return found.finished()


def sentence_blocks(sentences, wanted=None):
    """Yield sentences a block at a time, or only those for which the array `wanted` of bool holds."""
    for start, stop in sentences.stretches(BLOCK_SIZE):
        block = sentences.part(start, stop)
        yield block if wanted is None else block.selected(wanted[start:stop])


def final_sentences(sentences, wanted, final, folder):
    """The wanted sentences in files of their own, each id i made ``final[i]``."""
    found = GrowingSentences(folder)
    for block in sentence_blocks(sentences, wanted):
        found.add(final[block.ids], np.diff(block.offsets))
    return found.finished()


def most_frequent(frequencies, size, min_count):
    """The places of all that can be among the `size` most frequent words.

    There are more where many are equally frequent, and if none is frequent enough, the most frequent.
    """
    least = min(min_count, int(frequencies.max(initial=1)))
    if size < len(frequencies):
        least = max(least, int(np.partition(frequencies, -size)[-size]))
    return np.flatnonzero(frequencies >= max(least, 1))


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


def count_ids(sentence_blocks, size):
    """How often each id below `size` occurs."""
    counts = np.zeros(size, np.int64)
    for sentences in sentence_blocks:
        found = np.bincount(sentences.ids)
        counts[: len(found)] += found
    return counts


def id_blocks(part):
    """The ids of a part of a corpus, in blocks."""
    return blocks(part.ids if isinstance(part, EncodedSentences) else part)


def blocks(array):
    """Parts of an array, one after the other, without copying them."""
    return (array[start : start + BLOCK_SIZE] for start in range(0, len(array), BLOCK_SIZE))


# Characters


def read_characters(texts, held_out, tokenizer, options, progress, vocabulary, folder):
    if held_out is not None:
        train, valid = Stretch(texts, 0, texts.characters), Stretch(held_out, 0, held_out.characters)
    else:
        stop = texts.characters - round(options.held_out_share(texts.characters) * texts.characters)
        train, valid = Stretch(texts, 0, stop), Stretch(texts, stop, texts.characters)
    if len(train) < 2:
        raise CorpusError(f"the training text has {len(train)} characters; at least 2 are needed")
    counts = count_characters(train)
    if vocabulary is None:
        vocabulary = Vocabulary.build(
            counts, options.vocabulary_size, newline_ends_sentence=True, min_count=options.min_count
        )
    train = encode_characters(train, vocabulary, folder)
    valid = encode_characters(valid, vocabulary, folder) if len(valid) else None
    frequencies = np.array([count for character, count in counts.items() if character != "\n"], np.int64)
    return vocabulary, train, valid, None, counts_of(train, vocabulary, frequencies, options.min_count)


def encode_characters(text, vocabulary, folder=None):
    """The ids of a text that comes in blocks, in a file: an array that can only be read."""
    dtype = next((kind for kind in (np.uint8, np.uint16) if len(vocabulary) <= np.iinfo(kind).max + 1), np.int32)
    ids = ScratchFile(folder)
    # A text begins where a line before it has ended.
    ids.write(np.array([vocabulary.end], dtype))
    for block in text:
        ids.write(vocabulary.encode_text(block).astype(dtype))
    return ids.mapped(dtype)


@dataclass
class Stretch:
    """A part of a text, in blocks, so that it is never in memory as a whole."""

    text: Documents
    start: int
    stop: int

    def __len__(self):
        return self.stop - self.start

    def __iter__(self):
        passed = 0
        for document in self.text:
            for block in parts(document, BLOCK_SIZE):
                start, stop = max(self.start - passed, 0), self.stop - passed
                passed += len(block)
                if start < min(stop, len(block)):
                    yield block[start:stop]
                if stop <= len(block):
                    return


def ended_text(documents, folder=None):
    """Documents as one text whose last line ends too: it is the same whether its file has a line end there or not."""
    text = one_text(documents, folder)
    text.end_last_line()
    return text


def one_text(documents, folder=None):
    """Documents one after the other as a single one, each ending with a newline if there is another."""
    if len(documents) == 1:
        return documents
    text = Documents(folder)
    text.add(_ended(documents))
    return text


def _ended(documents):
    block = ""
    for document in documents:
        if block and not block.endswith("\n"):
            yield "\n"
        for block in parts(document):
            yield block


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
