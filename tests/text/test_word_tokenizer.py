"""The word tokenizer: exactly the tokens of NLTK, from a cache of bounded size."""

import itertools
import random
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from nltk.tokenize import NLTKWordTokenizer

from theano_rnn.text import word_tokenizer
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.word_tokenizer import WordTokenizer

COMMENTS = Path(__file__).parents[2] / "data" / "comments.csv"

MARKS = [
    *("\"'`“”‘’«»„()[]{}<>-–—….,:;?!*#$%&@€😀_|\\/=+~\0\u0301\u200b\xad\ud800"),
    *("''", "``", "--", "---", "..", "...", "?!", '."', ".)", ".’”"),
]
WORDS = [
    *("cannot", "Gonna", "wanna", "gotta", "lemme", "gimme", "gımme", "'tis", "'Twas", "d'ye", "more'n", "can-cannot"),
    *(
        "can't",
        "don't",
        "I'll",
        "we've",
        "they're",
        "he's",
        "'s",
        "'S",
        "n't",
        "N'T",
        "'ll",
        "s'",
        "o'clock",
        "t",
        "re",
    ),
    *("x", "He", "a", "é", "ß", "İ", "ſ", "rock-n-roll", "U.S", "U.S.", "e.g.", "foo.", "foo,", "foo:", "<unk>", "@-@"),
    *("3", "3.14", "1,000", "12:30", "1932.", "£5", "$5", "5%"),
]
WHITE_SPACE = ["  ", "\n", "\t", "\xa0", "\x1c", "\u2028", " "]


@pytest.fixture(scope="module")
def nltk_tokenizer():
    return NLTKWordTokenizer()


@pytest.fixture(scope="module")
def tokenizer():
    return WordTokenizer(str)


@pytest.mark.slow
def test_every_pair_of_segments_is_tokenized_as_by_nltk(tokenizer, nltk_tokenizer):
    pieces = [*MARKS, *WORDS]
    for pair in itertools.product(pieces, repeat=2):
        for sentence in (" ".join(pair), "".join(pair)):
            assert tokenizer.tokenize(sentence) == nltk_tokenizer.tokenize(sentence), repr(sentence)


@pytest.mark.parametrize(
    "gaps",
    [*(pytest.param(gaps, marks=pytest.mark.slow) for gaps in ([" "], [" ", ""])), [" ", "", *WHITE_SPACE]],
    ids=["blanks", "some", "odd"],
)
def test_random_sentences_are_tokenized_as_by_nltk(tokenizer, nltk_tokenizer, gaps):
    generator = random.Random(5)
    for _ in range(1500):
        parts = [generator.choice(generator.choice((MARKS, WORDS))) for _ in range(generator.randrange(9))]
        sentence = "".join(part + generator.choice(gaps) for part in parts)
        for _ in range(2):  # computed, then cached
            assert tokenizer.tokenize(sentence) == nltk_tokenizer.tokenize(sentence), repr(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        '"Go" "away"',
        "''Go'' x ''away''",
        "' ' ' x ' '",
        'He left. ) " ’ »',
        "He left. ) x )",
        "x: x, x:",
        ". . .",
        '" . "',
        "",
        "wanna. I wanna",
        "x " + "long" * 100 + ". x",
    ],
)
def test_segments_that_depend_on_their_position_are_tokenized_as_by_nltk(tokenizer, nltk_tokenizer, sentence):
    assert tokenizer.tokenize(sentence) == nltk_tokenizer.tokenize(sentence)


def same_everywhere(sentences, nltk_tokenizer):
    tokenizer = WordTokenizer(str)
    return all(tokenizer.tokenize(sentence) == nltk_tokenizer.tokenize(sentence) for sentence in sentences)


@pytest.mark.slow
def test_the_shipped_corpus_is_tokenized_as_by_nltk(nltk_tokenizer):
    sentences = Tokenizer().sentences(COMMENTS.read_text(encoding="utf-8").splitlines()[:5000])
    assert same_everywhere(sentences, nltk_tokenizer)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tinyshakespeare.txt", "wikitext-2.valid.txt", "wikitext-2.test.txt"])
def test_other_corpora_are_tokenized_as_by_nltk(shared_data, nltk_tokenizer, name):
    text = shared_data(name).read_text(encoding="utf-8")
    assert same_everywhere((" ".join(line.split()) for line in text[:300_000].split("\n")), nltk_tokenizer)


def test_all_contractions_of_nltk_are_known(nltk_tokenizer):
    rules = [rule.pattern for rule in (*nltk_tokenizer.CONTRACTIONS2, *nltk_tokenizer.CONTRACTIONS3)]
    words = {re.sub(r"\(\?i\)|\\b|\(\?#X\)|\(\?=\\s\)|[() ]", "", rule) for rule in rules}
    assert all(re.fullmatch(r"[a-z']+", word) for word in words), words
    assert {word for word in words if word.isalpha()} == word_tokenizer._CONTRACTIONS


def test_an_ordinary_sentence_does_not_import_nltk():
    code = """
import sys
from theano_rnn.text.tokenizer import Tokenizer
assert Tokenizer().tokenize("What a lovely puppy, he said!") == ["what", "a", "lovely", "puppy", ",", "he", "said", "!"]
assert Tokenizer().tokenize("") == []
assert "nltk" not in sys.modules
assert Tokenizer().tokenize("I cannot.") == ["i", "can", "not", "."]
assert "nltk" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=COMMENTS.parents[1])


def test_the_function_is_called_once_for_a_repeated_segment():
    converted = []
    tokenizer = WordTokenizer(lambda token: converted.append(token) or token.upper())
    for _ in range(3):
        assert tokenizer.tokenize('"We can\'t," he said.') == ["``", "WE", "CA", "N'T", ",", "''", "HE", "SAID", "."]
    assert converted == ["said", ".", "``", "We", "ca", "n't", ",", "''", "he"]


def test_nltk_is_called_once_for_a_repeated_segment(monkeypatch):
    asked = []

    class Asked(NLTKWordTokenizer):
        def tokenize(self, text):
            asked.append(text)
            return super().tokenize(text)

    tokenizer = Asked()
    monkeypatch.setattr(word_tokenizer, "_nltk_tokenizer", lambda: tokenizer)
    words = WordTokenizer(str)
    for _ in range(3):
        words.tokenize("It's a word, isn't it?")
    assert sorted(asked) == ["x It's x", "x isn't x"]


def test_the_cache_is_bounded_and_correct(monkeypatch, nltk_tokenizer):
    monkeypatch.setattr(word_tokenizer, "_MOST_TOKENS", 50)
    tokenizer = WordTokenizer(str)
    for number in range(1000):
        sentence = f"It's a{number} b'{number % 60}; c{number}."
        assert tokenizer.tokenize(sentence) == nltk_tokenizer.tokenize(sentence)
    assert all(
        sum(map(len, memory.values())) <= 50
        for memory in (tokenizer._inner, tokenizer._first, tokenizer._last, tokenizer._only)
    )


def test_text_without_repeated_words_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(word_tokenizer, "_MOST_TOKENS", 2000)
    tokenizer = WordTokenizer(str)
    tokenizer.tokenize("One to begin with.")
    tracemalloc.start()
    try:
        for number in range(0, 40_000, 50):
            tokenizer.tokenize(" ".join(f"word{i}" for i in range(number, number + 50)) + "z" * 10_000)
        assert tracemalloc.get_traced_memory()[1] < 2e6
    finally:
        tracemalloc.stop()
