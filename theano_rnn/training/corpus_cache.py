"""The encoded text of a run, kept in a file beside the model, so that the same text is encoded only once.

The file is never needed: one that is missing, damaged, of another text, or cannot be written, costs only the time to
encode the text.
"""

import hashlib
import importlib.metadata
import json
import logging
import os
import sys
from dataclasses import replace

import numpy as np

from theano_rnn.errors import ModelFileError
from theano_rnn.files.archive import one_line, read_archive, read_document, write_archive
from theano_rnn.files.corpus_formats import format_of
from theano_rnn.text.corpus import BLOCK_SIZE, Corpus, count_words, fingerprint, make_tokenizer, sentence_blocks
from theano_rnn.text.coverage import SPECIAL_TOKENS, Coverage
from theano_rnn.text.minibatches import EncodedSentences
from theano_rnn.text.text_layout import Layout
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

logger = logging.getLogger(__name__)

# Of the file's contents and of what encoding makes of a text: with another number, texts are encoded anew.
VERSION = 2
DOCUMENT = "corpus"
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
)


class CorpusCache:
    """The encoded text of one run, as far as it is of words: characters are encoded as fast as they are read.

    What is read stays in the file, from which the system reads what is looked at.

    Parameters
    ----------
    path : pathlib.Path
        The file of the encoded text.
    paths : sequence of paths
        The texts.
    options : TrainingOptions
    vocabulary : Vocabulary, optional
    tokenizer : Tokenizer, optional
        Those with which the text shall be encoded, as for `theano_rnn.text.corpus.read_corpus`.
    """

    def __init__(self, path, paths, options, vocabulary=None, tokenizer=None):
        self.path = path
        self.options = options
        self._vocabulary, self._tokenizer = vocabulary, tokenizer or make_tokenizer(options)
        self._texts = [*paths, *([options.valid] if options.valid is not None else [])]
        self._states = self._key = None  # without a key nothing is read or written
        if self._tokenizer.level == "word":
            try:
                self._states = self._file_states()
                self._key = self._make_key()
            except OSError:
                pass  # whoever reads the text says what is wrong with it

    def _make_key(self):
        """All on which the encoded text depends, or None for texts that can be read only once, such as pipes."""
        if not all(map(os.path.isfile, self._texts)):
            return None
        digests = []
        for text in self._texts:
            digests.append(_digest_of_file(text))
        return {
            "version": VERSION,
            "texts": [[digest, *format_of(text)] for digest, text in zip(digests, self._texts, strict=True)],
            "valid": self.options.valid is not None,  # whether the last text is held out
            "options": {name: getattr(self.options, name) for name in DECISIVE_OPTIONS},
            "tokenizer": self._tokenizer.to_configuration(),
            "vocabulary": None if self._vocabulary is None else _digest(self._vocabulary),
            "nltk": _installed_version("nltk"),
            "python": list(sys.version_info[:2]),  # which characters are letters, capitals, white space
        }

    def _file_states(self):
        return [(found.st_size, found.st_mtime_ns) for found in map(os.stat, self._texts)]

    def read(self, fingerprint=None):
        """The encoded text, or None where there is none of exactly this text and these options.

        Parameters
        ----------
        fingerprint : str, optional
            Of the text that an interrupted run learns from. The same text that was encoded otherwise, by another
            version of the package, is taken if it is the run's.

        Returns
        -------
        Corpus or None
        """
        if self._key is None or not self.path.exists():
            return None
        try:
            entries = read_archive(self.path, mapped=True)
            if DOCUMENT not in entries:
                self._key = None  # another model's file of this name, which is not to be overwritten
                raise ModelFileError("holds something else than an encoded text")
            document = read_document(self.path, entries, DOCUMENT)
            is_of_run = fingerprint is not None and fingerprint == document["fingerprint"]
            if document["key"] != self._key and not (is_of_run and self._is_of_same_texts(document["key"])):
                logger.info("%s: of another text, or encoded otherwise", self.path)
                return None
            corpus = _rebuilt(entries, document, self._tokenizer)
        except Exception as error:  # whatever is wrong with the file, the text is still there
            logger.info("%s: not used: %s", self.path, one_line(error))
            return None
        self._key = None  # so that it is not written again
        return corpus

    def _is_of_same_texts(self, key):
        digests = [[digest for digest, *_ in one["texts"]] for one in (key, self._key)]
        options = key["options"].items() <= self._key["options"].items()  # an older version has fewer
        return digests[0] == digests[1] and key["valid"] == self._key["valid"] and options

    def write(self, corpus):
        """Keep an encoded text, unless that is where it came from, or the text has changed meanwhile.

        Parameters
        ----------
        corpus : Corpus
        """
        if self._key is None:
            return
        arrays = {"train.ids": corpus.train.ids, "train.offsets": corpus.train.offsets}
        if corpus.valid is not None:
            arrays |= {"valid.ids": corpus.valid.ids, "valid.offsets": corpus.valid.offsets}
        if corpus.rare is not None:
            arrays["rare"] = corpus.rare
        document = {
            "key": self._key,
            "vocabulary": corpus.vocabulary.to_configuration(),
            "fingerprint": corpus.fingerprint,
            "tokenizer": corpus.tokenizer.to_configuration(),
            "coverage": corpus.coverage.to_configuration(),
            "layout": corpus.layout.to_configuration(),
        }
        try:
            if self._file_states() == self._states:
                write_archive(self.path, arrays, {DOCUMENT: document})
        except (ModelFileError, OSError) as error:
            logger.info("the encoded text is not kept: %s", one_line(error))


def _installed_version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _digest(vocabulary):
    return hashlib.sha256(json.dumps(vocabulary.to_configuration()).encode()).hexdigest()


def _rebuilt(entries, document, tokenizer):
    """The corpus that a file holds; a ValueError or KeyError if its parts do not fit together."""
    vocabulary = Vocabulary.from_configuration(document["vocabulary"])
    train = _rebuilt_sentences(entries, "train", vocabulary)
    valid = _rebuilt_sentences(entries, "valid", vocabulary) if "valid.ids" in entries else None
    rare = entries.get("rare")
    if rare is not None and (rare.dtype != bool or rare.shape != (len(vocabulary),)):
        raise ValueError("rare is no bool for each word")
    if fingerprint(vocabulary, train, valid) != document["fingerprint"]:
        raise ValueError("the fingerprint is another one")
    if document["key"]["version"] == 1:  # what it lacks is only told to the user
        tokenizer, layout = replace(tokenizer, abbreviations=None), Layout()
        coverage = Coverage(len(vocabulary) - SPECIAL_TOKENS, *count_words(train, vocabulary), 0)
    else:
        tokenizer = Tokenizer.from_configuration(document["tokenizer"])
        layout = Layout.from_configuration(document["layout"])
        coverage = Coverage.from_configuration(document["coverage"])
    return Corpus(tokenizer, vocabulary, train, valid, rare, document["fingerprint"], coverage, layout)


def _rebuilt_sentences(entries, part, vocabulary):
    ids, offsets = entries[f"{part}.ids"], entries[f"{part}.offsets"]
    if ids.dtype != np.int32 or offsets.dtype != np.int64 or ids.ndim != 1 or offsets.ndim != 1:
        raise ValueError(f"{part}: arrays of another kind")
    if len(offsets) < 2 or offsets[0] != 0 or offsets[-1] != len(ids) or not _all_rise(offsets):
        raise ValueError(f"{part}: the sentences do not follow each other")
    sentences = EncodedSentences.from_arrays(ids, offsets)
    for block in sentence_blocks(sentences):
        if block.ids.min() < 0 or block.ids.max() >= len(vocabulary):
            raise ValueError(f"{part}: ids that are not in the vocabulary")
        starts, ends = block.ids[block.offsets[:-1]], block.ids[block.offsets[1:] - 1]
        if (starts != vocabulary.start).any() or (ends != vocabulary.end).any():
            raise ValueError(f"{part}: sentences without start or end")
    return sentences


def _all_rise(offsets):
    """Whether each sentence has two ids at least."""
    starts = range(0, len(offsets) - 1, BLOCK_SIZE)
    return all((np.diff(offsets[start : start + BLOCK_SIZE + 1]) >= 2).all() for start in starts)


def _digest_of_file(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
