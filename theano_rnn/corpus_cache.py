"""The encoded text of a run, kept in a file beside the model, so that the same text is encoded only once.

The file is never needed: one that is missing, damaged, of another text, or cannot be written, costs only the time to
encode the text.
"""

import hashlib
import importlib.metadata
import logging
import os
import sys

import numpy as np

from theano_rnn.batches import EncodedSentences
from theano_rnn.checkpoint import one_line, read_archive, read_document, write_archive
from theano_rnn.corpus import Corpus, fingerprint, make_tokenizer
from theano_rnn.corpus_files import file_format
from theano_rnn.errors import ModelFileError
from theano_rnn.vocabulary import Vocabulary

logger = logging.getLogger(__name__)

# Of the file's contents and of what encoding makes of a text: with another number, texts are encoded anew.
VERSION = 1
DOCUMENT = "corpus"
DECISIVE_OPTIONS = (
    "level",
    "keep_case",
    "tokenized",
    "vocabulary_size",
    "valid_fraction",
    "seed",
    "tutorial",
    "init_from",
)


class CorpusCache:
    """The encoded text of one run, as far as it is of words: characters are encoded as fast as they are read.

    Parameters
    ----------
    path : pathlib.Path
        The file of the encoded text.
    paths : sequence of paths
        The texts.
    options : TrainingOptions
    """

    def __init__(self, path, paths, options):
        self.path = path
        self.options = options
        self._texts = [*paths, *([options.valid] if options.valid is not None else [])]
        self._states = self._key = None  # without a key nothing is read or written
        if options.level == "word":
            try:
                self._states = self._file_states()
                self._key = self._make_key()
            except OSError:
                pass  # whoever reads the text says what is wrong with it

    def _make_key(self):
        """All on which the encoded text depends, or None for texts that can be read only once, such as pipes.

        Whether NLTK's own model for sentences is installed is not part of it: to ask takes as long as NLTK takes to
        be imported.
        """
        if not all(map(os.path.isfile, self._texts)):
            return None
        digests = []
        for text in self._texts:
            with open(text, "rb") as file:
                digests.append(hashlib.file_digest(file, "sha256").hexdigest())
        return {
            "version": VERSION,
            "texts": [[digest, *file_format(text)] for digest, text in zip(digests, self._texts, strict=True)],
            "valid": self.options.valid is not None,  # whether the last text is held out
            "options": {name: getattr(self.options, name) for name in DECISIVE_OPTIONS},
            "nltk": _installed_version("nltk"),
            "python": list(sys.version_info[:2]),  # which characters are letters, capitals, white space
        }

    def _file_states(self):
        return [(found.st_size, found.st_mtime_ns) for found in map(os.stat, self._texts)]

    def read(self):
        """The encoded text, or None where there is none of exactly this text and these options.

        Returns
        -------
        Corpus or None
        """
        if self._key is None or not self.path.exists():
            return None
        try:
            entries = read_archive(self.path)
            if DOCUMENT not in entries:
                self._key = None  # another model's file of this name, which is not to be overwritten
                raise ModelFileError("holds something else than an encoded text")
            document = read_document(self.path, entries, DOCUMENT)
            if document["key"] != self._key:
                logger.info("%s: of another text, or encoded otherwise", self.path)
                return None
            corpus = _rebuilt(entries, document, self.options)
        except Exception as error:  # whatever is wrong with the file, the text is still there
            logger.info("%s: not used: %s", self.path, one_line(error))
            return None
        self._key = None  # so that it is not written again
        return corpus

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


def _rebuilt(entries, document, options):
    """The corpus that a file holds; a ValueError or KeyError if its parts do not fit together."""
    vocabulary = Vocabulary.from_configuration(document["vocabulary"])
    train = _rebuilt_sentences(entries, "train", vocabulary)
    valid = _rebuilt_sentences(entries, "valid", vocabulary) if "valid.ids" in entries else None
    rare = entries.get("rare")
    if rare is not None and (rare.dtype != bool or rare.shape != (len(vocabulary),)):
        raise ValueError("rare is no bool for each word")
    if fingerprint(vocabulary, train, valid) != document["fingerprint"]:
        raise ValueError("the fingerprint is another one")
    return Corpus(make_tokenizer(options), vocabulary, train, valid, rare, document["fingerprint"])


def _rebuilt_sentences(entries, part, vocabulary):
    ids, offsets = entries[f"{part}.ids"], entries[f"{part}.offsets"]
    if ids.dtype != np.int32 or offsets.dtype != np.int64 or ids.ndim != 1 or offsets.ndim != 1:
        raise ValueError(f"{part}: arrays of another kind")
    if len(offsets) < 2 or offsets[0] != 0 or offsets[-1] != len(ids) or (np.diff(offsets) < 2).any():
        raise ValueError(f"{part}: the sentences do not follow each other")
    if ids.min() < 0 or ids.max() >= len(vocabulary):
        raise ValueError(f"{part}: ids that are not in the vocabulary")
    if (ids[offsets[:-1]] != vocabulary.start).any() or (ids[offsets[1:] - 1] != vocabulary.end).any():
        raise ValueError(f"{part}: sentences without start or end")
    return EncodedSentences.from_arrays(ids, offsets)
