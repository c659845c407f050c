"""The corpus cache: used for exactly the same text and options, and never the cause of a failure."""

import dataclasses
import gzip
import logging
import os
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from theano_rnn.files.archive import read_archive, read_document, write_archive
from theano_rnn.text.corpus import read_corpus
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary
from theano_rnn.training import corpus_cache
from theano_rnn.training.corpus_cache import CorpusCache
from theano_rnn.training.options import TrainingOptions

TEXT = "\n\n".join(f"The dog sees the cat{i % 7} and ‘{i % 5}’." for i in range(60))
OPTIONS = TrainingOptions(valid_fraction=0.2)


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture
def valid(tmp_path):
    path = tmp_path / "valid.txt"
    path.write_text("The cat1 sees.", encoding="utf-8")
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rnn.corpus.npz"


def keep(path, paths, options=OPTIONS):
    """Encode a text, write it to the cache, and return its corpus."""
    cache = CorpusCache(path, paths, options)
    assert cache.read() is None
    corpus = read_corpus(paths, options)
    cache.write(corpus)
    return corpus


def assert_same_corpus(one, other):
    assert (one.tokenizer, one.vocabulary, one.fingerprint) == (other.tokenizer, other.vocabulary, other.fingerprint)
    for part in ("train", "valid"):
        sentences, others = getattr(one, part), getattr(other, part)
        assert (sentences is None) == (others is None)
        if others is not None:
            for name in ("ids", "offsets"):
                assert getattr(sentences, name).dtype == getattr(others, name).dtype
                np.testing.assert_array_equal(getattr(sentences, name), getattr(others, name))
    assert (one.seen_once is None) == (other.seen_once is None)
    if other.seen_once is not None:
        assert one.seen_once.dtype == bool
        np.testing.assert_array_equal(one.seen_once, other.seen_once)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"keep_case": True, "vocabulary_size": 9},
        {"tokenized": True, "valid_fraction": 0.0},
        {"valid": "valid.txt"},
        {"tutorial": True},
    ],
    ids=str,
)
def test_the_cached_corpus_equals_the_encoded_one(path, text, valid, settings):
    if "valid" in settings:
        settings = {"valid": str(valid)}
    options = TrainingOptions.from_settings(settings)
    corpus = keep(path, [str(text)], options)
    assert_same_corpus(CorpusCache(path, [str(text)], options).read(), corpus)


def test_a_text_with_unusual_words_is_cached(path, text):
    text.write_text("nul\0 x\u0301 😀 ẞ Ǆ. SENTENCE_END 0 1.\n" * 3, encoding="utf-8")
    corpus = keep(path, [text])
    assert_same_corpus(CorpusCache(path, [text], OPTIONS).read(), corpus)


def test_a_cached_corpus_is_not_written_again(path, text):
    corpus = keep(path, [text])
    before = path.stat()
    cache = CorpusCache(path, [text], OPTIONS)
    assert cache.read() is not None
    cache.write(corpus)
    assert path.stat().st_mtime_ns == before.st_mtime_ns and path.stat().st_ino == before.st_ino


def test_texts_are_identified_by_contents_and_not_by_path(path, text, tmp_path, monkeypatch):
    corpus = keep(path, [str(text)])
    monkeypatch.chdir(tmp_path)
    assert_same_corpus(CorpusCache(path, ["text.txt"], OPTIONS).read(), corpus)
    text.rename(tmp_path / "other.txt")
    assert_same_corpus(CorpusCache(path, [tmp_path / "other.txt"], OPTIONS).read(), corpus)


@pytest.mark.parametrize(
    "changes",
    [
        {"keep_case": True},
        {"tokenized": True},
        {"vocabulary_size": 7999},
        {"min_count": 2},
        {"valid_fraction": 0.21},
        {"seed": 2},
        {"tutorial": True},
        {"valid": "valid.txt"},
    ],
    ids=str,
)
def test_another_decisive_option_is_a_cache_miss(path, text, valid, changes):
    keep(path, [text])
    if "valid" in changes:
        changes = {"valid": str(valid)}
    assert CorpusCache(path, [text], dataclasses.replace(OPTIONS, **changes)).read() is None


def test_another_vocabulary_or_tokenizer_is_a_cache_miss(path, text):
    keep(path, [text])
    vocabulary, other = (Vocabulary.build({"dog": 2, word: 1}, 9) for word in ("cat", "cow"))
    given = {"vocabulary": vocabulary, "tokenizer": Tokenizer(lowercase=False)}
    cache = CorpusCache(path, [text], OPTIONS, **given)
    assert cache.read() is None
    corpus = read_corpus(text, OPTIONS, **given)
    cache.write(corpus)
    assert_same_corpus(CorpusCache(path, [text], OPTIONS, **given).read(), corpus)
    assert CorpusCache(path, [text], OPTIONS).read() is None
    for change in ({"vocabulary": other}, {"tokenizer": Tokenizer()}):
        assert CorpusCache(path, [text], OPTIONS, **{**given, **change}).read() is None


def test_a_cached_corpus_is_mapped_from_the_file(path, text):
    keep(path, [text])
    corpus = CorpusCache(path, [text], OPTIONS).read()
    for array in (corpus.train.ids, corpus.train.offsets, corpus.valid.ids):
        assert not array.flags.owndata and not array.flags.writeable
        assert isinstance(array.base, np.memmap)


@pytest.mark.parametrize("block_size", [3, 20])
def test_checking_a_cached_corpus_does_not_depend_on_the_block_size(path, text, monkeypatch, block_size):
    monkeypatch.setattr("theano_rnn.text.encoded_sentences.BLOCK_SIZE", block_size)
    monkeypatch.setattr(corpus_cache, "BLOCK_SIZE", block_size)
    corpus = keep(path, [text])
    assert_same_corpus(CorpusCache(path, [text], OPTIONS).read(), corpus)
    changing(with_negative_ids)(path)
    assert CorpusCache(path, [text], OPTIONS).read() is None


def test_every_option_is_decisive_or_about_training_alone():
    about_training = (
        "hidden_dim bptt_truncate activation epochs batch_size sequence_length optimizer learning_rate rate_decay "
        "rate_schedule clip evaluate_every save_every sample_every patience init_from device cell layers embedding_dim "
        "bias tied dropout task bidirectional pooling criterion word_dropout features tier attention "
        "repeat_source shared_vocabulary subwords target samples devices"
    ).split()
    names = {field.name for field in dataclasses.fields(TrainingOptions)}
    assert {*corpus_cache.DECISIVE_OPTIONS, "valid", *about_training} == names
    assert not {*corpus_cache.DECISIVE_OPTIONS, "valid"} & set(about_training)


def test_options_about_training_do_not_matter(path, text):
    keep(path, [text])
    options = dataclasses.replace(OPTIONS, hidden_dim=7, epochs=2, batch_size=3, optimizer="sgd")
    assert CorpusCache(path, [text], options).read() is not None


def test_another_text_is_a_cache_miss(path, text, valid):
    keep(path, [text])
    assert CorpusCache(path, [text, valid], OPTIONS).read() is None
    text.write_text(TEXT.replace("dog", "cow", 1), encoding="utf-8")
    assert CorpusCache(path, [text], OPTIONS).read() is None


def test_another_held_out_text_is_a_cache_miss(path, text, valid):
    options = TrainingOptions(valid=str(valid))
    keep(path, [text], options)
    valid.write_text("The dog sees.", encoding="utf-8")
    assert CorpusCache(path, [text], options).read() is None


def test_another_order_or_role_of_the_texts_is_a_cache_miss(path, text, valid):
    keep(path, [text, valid])
    assert CorpusCache(path, [valid, text], OPTIONS).read() is None
    assert CorpusCache(path, [text], TrainingOptions(valid=str(valid), valid_fraction=0.2)).read() is None


def test_another_format_of_the_same_bytes_is_a_cache_miss(path, text):
    keep(path, [text])
    assert CorpusCache(path, [text.rename(text.with_suffix(".csv"))], OPTIONS).read() is None


def test_a_gzipped_text_is_cached(path, tmp_path):
    packed = tmp_path / "t.txt.gz"
    packed.write_bytes(gzip.compress(TEXT.encode()))
    assert_same_corpus(keep(path, [packed]), CorpusCache(path, [packed], OPTIONS).read())


def of_another_version(monkeypatch):
    monkeypatch.setattr(corpus_cache, "VERSION", corpus_cache.VERSION + 1)


def of_another_nltk(monkeypatch):
    monkeypatch.setattr(corpus_cache.importlib.metadata, "version", lambda package: "0.0")


def of_another_python(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 99, 0))


@pytest.mark.parametrize("change", [of_another_version, of_another_nltk, of_another_python])
def test_another_version_of_the_software_is_a_cache_miss(path, text, monkeypatch, change):
    keep(path, [text])
    change(monkeypatch)
    assert CorpusCache(path, [text], OPTIONS).read() is None


def test_characters_are_not_cached(path, text):
    keep(path, [text], TrainingOptions(level="char"))
    assert not path.exists()


def test_a_text_that_changes_while_it_is_encoded_is_not_cached(path, text):
    cache = CorpusCache(path, [text], OPTIONS)
    corpus = read_corpus(text, OPTIONS)
    text.write_text("Another text.", encoding="utf-8")
    cache.write(corpus)
    assert not path.exists()


def test_a_text_that_is_deleted_while_it_is_encoded_is_not_cached(path, text):
    cache = CorpusCache(path, [text], OPTIONS)
    corpus = read_corpus(text, OPTIONS)
    text.unlink()
    cache.write(corpus)
    assert not path.exists()


def test_the_cache_does_not_report_a_missing_text(path, tmp_path):
    assert CorpusCache(path, [tmp_path / "absent.txt"], OPTIONS).read() is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_the_cache_does_not_read_a_pipe(path, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert CorpusCache(path, [tmp_path / "pipe"], OPTIONS).read() is None


# Damage


def truncated(path):
    path.write_bytes(path.read_bytes()[:-200])


def emptied(path):
    path.write_bytes(b"")


def garbage(path):
    path.write_bytes(bytes(range(256)) * 20)


def with_a_changed_byte(path):
    content = bytearray(path.read_bytes())
    content[600] ^= 1
    path.write_bytes(content)


def a_folder(path):
    path.unlink()
    path.mkdir()


def changing(change):
    """Return a function that rewrites the archive after `change(entries, document)`."""

    def damage(path):
        entries = read_archive(path)
        document = read_document(path, entries, "corpus")
        del entries["corpus"]
        change(entries, document)
        write_archive(path, entries, {"corpus": document})

    damage.__name__ = change.__name__
    return damage


def without_offsets(entries, document):
    del entries["train.offsets"]


def with_offsets_that_fall(entries, document):
    entries["train.offsets"][2] = 0


def with_offsets_beyond_the_end(entries, document):
    entries["train.offsets"][-1] += 1


def with_shifted_offsets(entries, document):
    entries["train.offsets"][1:-1] += 1


def with_no_sentences(entries, document):
    entries["valid.offsets"], entries["valid.ids"] = np.zeros(1, np.int64), np.zeros(0, np.int32)


def with_ids_beyond_the_vocabulary(entries, document):
    entries["train.ids"][1] = len(document["vocabulary"]["words"])


def with_negative_ids(entries, document):
    entries["valid.ids"][1] = -1


def with_another_id(entries, document):
    entries["train.ids"][1] = 3 + (entries["train.ids"][1] == 3)


def with_numbers_of_another_kind(entries, document):
    entries["train.ids"] = entries["train.ids"].astype(float)


def with_another_dimension(entries, document):
    entries["train.ids"] = entries["train.ids"][None]


def with_rare_words_of_another_number(entries, document):
    entries["rare"] = entries["rare"][:-1]


def with_rare_words_that_are_numbers(entries, document):
    entries["rare"] = entries["rare"].astype(int)


def with_another_word(entries, document):
    document["vocabulary"]["words"][5] = "another"


def with_a_word_twice(entries, document):
    document["vocabulary"]["words"][5] = document["vocabulary"]["words"][4]


def without_key(entries, document):
    del document["key"]


def with_another_key(entries, document):
    document["key"]["texts"][0][0] = "0" * 64


def without_fingerprint(entries, document):
    del document["fingerprint"]


CHANGES = [change for name, change in list(globals().items()) if name.startswith(("with_", "without_"))]
CHANGES.remove(with_a_changed_byte)
DAMAGES = [truncated, emptied, garbage, with_a_changed_byte, *map(changing, CHANGES)]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_cache_is_replaced(path, text, caplog, damage):
    corpus = keep(path, [text])
    assert corpus.seen_once is not None and corpus.valid is not None
    damage(path)
    caplog.set_level(logging.INFO)
    cache = CorpusCache(path, [text], OPTIONS)
    assert cache.read() is None
    assert [record.levelno for record in caplog.records] == [logging.INFO]
    assert "rnn.corpus.npz" in caplog.text and "\n" not in caplog.records[0].getMessage()
    cache.write(corpus)
    assert_same_corpus(CorpusCache(path, [text], OPTIONS).read(), corpus)


def test_a_rewritten_cache_without_damage_is_used(path, text):
    corpus = keep(path, [text])

    def nothing(entries, document):
        pass

    changing(nothing)(path)
    assert_same_corpus(CorpusCache(path, [text], OPTIONS).read(), corpus)


def test_a_cache_with_a_huge_shape_is_not_used(path, text):
    keep(path, [text])
    entry = np.lib.format.dtype_to_descr(np.dtype(np.int32))
    header = f"{{'descr': {entry!r}, 'fortran_order': False, 'shape': ({10**15},), }}".encode().ljust(117) + b"\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("train.ids.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    assert CorpusCache(path, [text], OPTIONS).read() is None


def test_a_file_with_other_contents_is_neither_used_nor_overwritten(path, text):
    write_archive(path, {"U": np.zeros(3)}, {"model": {}})
    before = path.read_bytes()
    keep(path, [text])
    assert path.read_bytes() == before


def test_a_cache_that_cannot_be_written_is_only_logged(path, text, caplog):
    path.mkdir()
    caplog.set_level(logging.INFO, logger="theano_rnn.training.corpus_cache")
    keep(path, [text])
    assert "the encoded text is not kept: " in caplog.text
    assert {record.levelno for record in caplog.records} == {logging.INFO}


def test_a_full_disk_is_only_logged(path, text, caplog, monkeypatch):
    def fail(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    caplog.set_level(logging.INFO, logger="theano_rnn.training.corpus_cache")
    keep(path, [text])
    assert "No space left on device" in caplog.text
    assert sorted(found.name for found in Path(path.parent).iterdir()) == ["text.txt"]


def test_another_column_is_a_cache_miss(path, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("body,note\nOne dog.,Two dogs.\n")
    keep(path, [table], dataclasses.replace(OPTIONS, column="note"))
    assert CorpusCache(path, [table], OPTIONS).read() is None
    assert CorpusCache(path, [table], dataclasses.replace(OPTIONS, column="note")).read() is not None
