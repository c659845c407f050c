"""The cache around the encoding of a text: the same text is encoded only once.

A training run keeps its encoded text in a file next to its model. The file is never needed. If it is missing, damaged,
made from another text, or cannot be written, the text is encoded again.
"""

import hashlib
import importlib.metadata
import json
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.errors import ModelFileError, OptionError
from theano_rnn.files.archive import one_line, read_archive, read_document, write_archive
from theano_rnn.files.corpus_formats import format_of
from theano_rnn.text.corpus import Corpus, count_words, fingerprint, make_tokenizer, read_corpus
from theano_rnn.text.coverage import Coverage
from theano_rnn.text.encoded_sentences import BLOCK_SIZE, EncodedSentences
from theano_rnn.text.text_profile import TextProfile
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import SPECIAL_TOKENS, Vocabulary
from theano_rnn.training.options import TrainingOptions
from theano_rnn.training.reporter import Reporter
from theano_rnn.training.run_files import RunFiles

logger = logging.getLogger(__name__)

# The version of the file's contents and of the encoding. Texts that another version encoded are encoded again.
VERSION = 2
DOCUMENT = "corpus"
CHANGED_DATA = (
    "data: the text, or how this version splits it into sentences, has changed since the interrupted run; "
    "start a new run, or start from its model with `init_from`"
)
# The options that the encoding depends on.
DECISIVE_OPTIONS = (
    "level",
    "keep_case",
    "tokenized",
    "lines",
    "column",
    "vocabulary_size",
    "min_count",
    "valid_fraction",
    "seed",
    "tutorial",
    "continuous",
)


class CorpusCache:
    """The file that holds the encoded text of a run.

    Only words are kept, because characters are encoded as fast as they are read. The arrays of a corpus that is read
    from the file stay mapped.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    paths : sequence of paths
        The files of the training text.
    options : TrainingOptions
    vocabulary : Vocabulary, optional
        The vocabulary of the model to start from: see `theano_rnn.text.corpus.read_corpus`.
    tokenizer : Tokenizer, optional
        The tokenizer of the model to start from.

    Attributes
    ----------
    path : pathlib.Path
    options : TrainingOptions
    """

    def __init__(
        self,
        path: Path,
        paths: Sequence[str | os.PathLike[str]],
        options: TrainingOptions,
        vocabulary: Vocabulary | None = None,
        tokenizer: Tokenizer | None = None,
    ) -> None:
        self.path: Path = path
        self.options: TrainingOptions = options
        self._vocabulary, self._tokenizer = vocabulary, tokenizer or make_tokenizer(options)
        self._paths = [*paths, *([options.valid] if options.valid is not None else [])]
        self._file_states: list[tuple[int, int]] | None = None
        self._key: dict[str, Any] | None = None  # without a key nothing is read or written
        if self._tokenizer.level == "word":
            try:
                self._file_states = self._read_file_states()
                self._key = self._make_key()
            except OSError:
                pass  # reading the text reports what is wrong with it

    def _make_key(self) -> dict[str, Any] | None:
        """Collect everything that decides the encoding; None for texts that can be read only once, such as pipes."""
        if not all(map(os.path.isfile, self._paths)):
            return None
        return {
            "version": VERSION,
            "texts": [[_file_digest(path), *format_of(path)] for path in self._paths],
            "valid": self.options.valid is not None,  # whether the last text is held out
            "options": {name: getattr(self.options, name) for name in DECISIVE_OPTIONS},
            "tokenizer": self._tokenizer.to_configuration(),
            "vocabulary": None if self._vocabulary is None else _vocabulary_digest(self._vocabulary),
            "nltk": _installed_version("nltk"),
            "python": list(sys.version_info[:2]),  # decides which characters are letters, capitals and whitespace
        }

    def _read_file_states(self) -> list[tuple[int, int]]:
        return [(found.st_size, found.st_mtime_ns) for found in map(os.stat, self._paths)]

    def read(self, fingerprint: str | None = None) -> Corpus | None:
        """Read the corpus from the file.

        Parameters
        ----------
        fingerprint : str, optional
            The fingerprint of the corpus of an interrupted run. A corpus with this fingerprint is accepted even if
            another version of the package encoded it.

        Returns
        -------
        Corpus or None
            None if the file does not hold exactly this text, encoded with these options.
        """
        if self._key is None or not self.path.exists():
            return None
        try:
            entries = read_archive(self.path, mapped=True)
            if DOCUMENT not in entries:
                self._key = None  # a file of this name from another model must not be overwritten
                raise ModelFileError("does not hold an encoded text")
            document = read_document(self.path, entries, DOCUMENT)
            is_of_run = fingerprint is not None and fingerprint == document["fingerprint"]
            if document["key"] != self._key and not (is_of_run and self._has_same_texts(document["key"])):
                logger.info("%s: not used: it holds another text, or other options encoded it", self.path)
                return None
            corpus = _restore_corpus(entries, document, self._tokenizer)
        except Exception as error:  # whatever is wrong with the file, the text can be encoded again
            logger.info("%s: not used: %s", self.path, one_line(error))
            return None
        self._key = None  # it need not be written again
        return corpus

    def _has_same_texts(self, key: dict[str, Any]) -> bool:
        """Tell whether a key is for the same texts and options, whatever version made it."""
        assert self._key is not None
        digests = [[digest for digest, *_ in each["texts"]] for each in (key, self._key)]
        has_same_options = key["options"].items() <= self._key["options"].items()  # older versions have fewer
        return digests[0] == digests[1] and key["valid"] == self._key["valid"] and has_same_options

    def write(self, corpus: Corpus) -> None:
        """Write a corpus to the file, unless it was read from there or the text has changed in the meantime."""
        if self._key is None:
            return
        arrays: dict[str, np.ndarray] = {}
        for name, sentences in (("train", corpus.train), ("valid", corpus.valid)):
            if isinstance(sentences, EncodedSentences):
                arrays |= {f"{name}.ids": sentences.ids, f"{name}.offsets": sentences.offsets}
        if corpus.seen_once is not None:
            arrays["rare"] = corpus.seen_once
        document = {
            "key": self._key,
            "vocabulary": corpus.vocabulary.to_configuration(),
            "fingerprint": corpus.fingerprint,
            "tokenizer": corpus.tokenizer.to_configuration(),
            "coverage": corpus.coverage.to_configuration(),
            "layout": corpus.profile.to_configuration(),
        }
        try:
            if self._read_file_states() == self._file_states:
                write_archive(self.path, arrays, {DOCUMENT: document})
        except (ModelFileError, OSError) as error:
            logger.info("the encoded text is not kept: %s", one_line(error))


def _installed_version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _vocabulary_digest(vocabulary: Vocabulary) -> str:
    return hashlib.sha256(json.dumps(vocabulary.to_configuration()).encode()).hexdigest()


def _file_digest(path: str | os.PathLike[str]) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def _restore_corpus(entries: dict[str, Any], document: dict[str, Any], tokenizer: Tokenizer) -> Corpus:
    """Make the corpus that a file holds; raise ValueError or KeyError if its parts do not fit together."""
    vocabulary = Vocabulary.from_configuration(document["vocabulary"])
    train = _restore_sentences(entries, "train", vocabulary)
    valid = _restore_sentences(entries, "valid", vocabulary) if "valid.ids" in entries else None
    seen_once = entries.get("rare")
    if seen_once is not None and (seen_once.dtype != bool or seen_once.shape != (len(vocabulary),)):
        raise ValueError("rare does not have one bool per word")
    if fingerprint(vocabulary, train, valid) != document["fingerprint"]:
        raise ValueError("the fingerprint does not match")
    if document["key"]["version"] == 1:  # what it lacks is only for messages to the user
        tokenizer, profile = replace(tokenizer, abbreviations=None), TextProfile()
        coverage = Coverage(len(vocabulary) - len(SPECIAL_TOKENS), *count_words(train, vocabulary), 0)
    else:
        tokenizer = Tokenizer.from_configuration(document["tokenizer"])
        profile = TextProfile.from_configuration(document["layout"])
        coverage = Coverage.from_configuration(document["coverage"])
    return Corpus(tokenizer, vocabulary, train, valid, seen_once, document["fingerprint"], coverage, profile)


def _restore_sentences(entries: dict[str, Any], name: str, vocabulary: Vocabulary) -> EncodedSentences:
    ids, offsets = entries[f"{name}.ids"], entries[f"{name}.offsets"]
    if ids.dtype != np.int32 or offsets.dtype != np.int64 or ids.ndim != 1 or offsets.ndim != 1:
        raise ValueError(f"{name}: the arrays have the wrong type or dimension")
    if len(offsets) < 2 or offsets[0] != 0 or offsets[-1] != len(ids) or not _is_increasing(offsets):
        raise ValueError(f"{name}: the sentences do not follow each other")
    sentences = EncodedSentences.from_arrays(ids, offsets)
    for block in sentences.blocks():
        if block.ids.min() < 0 or block.ids.max() >= len(vocabulary):
            raise ValueError(f"{name}: ids are not in the vocabulary")
        starts, ends = block.ids[block.offsets[:-1]], block.ids[block.offsets[1:] - 1]
        if (starts != vocabulary.start).any() or (ends != vocabulary.end).any():
            raise ValueError(f"{name}: sentences have no start or end")
    return sentences


def _is_increasing(offsets: npt.NDArray[np.int64]) -> bool:
    """Tell whether each sentence has at least two ids."""
    starts = range(0, len(offsets) - 1, BLOCK_SIZE)
    return all((np.diff(offsets[start : start + BLOCK_SIZE + 1]) >= 2).all() for start in starts)


# The corpus of a run


def prepare_corpus(
    files: RunFiles,
    paths: list[str],
    options: TrainingOptions,
    reporter: Reporter,
    fingerprint: str | None = None,
    vocabulary: Vocabulary | None = None,
    tokenizer: Tokenizer | None = None,
) -> Corpus:
    """Read the corpus from the cache, or else encode the text and write it to the cache.

    Parameters
    ----------
    files : RunFiles
    paths : list of str
        The files of the training text.
    options : TrainingOptions
    reporter : Reporter
    fingerprint : str, optional
        The fingerprint of the corpus of the interrupted run.
    vocabulary, tokenizer : optional
        Those of the model to start from.

    Raises
    ------
    OptionError
        If the corpus does not have this fingerprint.
    """
    cache = CorpusCache(files.corpus, paths, options, vocabulary, tokenizer)
    folder = files.corpus.resolve().parent
    corpus = cache.read(fingerprint)
    if corpus is None:
        corpus = read_corpus(
            paths,
            options,
            reporter.note,
            reporter.encoding,
            vocabulary=vocabulary,
            tokenizer=tokenizer,
            folder=folder,
        )
    else:
        reporter.note(f"text as encoded before ({cache.path})")
        reporter.note(corpus.summary)
    report_coverage(corpus, options, reporter)
    if fingerprint not in (None, corpus.fingerprint) and options.level == "char":
        # Older versions did not add a line end to a text without one.
        corpus = read_corpus(
            paths, options, vocabulary=vocabulary, tokenizer=tokenizer, folder=folder, ends_last_line=False
        )
    if fingerprint not in (None, corpus.fingerprint):
        raise OptionError(CHANGED_DATA)
    if files.writes:
        cache.write(corpus)
    return corpus


def report_coverage(corpus: Corpus, options: TrainingOptions, reporter: Reporter) -> None:
    """Report how many words are unknown, and whether other options suit the text better."""
    reporter.note(corpus.coverage.summary("characters" if options.level == "char" else "words"))
    for hint in corpus.profile.hints(corpus.tokenizer.splits_sentences, reporter.option_name):
        reporter.warn(hint)
    warning = corpus.coverage.warning(options, reporter.option_name)
    if warning is not None:
        reporter.warn(warning)
