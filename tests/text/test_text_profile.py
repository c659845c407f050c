"""Text profiles: hints for texts with one item per line and for texts without spaces, but not for prose."""

import json
import random
import textwrap

import pytest

from theano_rnn.text.documents import Documents
from theano_rnn.text.text_profile import TextProfile, count_item_lines, is_unspaced, usual_separator
from theano_rnn.text.tokenizer import Tokenizer


def hints_of(documents, splits_sentences, sentences, longest):
    profile = TextProfile.measure(documents, splits_sentences, sentences, longest)
    assert TextProfile.from_configuration(json.loads(json.dumps(profile.to_configuration()))) == profile
    return profile.hints(splits_sentences, lambda name: f"--{name}")


WORDS = "the old boat sees an apple and grey fox paints some paper while our neighbour hears two lamps".split()


def prose(sentences, seed=1):
    generator = random.Random(seed)
    return " ".join(
        " ".join(generator.choices(WORDS, k=generator.randint(12, 60))).capitalize() + "." for _ in range(sentences)
    )


@pytest.mark.parametrize("width", [22, 35, 50, 72, 100])
def test_wrapped_lines_are_not_items_but_sentences_on_lines_are(width):
    text = prose(300)
    assert count_item_lines([textwrap.fill(text, width)]) == 0
    assert count_item_lines([text.replace(". ", ".\n")]) == 300


@pytest.mark.parametrize("seed", range(5))
def test_lines_of_wrapped_paragraphs_are_not_items(seed):
    paragraphs = [textwrap.fill(prose(n, seed), 65) for n in range(2, 30)]
    assert count_item_lines(["\n\n".join(paragraphs)]) == 0
    assert hints_of(["\n\n".join(paragraphs)], True, 300, 60) == []


def test_lines_of_prose_wrapped_by_hand_are_not_items():
    generator = random.Random(2)
    lines = [
        line for width in range(40, 75) for line in textwrap.wrap(prose(9, width), width + generator.randint(0, 9))
    ]
    assert count_item_lines(["\n".join(lines)]) == 0


@pytest.mark.parametrize(
    "lines", [WORDS * 9, ["Ann Lee", "Bob", "Cid of Ely"] * 30, ["ls -l", "cd ..", "grep x y"] * 30]
)
def test_lines_of_lists_are_items(lines):
    assert count_item_lines(["\n".join(lines)]) == len(lines)


@pytest.mark.parametrize("part_length", [7, 1000])
def test_counting_lines_does_not_depend_on_chunks_and_documents(monkeypatch, part_length):
    monkeypatch.setattr("theano_rnn.text.documents.CHUNK_LENGTH", part_length)
    text = "one\n\n  two words\n \nthree\nfour"
    stored = Documents()
    stored.add([text])
    assert (
        count_item_lines([text])
        == count_item_lines(stored)
        == count_item_lines(["one\n\n", "two\nthree", "four\n"])
        == 4
    )


@pytest.mark.parametrize(
    ("lines", "sentences", "is_told"),
    [(1800, 1, True), (1800, 900, True), (1800, 901, False), (6, 1, True), (5, 1, False)],
)
def test_many_more_lines_than_sentences_give_a_hint_with_both_numbers(lines, sentences, is_told):
    text = "\n".join(f"item {i}" for i in range(lines))
    hints = hints_of([text], True, sentences, 10)
    assert len(hints) == is_told
    if is_told:
        assert f"{lines:,} lines" in hints[0] and "--lines" in hints[0]
        assert ("only 1 sentence;" if sentences == 1 else f"only {sentences:,} sentences;") in hints[0]


def test_lines_that_are_items_already_give_no_hint():
    assert hints_of(["a\n" * 100], False, 1, 10) == []


@pytest.mark.parametrize(
    ("splits", "remedy"), [(True, "use --lines"), (False, "put each sentence on a line of its own")]
)
def test_a_sentence_of_more_than_a_thousand_tokens_gives_a_hint(splits, remedy):
    assert hints_of(["a b"], splits, 10, 1000) == []
    [hint] = hints_of(["a b"], splits, 10, 1001)
    assert "1,001 tokens" in hint and remedy in hint


@pytest.mark.parametrize(
    "text",
    [
        "我喜欢喝茶。你也喜欢喝茶。\n今天天气很好。\n" * 5,
        "吾輩は猫である。名前はまだ無い。",
        "ฉันชอบดื่มชาตอนเช้า คุณชอบอะไร",
        "我喜欢 tea 和咖啡吗？",
    ],
)
def test_text_without_spaces_between_words_gives_one_hint(text):
    assert is_unspaced([text])
    [hint] = hints_of([text], False, 10, 10)
    assert "--level char" in hint and "\n" not in hint


@pytest.mark.parametrize(
    "text",
    [
        "我 喜欢 喝 茶 。 你 也 喜欢 。",  # with spaces between words
        "ฉัน ชอบ ดื่ม ชา ตอน เช้า",
        "나는 차를 좋아합니다. 너도 좋아해.",
        "We like tea. " * 20 + "茶道是一种艺术",
        "Мы любим чай.",
        "",
        "123 456",
    ],
)
def test_text_with_spaces_between_words_gives_no_hint(text):
    assert not is_unspaced([text])


# What separates sentences

PARAGRAPHS = ["\n\n".join(prose(4, seed) for seed in range(9))]
TEXTS_BY_SEPARATOR = {
    " ": {
        "paragraphs on one line": PARAGRAPHS,
        "wrapped paragraphs": ["\n\n".join(textwrap.fill(one, 60) for one in PARAGRAPHS[0].split("\n\n"))],
        "cells of a table": ["He came. She left.", "Why?", "He came. She left.", "", "No. Yes."],
        "one sentence per cell": ["He came.", "She left."],
        "nothing": [""],
    },
    "\n": {
        "one sentence per line": ["  He came.\nShe left!\n\nWhy?\nHe came back. She left again.\nWho knows?\n"],
        "dialogue": ["ANN: Who came?\nBOB: He did.\nANN: Why? Tell me.\nBOB: I won't.\n" * 5],
        "verse": [
            "The boat is old,\nthe sea is cold.\nThe fox is grey\nand runs away.\nThe lamp is red.\n\nHe fled.\n" * 3
        ],
    },
    "\n\n": {
        "one sentence per paragraph": ["The old\nboat sees.\n\nThe fox hears.\n \nThe lamp.\n\n\nAn apple. Two."],
    },
}


@pytest.mark.parametrize(
    ("separator", "documents"),
    [
        pytest.param(separator, documents, id=name)
        for separator, texts in TEXTS_BY_SEPARATOR.items()
        for name, documents in texts.items()
    ],
)
def test_the_usual_separator_is_what_separates_most_sentences(separator, documents):
    assert usual_separator(documents, Tokenizer().split) == separator
    stored = Documents()
    for document in documents:
        stored.add([document])
    assert usual_separator(stored, Tokenizer().split) == separator


def test_only_the_beginning_of_a_long_text_is_split_for_it():
    lengths = []

    def split(text):
        lengths.append(len(text))
        return Tokenizer().split(text)

    assert usual_separator(["He came.\n" * 100_000, "No.\n" * 10], split) == "\n"
    assert sum(lengths) == 400_000
