"""Malformed and unusual texts in every script: each works, or ends with one line and status 2."""

import csv
import gzip
import io
import os
import random
import re
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from support.script_modules import script

from theano_rnn.errors import CorpusError
from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.corpus import read_corpus
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary
from theano_rnn.training.options import TrainingOptions

FUZZED = int(os.environ.get("THEANO_RNN_FUZZED_TEXTS", 80))
PLAIN = "The dog sees the cat. The bird likes the dog.\n" * 10


def repeated(text):
    return (text * 10).encode("utf-8")


# By name: the contents, and the error message if they are rejected.
NASTY = {
    "null.txt": (repeated("The dog\0 sees the \0 cat. A\0B.\n"), None),
    "only-null.txt": (b"\0" * 1000, None),
    "rtl.txt": (repeated("שלום עולם. مرحبا بالعالم. \u202ereversed\u202c text.\n"), None),
    "emoji.txt": (repeated("I ❤️ \U0001f415\u200d\U0001f9ba! \U0001f468\u200d\U0001f469\u200d\U0001f467 ok.\n"), None),
    "combining.txt": (repeated("a" + "\u0301" * 3000 + " z\u0300\u0301lgo text here.\n"), None),
    "turkish.txt": (repeated("İstanbul ıI ǅ ß ﬁ Σς.\n"), None),
    "escapes.txt": (repeated("\x1b[31mThe dog\x1b[0m sees \x07 the cat.\n"), None),
    "separators.txt": (repeated("The dog\v sees\f the\x1c cat\x85 and\u2028 the\u2029 bird.\n"), None),
    "windows.txt": (PLAIN.replace("\n", "\r\n").encode(), None),
    "mac.txt": (PLAIN.replace("\n", "\r").encode(), None),
    "mixed.txt": (PLAIN.replace("dog.\n", "dog.\r\r\n\n\r").encode(), None),
    "mark.txt": (b"\xef\xbb\xbf" + PLAIN.encode(), None),
    "blank-lines.txt": (b"\n" * 10_000 + PLAIN.encode() + b" \t\r\n" * 10_000, None),
    "no-line-end.txt": (b"The dog sees the cat.", None),
    "long-word.txt": (b"a" * 300_000, None),
    "long-line.txt": (b"The dog sees the cat " * 15_000, None),
    "dots.txt": (b"." * 100_000 + b" x\n", None),
    "quotes.txt": (b"'" * 20_000 + b' """" ' + b"((" * 20_000 + b"\n", None),
    "quoted.csv": (b'id,body\n1,"He said ""yes"",\nthen left.\r\nThe end."\n' * 1 + b'2,"a\n\n\nb"\n' * 9, None),
    "windows.csv": (b"id,body\r\n" + b'1,"The dog, ""he"", sees."\r\n' * 10, None),
    "null.csv": (
        b"id,body\n" + b'1,"The dog\0 sees the cat."\n' * 10,
        None if sys.version_info >= (3, 11) else "line contains NUL",  # depends on how Python reads such CSV
    ),
    "wide.csv": (
        b",".join(b"c%d" % i for i in range(2999)) + b",text" + b"\n" + b",".join([b"A dog."] * 3000) + b"\n",
        None,
    ),
    "packed.txt.gz": (gzip.compress(PLAIN.encode()), None),
    "surrogate.txt": (b"A dog.\nThe dog \xed\xa0\x80 sees.\n", "line 2: byte 0xed at position 9 is not UTF-8"),
    "latin-1.txt": ("The na\xefve dog.\n".encode("latin-1"), "line 1: byte 0xef at position 7 is not UTF-8"),
    "utf-16.txt": (PLAIN.encode("utf-16"), "is not UTF-8"),
    "overlong.txt": (b"a\xc0\xafb\n", "byte 0xc0 at position 2 is not UTF-8"),
    "empty.txt": (b"", "contains no text"),
    "blank.txt": (b" \n\t\r\n" * 1000, "contains no text"),
    "open-quote.csv": (b'id,body\n1,"never closed\n2,text\n', "line 2: the row that begins here has a broken quote"),
    "semicolons.csv": (b"id;body\n" + b"1;The dog sees, and runs.\n" * 10, None),
    "tabs.tsv": (b"\xef\xbb\xbfid\ttext\r\n" + b'1\t"The ""dog"",\r\nsees."\r\n' * 10, None),
    "marks.txt": (b"\xef\xbb\xbf" + PLAIN.encode() + b"\xef\xbb\xbf" + PLAIN.encode(), None),
    "columns.csv": (b"id,note\n1,x\n", "row 1, the header, has no column body or text; its columns are id, note;"),
    "latin-1.csv": (b"id,body\n1,x\n2,caf\xe9\n", "line 3: byte 0xe9 at position 6 is not UTF-8, in row 3; convert"),
    "no-header.csv": (b'"The dog sees the cat, and runs."\n', "there is no header"),
    "cut.txt.gz": (gzip.compress(PLAIN.encode())[:-20], "the gzip data are truncated"),
    "damaged.txt.gz": (gzip.compress(PLAIN.encode())[:20] + b"\0" * 40, "damaged"),
    "unpacked.txt.gz": (PLAIN.encode(), "not a gzip file"),
    "bomb.txt.gz": (gzip.compress(bytes(80 * 2**20)), "expands to more than 200 times its size"),
}
every_text = pytest.mark.parametrize("name", NASTY)


train, score, generate = (script(name) for name in ("train", "score", "generate"))


def nasty(name, folder):
    path = folder / name
    path.write_bytes(NASTY[name][0])
    return path


@pytest.fixture(scope="module", params=["word", "char"])
def lm(request):
    words = ["the", "dog", "cat", "sees", ".", "\0"] if request.param == "word" else list("thedogc asn.\0\r")
    entries = dict.fromkeys(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", *words])
    vocabulary = Vocabulary(entries, newline_ends_sentence=request.param == "char")
    return LanguageModel(RNN(len(vocabulary), 5, seed=3), vocabulary, Tokenizer(level=request.param))


@pytest.fixture
def model(lm, tmp_path, monkeypatch):
    """The file of a model, compiled once for all texts."""
    path = tmp_path / "model.npz"
    lm.save(path)
    monkeypatch.setattr(LanguageModel, "load", lambda place: lm if Path(place) == path else load(place))
    return str(path)


def assert_one_line(capfd, script, part):
    out, err = capfd.readouterr()
    lines = err.splitlines()
    assert out == "" and len(lines) == 1 and lines[0].startswith(f"{script}: ") and part in lines[0], err
    assert all(character.isprintable() for character in lines[0])


# Reading


@every_text
@pytest.mark.parametrize(
    "settings", [{}, {"level": "char"}, {"tokenized": True}], ids=["words", "characters", "tokens"]
)
def test_a_text_is_encoded_or_rejected_in_one_line(name, settings, tmp_path):
    path, error = nasty(name, tmp_path), NASTY[name][1]
    options = TrainingOptions.from_settings({"valid_fraction": 0.0, **settings})
    if error is not None:
        with pytest.raises(CorpusError, match=error) as raised:
            read_corpus(path, options)
        assert "\n" not in str(raised.value) and str(raised.value).startswith(str(path))
        return
    corpus = read_corpus(path, options)
    ids = corpus.train if options.level == "char" else corpus.train.ids
    assert len(ids) >= 2 and ids.min() >= 0 and ids.max() < len(corpus.vocabulary)
    if options.level == "word":
        assert (np.diff(corpus.train.offsets) >= 3).all()  # no sentence is empty
        assert max(map(len, corpus.vocabulary.index_to_word)) <= 100_000


# Scoring


@every_text
def test_score_prints_one_line_per_line_or_one_error(name, model, tmp_path, capfd):
    path = nasty(name, tmp_path)
    content, error = NASTY[name]
    if error is not None or not content.strip():
        assert score.main(["--model", model, "--summary", str(path)]) == (0 if name == "blank.txt" else 2)
        if name != "blank.txt":
            assert_one_line(capfd, "score.py", "no sentences to score" if name == "empty.txt" else error)
        return
    assert score.main(["--model", model, str(path)]) == 0
    out = capfd.readouterr().out
    content = gzip.decompress(content) if path.suffix == ".gz" else content
    content = content.decode().replace("\ufeff", "").replace("\r\n", "\n").replace("\r", "\n")
    if path.suffix in (".csv", ".tsv"):
        delimiter = {"semicolons.csv": ";", "tabs.tsv": "\t"}.get(name, ",")
        found = csv.DictReader(io.StringIO(content, newline=""), delimiter=delimiter)
        lines = [(row.get("body") or row.get("text")).replace("\n", " ") for row in found]
    else:
        lines = content.removesuffix("\n").split("\n")
    rows = out.removesuffix("\n").split("\n")
    assert len(rows) == len(lines)
    for row, line in zip(rows, lines, strict=True):
        logp, tokens, unknown, perplexity, sentence = row.split("\t", 4)
        assert np.isfinite([float(logp), float(perplexity)]).all() and 0 <= int(unknown) < int(tokens)
        assert sentence == line


def test_score_words_marks_each_token_of_an_unusual_text(model, tmp_path, capfd):
    (tmp_path / "a.txt").write_bytes("the \0 dog\u2028 שלום \U0001f415 \u202e.\n".encode())
    assert score.main(["--model", model, "--words", str(tmp_path / "a.txt")]) == 0
    rows = [row.split("\t", 2) for row in capfd.readouterr().out.removesuffix("\n").split("\n")]
    assert {known for _, known, _ in rows} == {"known", "unknown"} and rows[-1][2] == "SENTENCE_END"


def test_an_excessively_long_line_is_rejected(model, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr("theano_rnn.files.text_files._LONGEST_LINE", 1000)
    (tmp_path / "a.txt").write_bytes(b"a" * 1001)
    assert score.main(["--model", model, str(tmp_path / "a.txt")]) == 2
    assert_one_line(
        capfd, "score.py", "line 1: is longer than 1,000 characters; put each sentence on a line of its own"
    )


def test_a_closed_standard_input_is_reported(model, monkeypatch, capfd):
    monkeypatch.setattr(sys, "stdin", None)
    assert score.main(["--model", model]) == 2
    assert_one_line(capfd, "score.py", "standard input is closed; name a file with the sentences")


# Random texts


def random_text(generator):
    """Characters from all of Unicode without surrogates, many of them unusual."""
    kinds = (
        lambda: chr(generator.randrange(0x80)),
        lambda: chr(generator.randrange(0xD800)),
        lambda: chr(generator.randrange(0xE000, sys.maxunicode + 1)),
        lambda: generator.choice(" \t\n\r\0\v\f\x1b\x85\u00a0\u200b\u200d\u2028\u202e\ufeff\U0001f415\u0301"),
        lambda: generator.choice(["the", "dog", "cannot", "n't", "''", "``", "...", "e.g.", "’s", "(", "]", '"', " "]),
    )
    return "".join(generator.choice(kinds)() for _ in range(generator.randrange(1, 80)))


def test_random_texts_have_a_probability_and_are_printed_unchanged(lm):
    generator = random.Random(1)
    texts = [random_text(generator) for _ in range(FUZZED)] + ["\ud800", "a\udcff b", "\udfff\ud800"]
    scores = lm.score(texts)
    assert np.isfinite(scores).all() and (scores < 0).all()
    for text, tokens in zip(texts, lm.word_scores(texts), strict=True):
        assert sum(value for _, value, _ in tokens) == pytest.approx(lm.score(text), abs=1e-3)
        if lm.tokenizer.level == "char":
            assert "".join(token for token, _, _ in tokens[:-1]) == text


@pytest.mark.parametrize("level", ["word", "char"])
def test_random_bytes_are_read_or_rejected_in_one_line(level, tmp_path):
    generator = random.Random(2)
    options = TrainingOptions.from_settings({"level": level, "valid_fraction": 0.0})
    read = refused = 0
    for i in range(FUZZED):
        content = bytearray(random_text(generator).encode("utf-8"))
        if i % 3 == 0:
            content[generator.randrange(len(content))] = generator.randrange(256)
        path = tmp_path / generator.choice(["a.txt", "a.csv", "a.txt.gz"])
        content = b"body\n" + content if path.suffix == ".csv" else content
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
        try:
            corpus = read_corpus(path, options)
        except CorpusError as error:
            refused += 1
            assert all(character.isprintable() for character in str(error))
        else:
            read += 1
            assert len(corpus.vocabulary) >= 4
    assert read > FUZZED / 5 and refused > FUZZED / 20


def test_random_lines_of_bytes_are_scored_or_rejected_in_one_line(model, tmp_path, monkeypatch, capfd):
    generator = random.Random(3)
    statuses = set()
    for i in range(FUZZED // 10):
        content = "".join(random_text(generator) + "\n" for _ in range(3)).encode("utf-8")
        content += generator.randbytes(3) if i % 2 else b""
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        status = score.main(["--model", model])
        out, err = capfd.readouterr()
        statuses.add(status)
        lines = err.splitlines()
        if status == 0 and len(lines) == 2:
            assert " are unknown to the model; " in lines.pop()
        assert len(lines) == 1 and "Traceback" not in err
        if status == 0:
            content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            assert out.count("\n") == content.count(b"\n") + (not content.endswith(b"\n"))
    assert statuses == {0, 2}


# Generating

PROMPTS = [
    "\0",
    "the \0 dog",
    "שלום",
    "\u202e",
    "\U0001f415\u200d\U0001f9ba",
    "\udcff",
    "’’ ''",
    "x" * 5000,
    "\x1b[31m",
    " the",
]


@pytest.mark.parametrize("prompt", PROMPTS, ids=[ascii(prompt[:20]) for prompt in PROMPTS])
def test_an_unusual_prompt_begins_every_text(prompt, model, capfd):
    arguments = ["--model", model, "-n", "3", "--seed", "1", "--max-words", "6000", "--prompt", prompt, "--top-k", "3"]
    assert generate.main(arguments) == 0
    captured = capfd.readouterr()
    assert captured.err == ""
    lines = captured.out.encode("utf-8", "surrogateescape").removesuffix(b"\n").split(b"\n")
    assert len(lines) == 3
    assert all(line.startswith(prompt.encode("utf-8", "surrogateescape")) for line in lines)


# Training


CHARACTERS = ("null.txt", "rtl.txt", "escapes.txt", "mixed.txt", "empty.txt")
# Once they are read, these texts are as others.
ONLY_READ = (
    *("turkish.txt", "windows.txt", "mac.txt", "mark.txt", "marks.txt", "separators.txt", "packed.txt.gz"),
    *("windows.csv", "semicolons.csv", "tabs.tsv", "blank-lines.txt"),
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "settings"),
    [(name, []) for name in NASTY if name not in ONLY_READ]
    + [(name, ["--level", "char", "--sequence-length", "20"]) for name in CHARACTERS],
)
def test_training_on_an_unusual_text_works_or_gives_one_line(name, settings, tmp_path, capfd):
    path, model = nasty(name, tmp_path), tmp_path / "m.npz"
    arguments = ["--data", str(path), "--model", str(model), "--epochs", "1", "--hidden-dim", "5", *settings]
    status = train.main(arguments)
    if NASTY[name][1] is not None:
        assert status == 2
        assert_one_line(capfd, "train.py", NASTY[name][1])
        assert not model.exists()
        return
    assert status == 0
    out, err = capfd.readouterr()
    assert out == "" and "Traceback" not in err
    shown = err.replace("\r", "").replace("\n", "").replace("\x1b[A", "")  # written by tqdm
    assert not any(unicodedata.category(character) == "Cc" for character in shown)
    lm = load(model)
    assert np.isfinite(lm.score("The dog sees the cat."))
    assert len(lm.generate(2, seed=1)) == 2


@pytest.mark.slow
@pytest.mark.parametrize("settings", [[], ["--level", "char"], ["--tokenized"]], ids=["words", "characters", "tokens"])
@pytest.mark.parametrize("blanks", [True, False], ids=["blanks", "no blanks"])
def test_train_and_score_accept_a_single_line_of_many_megabytes(settings, blanks, tmp_path, capfd):
    size = int(os.environ.get("THEANO_RNN_LONG_LINE", 10_000_000))
    if blanks:
        generator = random.Random(1)
        words = [f"w{i}" for i in range(500)]
        content = " ".join(generator.choices(words, k=size // 4))[:size].encode()
    else:
        content = b"a" * size
    path, model = tmp_path / "a.txt", tmp_path / "m.npz"
    path.write_bytes(content)
    arguments = ["--data", str(path), "--model", str(model), "--epochs", "1", "--hidden-dim", "5", *settings]
    assert train.main([*arguments, "--batch-size", "256", "--valid-fraction", "0"]) == 0
    if not settings:
        assert score.main(["--model", str(model), "--summary", str(path)]) == 0
        sentences = -(-len(content) // 100_000)  # cut as in training
        assert re.search(rf"^({sentences}|{sentences + 1}) sentences, ", capfd.readouterr().err, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize("lm", ["word"], indirect=True)
def test_score_accepts_very_many_blank_lines(model, tmp_path, capfd):
    (tmp_path / "a.txt").write_bytes(b"\n" * 200_000)
    assert score.main(["--model", model, str(tmp_path / "a.txt")]) == 0
    assert capfd.readouterr().out.count("\n") == 200_000
