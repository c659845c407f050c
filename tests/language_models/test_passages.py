"""Passages: exact lengths, the state at sentence ends, prompts, stop texts, streaming, log-probabilities."""

import itertools
import tracemalloc

import numpy as np
import pytest
from support.passages import drawn_passage, uniforms

from theano_rnn.generation.passage_sampling import PassageSampler
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import SENTENCE_END, SENTENCE_START, UNKNOWN_TOKEN, Vocabulary

SPECIAL = [SENTENCE_START, SENTENCE_END, UNKNOWN_TOKEN]
WORDS = ["the", "dog", "sees", "often", "cat"]


def make(words, continuous=False, level="word", spread=2.5, **tokenizer):
    vocabulary = Vocabulary([*SPECIAL, *words], newline_ends_sentence=level == "char")
    rnn = RNN(len(vocabulary), 6, seed=8, dtype="float64")
    rnn.set_values({name: spread * value for name, value in rnn.get_values().items()})
    training = {"options": {"continuous": continuous}}
    return LanguageModel(rnn, vocabulary, Tokenizer(level=level, **tokenizer), training)


@pytest.fixture(scope="module")
def characters():
    return make(["a", "b", " "], level="char")


@pytest.fixture(scope="module")
def lines():
    """Sentence by sentence, one per line."""
    return make(WORDS, lines=True)


@pytest.fixture(scope="module")
def stream_of_lines():
    """With the state carried over line ends."""
    return make(WORDS, lines=True, continuous=True)


@pytest.fixture(scope="module")
def marks():
    """Sentences of a text that was split, with punctuation whose spaces depend on later tokens."""
    return make(["the", "dog", "gon", "na", "(", ")", ".", "n't", "``", "''", "'", "'s"], continuous=True)


MODELS = ["characters", "lines", "stream_of_lines", "marks"]
every_model = pytest.mark.parametrize("name", MODELS)


@pytest.fixture
def lm(name, request):
    return request.getfixturevalue(name)


# Length, and the definition


@pytest.mark.parametrize(
    ("name", "prompt", "ids"),
    [
        ("characters", "", [1]),
        ("characters", "ab\n", [1, 3, 4, 1]),
        ("lines", "the dog\nthe", [0, 3]),
        ("lines", "the dog\n", [0]),
        ("stream_of_lines", "the dog\nthe", [0, 3, 4, 1, 0, 3]),
        ("stream_of_lines", "the dog\n", [0, 3, 4, 1, 0]),
        ("marks", "The dog.\n\nThe", [0, 3, 4, 9, 1, 0, 3]),
    ],
)
def test_the_tokens_are_those_of_plain_loops_that_read_the_prompt_as_training_reads_text(lm, prompt, ids):
    start = None if lm.tokenizer.level == "char" else 0
    columns = uniforms(7, 4, 4)
    found = list(lm.generated_tokens(3, prompt=prompt, length=50, seed=7, temperature=1.3))
    assert len(found) == 3
    for generated, u in zip(found, columns, strict=False):
        drawn, scores = drawn_passage(
            lm.rnn, ids, u, 50,
            end=1, never=[0, 2], start=start, carries_state=lm.continuous, temperature=1.3,
        )  # fmt: skip
        assert generated.tokens == lm.vocabulary.decode(drawn, end_as_newline=start is None)
        assert len(generated.tokens) == 50
        np.testing.assert_allclose(generated.log_probabilities, scores, rtol=0, atol=1e-8)
        assert generated.text.startswith(prompt)


@pytest.mark.parametrize("length", [1, 24, 25, 26, 77])
def test_a_passage_of_characters_has_exactly_its_length(characters, length):
    for text in characters.generate(5, length=length, seed=1, prompt="a\n b"):
        assert len(text) == 4 + length and text.startswith("a\n b")
    assert any("\n" in text[4:] for text in characters.generate(5, length=77, seed=1, prompt="a\n b"))


@every_model
def test_a_passage_has_exactly_its_number_of_tokens_and_begins_like_a_longer_one(lm):
    longest = lm.generate(3, length=60, seed=4)
    for length in (1, 31, 60):
        found = list(lm.generated_tokens(3, length=length, seed=4))
        assert [len(one.tokens) for one in found] == [length] * 3
        assert not {token for one in found for token in one.tokens} & {SENTENCE_START, UNKNOWN_TOKEN}
    for shorter, longer in zip(lm.generate(3, length=59, seed=4), longest, strict=True):
        assert lm.tokenizer.level == "word" or longer.startswith(shorter)


def test_sentences_are_joined_as_the_text_joined_them(lines, marks):
    for text in lines.generate(4, length=200, seed=2):
        assert all(line and line == line.strip() for line in text.removesuffix("\n").split("\n")) and "\n" in text
    for generated in marks.generated_tokens(4, length=200, seed=2):
        sentences = [
            list(group) for is_end, group in itertools.groupby(generated.tokens, lambda token: token == SENTENCE_END)
            if not is_end
        ]  # fmt: skip
        assert len(sentences) > 3
        assert generated.text == " ".join(map(marks.tokenizer.detokenize, sentences))


def test_without_carried_state_only_the_last_sentence_of_the_prompt_matters(lines, stream_of_lines):
    prompts = ["the dog", "often sees\nthe dog", "cat\ncat\nthe dog"]
    anew = [
        text.removeprefix(prompt) for prompt in prompts for text in lines.generate(4, prompt=prompt, length=9, seed=3)
    ]
    assert anew == anew[:4] * 3
    carried = [stream_of_lines.generate(4, prompt=prompt, length=30, seed=3) for prompt in prompts]
    assert len({tuple(text.removeprefix(prompts[i]) for text in texts) for i, texts in enumerate(carried)}) == 3


@every_model
def test_a_passage_goes_on_where_it_is_taken_as_the_prompt(lm):
    """With top_k=1 nothing is random, so that two halves are the whole."""
    (whole,) = lm.generate(1, length=60, top_k=1, seed=0)
    for prefix in ("", "the dog\n" if lm.tokenizer.lines else "a b"):
        (first,) = lm.generate(1, prompt=prefix, length=30, top_k=1, seed=0)
        again = list(lm.generated_tokens(1, prompt=prefix, length=60, top_k=1, seed=0))[0]
        assert again.text.startswith(first.removesuffix("\n"))
    if lm.tokenizer.level == "char":
        assert lm.generate(1, prompt=whole[:30], length=30, top_k=1, seed=0) == [whole]


# Streaming and seeds


@every_model
@pytest.mark.parametrize(
    "demands",
    [
        {"n": 3, "length": 61},
        pytest.param({"n": 34, "length": 33, "stop": "e"}, marks=pytest.mark.slow),
        {"n": 2, "length": 40, "no_repeat_ngram": 3, "top_k": 4, "top_p": 0.95, "temperature": 1.5},
    ],
)
def test_streamed_and_scored_passages_are_the_same(lm, demands):
    demands = {"seed": 6, "prompt": "the ", **demands}
    texts = lm.generate(**demands)
    assert len(texts) == demands["n"] and len(set(texts)) > 1
    assert texts == lm.generate(**demands)
    assert ["".join(pieces) for pieces in lm.stream(**demands)] == texts
    assert [one.text for one in lm.generated_tokens(**demands)] == texts
    assert texts != lm.generate(**{**demands, "seed": 7})


def test_abandoning_a_streamed_passage_does_not_change_the_others(characters):
    demands = {"n": 36, "length": 40, "seed": 2, "stop": "bb"}
    expected = characters.generate(**demands)
    watched = [i == 3 or i >= 32 for i in range(36)]
    passages = characters.stream(**demands)
    seen = ["".join(pieces) if watch else "" for watch, pieces in zip(watched, passages, strict=True)]
    assert [text for text in seen if text] == [
        text for watch, text in zip(watched, expected, strict=True) if watch and text
    ]


def test_tokens_are_streamed_as_they_are_drawn(characters, monkeypatch):
    drawn, draw = [], PassageSampler.draw
    monkeypatch.setattr(
        PassageSampler, "draw", lambda self, u, *rest, **how: drawn.append(len(u)) or draw(self, u, *rest, **how)
    )
    (pieces,) = characters.stream(1, prompt="a", length=10**9, seed=1)
    assert next(pieces) == "a" and drawn == []
    assert len([next(pieces) for _ in range(12)]) == 12 and drawn == [5, 5, 5]


@pytest.mark.xla  # the code is the same on Theano, which takes much longer
def test_streaming_a_long_passage_takes_bounded_memory(characters):
    (pieces,) = characters.stream(1, length=10**9, seed=1)
    for _ in range(500):
        next(pieces)
    tracemalloc.start()
    for _ in range(20_000):
        next(pieces)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 300_000  # a list of the tokens takes more


# The stop text


@every_model
def test_a_passage_ends_before_the_first_stop_text(lm):
    for seed, stop in enumerate(["b", "b a", "the dog", "e", "\n", " ", "\n\n", "dog.", "never there"]):
        whole = lm.generate(8, length=50, seed=seed, prompt="b the")
        stopped = lm.generate(8, length=50, seed=seed, prompt="b the", stop=stop)
        assert stopped == ["b the" + text.removeprefix("b the").split(stop)[0] for text in whole], stop


@every_model
def test_tokens_end_with_the_one_that_completes_the_stop_text(lm):
    stop = "ba" if lm.tokenizer.level == "char" else " dog"
    whole = list(lm.generated_tokens(8, length=50, seed=1))
    stopped = list(lm.generated_tokens(8, length=50, seed=1, stop=stop))
    assert sum(len(one.tokens) < 50 for one in stopped) > 3
    for one, other in zip(stopped, whole, strict=True):
        assert one.tokens == other.tokens[: len(one.tokens)]
        np.testing.assert_array_equal(one.log_probabilities, other.log_probabilities[: len(one.tokens)])
        assert stop not in one.text and (len(one.tokens) == 50 or stop in other.text)
        if len(one.tokens) < 50:
            assert one.tokens[-1] in ("a", "dog")


def test_drawing_ends_soon_after_the_stop_text(characters, monkeypatch):
    drawn, draw = [], PassageSampler.draw
    monkeypatch.setattr(
        PassageSampler, "draw", lambda self, u, *rest, **how: drawn.append(len(u)) or draw(self, u, *rest, **how)
    )
    (text,) = characters.generate(1, length=10**6, seed=1, stop="b")
    assert sum(drawn) == 25 * (len(text) // 25 + 1)


# Repetition


@every_model
def test_no_ngram_of_a_sentence_occurs_twice_in_a_passage(lm):
    for generated in lm.generated_tokens(4, length=60, seed=1, no_repeat_ngram=2):
        ends = {SENTENCE_END, "\n"}
        pairs = [pair for pair in itertools.pairwise(generated.tokens) if not ends & set(pair)]
        assert len(pairs) == len(set(pairs)) > 3


def test_a_passage_ends_early_if_every_word_would_repeat(lines):
    for generated in lines.generated_tokens(4, length=60, seed=1, no_repeat_ngram=1):
        words = [token for token in generated.tokens if token != SENTENCE_END]
        assert sorted(words) == sorted(WORDS) and len(generated.tokens) < 60
        assert generated.text.split() == words
    (text,) = lines.generate(1, prompt="the dog\nsees often", length=60, seed=1, no_repeat_ngram=1)
    assert text.split() == ["the", "dog", "sees", "often", "cat"]


# Texts of one sentence with their tokens


@pytest.mark.parametrize("name", ["lines", "characters"])
def test_log_probabilities_of_texts_are_those_of_word_scores(lm):
    demands = {"n": 8, "max_words": 6, "seed": 3, "prompt": "the", "temperature": 2.0}
    found = list(lm.generated_tokens(**demands))
    assert [one.text for one in found] == lm.generate(**demands)
    assert {len(one.tokens) and one.tokens[-1] == SENTENCE_END for one in found} == {True, False}
    for one in found:
        scores = [(token, value) for token, value, _ in lm.word_scores(one.text)]
        expected = scores[len(lm.tokenize("the")) :][: len(one.tokens)]
        assert one.tokens == [token for token, _ in expected]
        np.testing.assert_allclose(one.log_probabilities, [value for _, value in expected], rtol=0, atol=1e-8)


# Arguments


@pytest.mark.parametrize(
    ("demand", "error", "message"),
    [
        ({"length": 0}, ValueError, "length: expected at least 1, got 0"),
        ({"length": 1.5}, TypeError, "length: expected an integer, got 1.5"),
        ({"length": True}, TypeError, "length: expected an integer, got True"),
        ({"length": 10**9 + 1}, ValueError, "length: expected at most 1000000000, got 1000000001"),
        ({"length": 9, "min_words": 2}, ValueError, "min_words: limits a sentence, but `length` asks for a passage"),
        ({"length": 9, "max_words": 9}, ValueError, "max_words: limits a sentence, but `length` asks for a passage"),
        ({"length": 9, "stop": ""}, ValueError, "stop: expected at least one character, got ''"),
        ({"length": 9, "stop": 3}, TypeError, "stop: expected a str, got int"),
        ({"stop": "a"}, ValueError, "stop: ends a passage, whose greatest length `length` sets; give both"),
        ({"length": 9, "prompt": None}, TypeError, "prompt: expected a str, got NoneType"),
        ({"length": 9, "temperature": 0}, ValueError, "temperature: expected a number above 0"),
    ],
)
def test_an_argument_out_of_range_is_rejected_before_anything_is_drawn(lines, demand, error, message):
    for method in (lines.generate, lines.generated, lines.stream, lines.generated_tokens):
        with pytest.raises(error, match=f"^{message}"):
            method(**{"n": 1, **demand})


def test_scores_of_whole_passages_are_refused(lines):
    with pytest.raises(ValueError, match="^with_scores: is for texts of one sentence; use `generated_tokens`"):
        lines.generated(length=9, with_scores=True)
