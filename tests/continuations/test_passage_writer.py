"""Tokens of a passage as text, however many come at a time, and the stop text."""

import random

import pytest

from theano_rnn.continuations import passage_writer
from theano_rnn.continuations.passage_prompts import PassagePrompt
from theano_rnn.continuations.passage_writer import PassageWriter, TextBeforeStop
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import SENTENCE_END, Vocabulary

TOKENS = ["the", "dog", "gon", "na", "(", ")", ".", "n't", "``", "''", "'", '"', "'s", "90s", "@-@", SENTENCE_END]
VOCABULARY = Vocabulary(["SENTENCE_START", SENTENCE_END, "UNKNOWN_TOKEN", *TOKENS[:-1]])
TOKENIZERS = {
    "split": Tokenizer(),
    "lines": Tokenizer(lines=True),
    "tokenized": Tokenizer(tokenized=True),
    "line end": Tokenizer(separator="\n"),
    "blank line": Tokenizer(separator="\n\n"),
}


def writer(tokenizer, prompt=""):
    return PassageWriter(tokenizer, PassagePrompt(prompt, tokenizer, VOCABULARY, carries_state=True))


def random_tokens(seed, count=60):
    generator = random.Random(seed)
    tokens = generator.choices(TOKENS, k=count)
    return [token for i, token in enumerate(tokens) if token != SENTENCE_END or (i and tokens[i - 1] != SENTENCE_END)]


def sentences(tokens):
    found = [[]]
    for token in tokens:
        if token == SENTENCE_END:
            found.append([])
        else:
            found[-1].append(token)
    return found


@pytest.mark.parametrize("name", TOKENIZERS)
def test_the_text_is_that_of_the_sentences_joined_and_does_not_depend_on_the_pieces(name):
    tokenizer = TOKENIZERS[name]
    joint = {"split": " ", "blank line": "\n\n"}.get(name, "\n")
    for seed in range(60):
        tokens = random_tokens(seed)
        expected = joint.join(tokenizer.detokenize(sentence) for sentence in sentences(tokens))
        for size in (1, 4, 100):
            pieces, writing = [], writer(tokenizer)
            for start in range(0, len(tokens), size):
                pieces += writing.write(tokens[start : start + size])
                assert len(pieces) <= min(start + size, len(tokens))
            pieces += writing.write([], is_complete=True)
            assert len(pieces) == len(tokens)
            assert "".join(pieces) == (expected if tokenizer.lines else expected.removesuffix(joint))


@pytest.mark.parametrize(
    ("name", "prompt", "tokens", "text"),
    [
        ("split", "The", ["dog", ".", SENTENCE_END, "the"], " dog. the"),
        ("split", "The ", ["dog"], "dog"),
        ("split", "The dog.", [SENTENCE_END, "the"], " the"),
        ("split", "The dog. ", [SENTENCE_END, "the", "dog"], "the dog"),
        ("split", "The dog.\n\n", ["the", "dog"], "the dog"),
        ("split", "The dog (", ["the"], "the"),
        ("split", 'The "', ["dog", "''", "the"], 'dog" the'),
        ("split", "The dog", [".", SENTENCE_END], "."),
        ("lines", "the dog", [SENTENCE_END, "the"], "\nthe"),
        ("lines", "the dog ", [SENTENCE_END, "the"], "\nthe"),
        ("lines", "the dog\n", ["the", "dog", SENTENCE_END], "the dog\n"),
        ("lines", "the dog\n  ", ["the", "dog"], "the dog"),
        ("line end", "The dog.", [SENTENCE_END, "the"], "\nthe"),
        ("line end", "The dog. ", [SENTENCE_END, "the"], "\nthe"),
        ("line end", "The dog.\n", [SENTENCE_END, "the"], "the"),
        ("line end", "The dog.\n", ["the", SENTENCE_END, "dog"], "the\ndog"),
        ("line end", "The dog.\r\n\r\n", ["the", SENTENCE_END, "dog"], "the\ndog"),
        ("blank line", "The dog.", [SENTENCE_END, "the", SENTENCE_END], "\n\nthe"),
        ("blank line", "The dog.\r\n", [SENTENCE_END, "the"], "\nthe"),
        ("tokenized", "the dog\u00a0", ["the"], "the"),
        ("tokenized", "the", ["@-@", "dog"], "-dog"),
    ],
)
def test_a_passage_continues_its_prompt_to_the_letter(name, prompt, tokens, text):
    assert "".join(writer(TOKENIZERS[name], prompt).write(tokens, is_complete=True)) == text


def test_a_sentence_that_never_ends_is_written_in_parts_and_in_linear_time(monkeypatch):
    tokenizer, lengths = Tokenizer(), []
    monkeypatch.setattr(passage_writer, "LONGEST_CONTEXT", 10)
    written_tokens = Tokenizer.written_tokens
    monkeypatch.setattr(
        Tokenizer, "written_tokens", lambda self, tokens: lengths.append(len(tokens)) or written_tokens(self, tokens)
    )
    generator = random.Random(1)
    tokens = ["the"] + [generator.choice(["the", "dog", "(", ")", "."]) for _ in range(500)]
    for size in (1, 7, 501):
        writing, pieces = writer(tokenizer), []
        for start in range(0, len(tokens), size):
            pieces += writing.write(tokens[start : start + size])
        pieces += writing.write([], is_complete=True)
        assert "".join(pieces) == written_tokens_joined(tokenizer, tokens, written_tokens)
    assert max(lengths) < 100


def written_tokens_joined(tokenizer, tokens, written_tokens):
    return "".join(written_tokens(tokenizer, tokens)[0])


def test_a_long_last_sentence_of_the_prompt_is_cut_in_the_same_way():
    tokenizer = Tokenizer()
    prompt = "the dog " * 3000
    assert "".join(writer(tokenizer, prompt).write(["the", "."], is_complete=True)) == "the."
    assert "".join(writer(tokenizer, prompt.rstrip()).write(["the", "."], is_complete=True)) == " the."


# The stop text

TEXTS = ["", "a", "aab", "abaabab", "the END of ENENDD", "aaaaaaab", "x\n\ny", "שלום", "ENEN"]


@pytest.mark.parametrize("stop", ["a", "ab", "aab", "abab", "END", "\n\n", "ENEND", "aaab", "לום"])
def test_the_text_before_the_stop_text_is_shown_as_soon_as_it_is_known(stop):
    for text in TEXTS:
        for size in (1, 2, 100):
            before, shown = TextBeforeStop(stop), ""
            for start in range(0, len(text), size):
                shown += before.add(text[start : start + size])
                so_far = text[: start + size]
                assert before.is_stopped == (stop in so_far)
                if before.is_stopped:
                    break
                held = so_far[len(shown) :]
                assert so_far == shown + held and stop.startswith(held)
            else:
                shown += before.rest()
            assert shown == text.split(stop)[0]


def test_without_a_stop_text_everything_is_shown_at_once():
    before = TextBeforeStop(None)
    assert before.add("abc") == "abc" and before.rest() == "" and not before.is_stopped
