"""A trained translator, and one with random values and its own vocabularies, whose functions are compiled once."""

import pytest
from support.training_runs import share_compiled_writers
from support.translations import SETTINGS, write_pairs

from theano_rnn.decoders.writer import Writer
from theano_rnn.decoders.writer_settings import WriterSettings
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.training.train_model import train
from theano_rnn.writing.text_side import TextSide
from theano_rnn.writing.translator import Translator

SHARED = {}


@pytest.fixture(scope="package", autouse=True)
def compiled_once():
    """Networks of the same shape share their compiled functions, and nothing else."""
    with pytest.MonkeyPatch.context() as patch:
        share_compiled_writers(patch, SHARED)
        yield
    SHARED.clear()


@pytest.fixture(scope="package")
def folder(compiled_once, tmp_path_factory):
    return tmp_path_factory.mktemp("translator")


@pytest.fixture(scope="package")
def table(folder):
    return write_pairs(folder / "pairs.tsv")


@pytest.fixture(scope="package")
def trained(folder, table):
    """Its file is unbroken.npz."""
    return train(table, model=folder / "unbroken.npz", log=folder / "log.jsonl", **SETTINGS)


@pytest.fixture(scope="package")
def without_attention(folder):
    """A translator with random values, whose file is plain.npz."""
    sides = [TextSide.of([text], Tokenizer(lines=True), 20, 1) for text in ("one two three", "eins zwei drei")]
    settings = WriterSettings(
        words=6, source_words=6, hidden_dim=4, embedding_dim=3, cell="simple", bidirectional=False, attention=False
    )
    model = Translator(Writer(settings, seed=5), *sides)
    model.save(folder / "plain.npz")
    return model
