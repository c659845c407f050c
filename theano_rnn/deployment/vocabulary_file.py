"""The vocabulary of a language model as JSON, for programs that run an exported network."""

import json
from pathlib import Path
from typing import Any

from theano_rnn.files.output_files import write_output
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary


def vocabulary_path(path: Path) -> Path:
    """Return the place of the vocabulary beside an exported network.

    Examples
    --------
    >>> vocabulary_path(Path("rnn.onnx")).name
    'rnn.vocabulary.json'
    """
    return path.with_suffix(".vocabulary.json")


def vocabulary_document(rnn: RNN, vocabulary: Vocabulary, tokenizer: Tokenizer) -> dict[str, Any]:
    """Return what a program needs beside the network, as a dict that JSON can hold.

    Returns
    -------
    dict
        ``words``: the entries in the order of their ids. ``start``: the id before the first token of a text; ``end``
        and ``unknown``: the ids of SENTENCE_END and UNKNOWN_TOKEN. ``level``: "word" or "char"; at character level
        ``newline_ends_sentence`` is true: a newline has the id ``end``. ``tokenizer``: how text is split into tokens.
        ``network``: the settings of the network. ``state_dim`` and ``dtype``: the length and type of a packed state.
    """
    return {
        "words": vocabulary.index_to_word,
        "start": vocabulary.end if vocabulary.newline_ends_sentence else vocabulary.start,
        "end": vocabulary.end,
        "unknown": vocabulary.unknown,
        "level": tokenizer.level,
        "newline_ends_sentence": vocabulary.newline_ends_sentence,
        "tokenizer": tokenizer.to_configuration(),
        "network": rnn.settings(),
        "state_dim": rnn.architecture.state_dim,
        "dtype": rnn.dtype,
    }


def write_vocabulary(path: Path, document: dict[str, Any]) -> None:
    """Write a document as JSON in ASCII, atomically. Raises OutputFileError if the file cannot be written."""
    write_output(path, [json.dumps(document, indent=1), "\n"])
