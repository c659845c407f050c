"""Generated texts: unchanged prompts, streaming, scores, and texts without repetition."""

import collections
import random

import numpy as np
import pytest

from theano_rnn.generation.sampling import Sampler
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import SENTENCE_END, SENTENCE_START, UNKNOWN_TOKEN, Vocabulary

SPECIAL = [SENTENCE_START, SENTENCE_END, UNKNOWN_TOKEN]


def make(words, spread=2.5, **tokenizer):
    tokenizer = Tokenizer(**tokenizer)
    vocabulary = Vocabulary([*SPECIAL, *words], newline_ends_sentence=tokenizer.level == "char")
    rnn = RNN(len(vocabulary), 6, seed=8)
    rnn.set_values({name: spread * value for name, value in rnn.get_values().items()})
    return LanguageModel(rnn, vocabulary, tokenizer)


@pytest.fixture(scope="module")
def lm():
    """Words only, so that the tokens of a text are text.split()."""
    return make(["the", "dog", "cat", "sees", "likes", "often"])


@pytest.fixture(scope="module")
def marks():
    """Punctuation that attaches to the word before or after it; some of it depends on later tokens."""
    return make(["the", "dog", "gon", "na", "(", ")", ".", "n't", "``", "''", "'", "'s", "90s", "wan"])


@pytest.fixture(scope="module")
def tokens():
    return make(["the", "dog", "@-@", "@,@", '"', "'", "(", ")", "."], tokenized=True)


@pytest.fixture(scope="module")
def few():
    return make(["the", "dog", "cat", "sees"])


@pytest.fixture(scope="module")
def characters():
    return make(["a", "b", " "], level="char")


# Prompts

NASTY = [
    "", " ", "\t", "  \u00a0", "the ", "the dog  ", "The\tDog", " the", "the (", "the ( ", 'he said "', "he said ``",
    "do", "don't", "gon", "the dog's", "'", "'90s", "the dogs'", "zebra quagga", "naïve Straße", "שלום", "\u202e",
    "\U0001f415", "\udcff", "\0", "the dog.", "the dog. ", "e.g.", "...", ")", "SENTENCE_END", "UNKNOWN_TOKEN ",
    "a\u2028b", "x\ry", "the @-@", "the @-@ ", "’’ ''", "\x1b[31m", "can", "cannot", "wan na ",
]  # fmt: skip
PIECES = [
    "the",
    "Dog",
    " ",
    "  ",
    "\t",
    "(",
    ")",
    '"',
    "'",
    "''",
    "n't",
    "don't",
    "é",
    "שלום",
    ".",
    "...",
    "zebra",
    "\0",
    "\udcff",
    "@-@",
]


def random_prompts(count):
    generator = random.Random(4)
    return ["".join(generator.choices(PIECES, k=generator.randrange(1, 9))) for _ in range(count)]


def assert_begins_and_streams(model, prompt, seed, max_words=12):
    texts = model.generate(32, prompt=prompt, max_words=max_words, seed=seed)
    assert len(texts) == 32 and all(text.startswith(prompt) for text in texts), prompt
    streamed = ["".join(pieces) for pieces in model.stream(32, prompt=prompt, max_words=max_words, seed=seed)]
    assert streamed == texts, prompt


def test_texts_begin_with_the_unchanged_prompt_and_stream_as_the_same_text(marks):
    for seed, prompt in enumerate(NASTY[::2]):
        assert_begins_and_streams(marks, prompt, seed)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["marks", "tokens", "characters"])
def test_texts_begin_with_random_prompts_and_stream_as_the_same_text(name, request):
    for seed, prompt in enumerate(NASTY + random_prompts(150)):
        assert_begins_and_streams(request.getfixturevalue(name), prompt, seed, max_words=60)


def test_no_space_is_added_after_a_prompt_that_ends_with_whitespace(marks):
    plain = marks.generate(32, prompt="the dog", min_words=4, max_words=9, seed=3)
    assert any(text.startswith("the dog ") for text in plain) and any(text[7] != " " for text in plain)
    for blanks in (" ", "  ", "\t", "\u00a0"):
        texts = marks.generate(32, prompt="the dog" + blanks, min_words=4, max_words=9, seed=3)
        assert texts == ["the dog" + blanks + text.removeprefix("the dog").removeprefix(" ") for text in plain]


def test_no_space_follows_a_prompt_that_ends_with_an_opening_bracket_or_quote(lm):
    for prompt in ("the (", 'the dog "', "the dog ``"):
        texts = lm.generate(32, prompt=prompt, min_words=4, max_words=5, seed=1)
        assert all(text[len(prompt)].isalpha() for text in texts), texts


def test_a_prompt_that_is_too_long_is_rejected_before_drawing(lm):
    assert lm.check_prompt("the dog", 2) is None
    for check in (lambda: lm.check_prompt("the dog", 1), lambda: lm.stream(prompt="the dog", max_words=1)):
        with pytest.raises(ValueError, match=r"^prompt: expected at most `max_words` \(1\) words, got 2$"):
            check()
    with pytest.raises(TypeError, match="^prompt: expected a str, got int$"):
        lm.check_prompt(3)


# Streaming


@pytest.mark.parametrize(
    ("name", "demands"),
    [
        ("marks", {"n": 64, "max_words": 12}),
        ("marks", {"n": 20, "max_words": 12, "no_repeat_ngram": 3}),
        *(
            pytest.param(name, demands, marks=pytest.mark.slow)
            for name, demands in (
                *((name, {"n": 100}) for name in ("lm", "marks", "tokens", "characters")),
                *(("characters", demands) for demands in ({}, {"no_repeat_ngram": 3, "n": 4}, {"top_p": 0.8, "n": 1})),
            )
        ),
    ],
)
def test_the_streamed_pieces_join_to_the_text(name, demands, request):
    model = request.getfixturevalue(name)
    expected = model.generate(**demands, seed=6)
    assert ["".join(pieces) for pieces in model.stream(**demands, seed=6)] == expected


def test_words_are_streamed_as_they_are_drawn(lm, monkeypatch):
    drawn = []
    draw = Sampler.draw
    monkeypatch.setattr(
        Sampler, "draw", lambda self, u, *rest, **how: drawn.append(len(u)) or draw(self, u, *rest, **how)
    )
    texts = lm.stream(32, prompt="the", min_words=30, max_words=30, seed=1)
    pieces = next(texts)
    assert next(pieces) == "the" and drawn == []
    some = [next(pieces) for _ in range(5)]
    assert all(piece[0] == " " for piece in some) and drawn == [5]
    assert len(list(pieces)) == 24 and len(drawn) == 6


def test_abandoning_a_streamed_text_does_not_change_the_others(lm):
    expected = lm.generate(64, seed=2)
    watched = [i == 9 or i >= 32 for i in range(64)]  # almost nothing of the first group
    texts = lm.stream(64, seed=2)
    seen = ["".join(pieces) if watch else next(pieces, "") for watch, pieces in zip(watched, texts, strict=True)]
    assert all(text == whole for watch, text, whole in zip(watched, seen, expected, strict=True) if watch)


def test_arguments_are_checked_before_the_first_text(lm):
    with pytest.raises(ValueError, match="^temperature: "):
        lm.stream(temperature=0)
    with pytest.raises(ValueError, match="^no_repeat_ngram: expected at least 1, got 0"):
        lm.generated(no_repeat_ngram=0)


# Scores


@pytest.mark.parametrize(
    "demands", [{"max_words": 9}, {"temperature": 3.0, "max_words": 5}, {"prompt": "the Zebra ", "max_words": 5}]
)
def test_scores_include_the_end_of_the_text(lm, demands):
    scored = list(lm.generated(n=32, seed=3, **demands, with_scores=True))
    assert [text for text, _ in scored] == lm.generate(n=32, seed=3, **demands)
    np.testing.assert_allclose([value for _, value in scored], lm.score([text for text, _ in scored]), atol=1e-4)
    assert any(len(text.split()) == demands["max_words"] for text, _ in scored)


@pytest.mark.slow
def test_generated_texts_are_scored_at_character_level(characters):
    scored = list(characters.generated(n=32, seed=3, max_words=9, prompt="ab", with_scores=True))
    np.testing.assert_allclose(
        [value for _, value in scored], characters.score([text for text, _ in scored]), atol=1e-4
    )


# No repeated n-grams


def repeated(tokens, n):
    found = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    return len(found) - len(set(found))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_no_ngram_occurs_twice(lm, n):
    free = lm.generate(64, min_words=20, max_words=40, seed=1)
    assert any(repeated(text.split(), n) for text in free)
    texts = lm.generate(64, min_words=20, max_words=40, seed=1, no_repeat_ngram=n)
    assert not any(repeated(text.split(), n) for text in texts)
    assert max(len(text.split()) for text in texts) > (5 if n == 1 else 19)


def test_ngrams_of_the_prompt_count_but_the_prompt_may_repeat_itself(lm):
    for text in lm.generate(64, prompt="the dog sees the", min_words=9, seed=1, no_repeat_ngram=2):
        assert text.startswith("the dog sees the") and not text.startswith("the dog sees the dog")
    repetitive = lm.generate(64, prompt="the the the the", min_words=6, seed=1, no_repeat_ngram=2)
    assert all(repeated(text.split(), 2) == 2 for text in repetitive)


def test_different_unknown_words_are_different_tokens(lm):
    texts = lm.generate(64, prompt="zebra the quagga", min_words=4, max_words=4, seed=1, no_repeat_ngram=2)
    assert any(text.endswith("quagga the") for text in texts)
    texts = lm.generate(64, prompt="zebra the zebra", min_words=4, max_words=4, seed=1, no_repeat_ngram=2)
    assert not any(text.endswith("zebra the") for text in texts)


def test_a_text_ends_before_min_words_if_every_word_would_repeat(lm):
    texts = lm.generate(32, min_words=50, seed=1, no_repeat_ngram=1)
    assert {tuple(sorted(text.split())) for text in texts} == {tuple(sorted(lm.vocabulary.index_to_word[3:]))}
    assert len(set(texts)) > 1
    for prompt in ("the dog cat sees likes often", "the dog cat sees often"):
        assert all(
            len(text.split()) == 6 for text in lm.generate(32, prompt=prompt, min_words=9, seed=1, no_repeat_ngram=1)
        )


@pytest.mark.slow
def test_a_newline_in_the_prompt_does_not_forbid_the_end(characters):
    texts = characters.generate(32, prompt="a\nb", max_words=100, seed=1, no_repeat_ngram=1)
    assert {len(text) for text in texts} <= {3, 4} and all(text[3:] in ("", " ") for text in texts)
    assert "a\nb" in texts


def cut(weights, top_k, top_p):
    """The distribution after top_k and top_p."""
    order = sorted(weights, key=lambda word: -weights[word])[:top_k]
    total, kept, reached = sum(weights[word] for word in order), {}, 0.0
    for word in order:
        if top_p is None or reached < top_p * total:
            kept[word] = weights[word]
            reached += weights[word]
    return {word: weight / sum(kept.values()) for word, weight in kept.items()}


def exact_distribution(lm, n, max_words, temperature=1.0, top_k=None, top_p=None, tokens=(), share=1.0):
    """{text: probability} of all texts of 1 to `max_words` words without a repeated n-gram."""
    if len(tokens) == max_words:
        return {" ".join(tokens): share}
    weights = {word: p ** (1 / temperature) for word, p in lm.next_words(" ".join(tokens), k=100)}
    allowed = {
        word: weight
        for word, weight in weights.items()
        if (word == SENTENCE_END and tokens)
        or (word not in SPECIAL and repeated([*tokens, word], n) == repeated(tokens, n))
    }
    found = {}
    for word, p in cut(allowed, top_k, top_p).items():
        if word == SENTENCE_END:
            found[" ".join(tokens)] = share * p
        else:
            found |= exact_distribution(lm, n, max_words, temperature, top_k, top_p, (*tokens, word), share * p)
    return found


@pytest.mark.parametrize(
    ("n", "max_words", "settings"),
    [
        pytest.param(1, 3, {}, marks=pytest.mark.slow),
        pytest.param(2, 4, {"temperature": 0.7, "top_k": 3}, marks=pytest.mark.slow),
        (1, 4, {"temperature": 1.5, "top_k": 4, "top_p": 0.7}),
    ],
)
def test_texts_without_repetition_have_the_renormalized_distribution(few, n, max_words, settings):
    expected = exact_distribution(few, n, max_words, **settings)
    assert sum(expected.values()) == pytest.approx(1)
    draws = 3200
    counts = collections.Counter(few.generate(draws, max_words=max_words, seed=5, no_repeat_ngram=n, **settings))
    assert counts.keys() <= expected.keys()
    # Texts that are too rare for a chi-square statistic are combined in one class.
    classes = [(counts[text], p * draws) for text, p in expected.items() if p * draws >= 5]
    rare = [(counts[text], p * draws) for text, p in expected.items() if p * draws < 5]
    if sum(p for _, p in rare) >= 5:
        classes.append(tuple(map(sum, zip(*rare, strict=True))))
    assert len(classes) > 5
    chi_square = sum((found - wanted) ** 2 / wanted for found, wanted in classes)
    freedom = len(classes) - 1
    assert chi_square < freedom + 4 * np.sqrt(2 * freedom) + 5
