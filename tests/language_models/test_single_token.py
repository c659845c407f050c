"""A string is a single token if, and only if, some text has it as one token."""

import random
import re

import pytest

from theano_rnn.language_models.incremental_scoring import single_token
from theano_rnn.text.tokenizer import Tokenizer

WORDS = Tokenizer()
TOKENIZED = Tokenizer(tokenized=True)
CHARACTERS = Tokenizer(level="char")
PIECES = (
    "the The dog sees don't it's can't o'clock o’clock cannot gonna d'ye Dr. e.g. U.S. 3,000 10:30 $5 50% a-b "
    "-- - ... … \"so\" 'so' (so) [so] “so” ‘so’ «so» so, so. so; so: so! so? `` '' & naïve 日本語 </s> SENTENCE_END "
    ", . ,,a ::b"
).split()


@pytest.mark.parametrize("tokenizer", [WORDS, Tokenizer(lowercase=False), TOKENIZED, CHARACTERS])
def test_every_token_of_a_text_is_a_single_token(tokenizer):
    generator = random.Random(1)
    for _ in range(300):
        text = "".join(
            generator.choice(PIECES) + generator.choice([" ", " ", " ", ""]) for _ in range(generator.randint(1, 12))
        )
        if re.search(r"['’]\w*['’]\w", text):  # the parts of "don'td'ye" are not always split again
            continue
        for token in tokenizer.tokenize(text):
            assert single_token(tokenizer, token) == token


@pytest.mark.parametrize(
    "word, token",
    [
        ("The", "the"), ("n't", "n't"), ("``", "``"), ("''", "''"), ("...", "..."), ("-", "-"), (".", "."),
        ("Dr.", "dr."), ("'ye", "'ye"), (",a", ",a"), ("o’clock", "o'clock"), ('"', "``"), ("日本語", "日本語"),
    ],
)  # fmt: skip
def test_a_single_token_is_returned_as_in_a_text(word, token):
    assert single_token(WORDS, word) == token


@pytest.mark.parametrize(
    "tokenizer, word, rest",
    [
        (WORDS, "the game", ", which is 2 tokens ('the', 'game'); advance by one token at a time"),
        (WORDS, "don't", ", which is 2 tokens ('do', \"n't\"); advance by one token at a time"),
        (WORDS, "dog,", ", which is 2 tokens ('dog', ','); advance by one token at a time"),
        (WORDS, "(dog)!?", ", which is 5 tokens ('(', 'dog', ')', '!', '?'); advance by one token at a time"),
        (WORDS, "a b c d e f", ", which is 6 tokens ('a', 'b', 'c', 'd', 'e', …); advance by one token at a time"),
        (WORDS, "10\u00a0km", ", which is 2 tokens ('10', 'km'); advance by one token at a time"),
        (WORDS, " the", "; remove the whitespace around 'the'"),
        (WORDS, "the\n", "; remove the whitespace around 'the'"),
        (WORDS, "", ""),
        (WORDS, " ", ""),
        (TOKENIZED, "the game", ", which is 2 tokens ('the', 'game'); advance by one token at a time"),
        (TOKENIZED, "the\tgame", ", which is 2 tokens ('the', 'game'); advance by one token at a time"),
        (TOKENIZED, " the", "; remove the whitespace around 'the'"),
        (TOKENIZED, "\n", ""),
        (CHARACTERS, "ab", ", which is 2 tokens ('a', 'b'); advance by one token at a time"),
        (CHARACTERS, "", ""),
    ],
)
def test_anything_but_exactly_one_token_is_rejected_with_its_tokens(tokenizer, word, rest):
    kind = "character" if tokenizer is CHARACTERS else "word"
    with pytest.raises(
        ValueError, match=f"^{re.escape(f'word: expected one {kind} or SENTENCE_END, got {word!r}{rest}')}$"
    ):
        single_token(tokenizer, word)


def test_any_string_without_whitespace_is_a_token_of_tokenized_text():
    for word in ("don't", "game.", "(the)", "</s>", "@-@", "n't"):
        assert single_token(TOKENIZED, word) == word


def test_a_long_string_is_shortened_in_the_message():
    with pytest.raises(ValueError) as raised:
        single_token(WORDS, "the " * 10_000)
    assert len(str(raised.value)) < 500
