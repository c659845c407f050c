"""flashlight-text decodes with our language model: its scores equal those of all texts, each scored as a whole."""

import gc
import itertools

import numpy as np
import pytest
from support.language_models import make

from theano_rnn.engines.engine import precision
from theano_rnn.errors import OptionError
from theano_rnn.rescoring import flashlight_model
from theano_rnn.rescoring.flashlight_model import FlashlightModel

TOKENS = ["a", "b", " ", ""]  # the last is the blank
SPACE, BLANK = 2, 3
LM_WEIGHT, WORD_SCORE = 0.6, 0.3
LEXICON = {"a": [0, SPACE], "ab": [0, 1, SPACE], "ba": [1, 0, SPACE], "zebra": [1, SPACE]}  # spellings


@pytest.fixture(scope="module")
def flashlight():
    return pytest.importorskip("flashlight.lib.text.decoder")


@pytest.fixture(scope="module")
def lm():
    with precision("float64"):
        return make(["a", "ab", "ba"])


@pytest.fixture(scope="module")
def characters():
    with precision("float64"):
        return make(["a", "b", " "], level="char")


def best_paths(emissions):
    """The score of the best path of each sequence of tokens, without repetitions and blanks."""
    found = {}
    for path in itertools.product(range(len(TOKENS)), repeat=len(emissions)):
        tokens = tuple(i for i, _ in itertools.groupby(path) if i != BLANK)
        value = sum(float(emissions[t, i]) for t, i in enumerate(path))
        found[tokens] = max(found.get(tokens, -np.inf), value)
    return found


def decoded(decoder, emissions):
    return decoder.decode(emissions.ctypes.data, *emissions.shape)


def emissions(seed, frames=5):
    return np.log(np.random.default_rng(seed).dirichlet(np.ones(len(TOKENS)), frames)).astype(np.float32)


def best_by_tokens(results):
    found = {}
    for result in results:
        tokens = tuple(i for i, _ in itertools.groupby(result.tokens[1:-1]) if i != BLANK)
        found[tokens] = max(found.get(tokens, -np.inf), result.score)
    return found


def lexicon_free(flashlight, model):
    options = flashlight.LexiconFreeDecoderOptions(
        10_000, len(TOKENS), 1e9, LM_WEIGHT, 0.0, False, flashlight.CriterionType.CTC
    )
    return flashlight.LexiconFreeDecoder(options, model, -1, BLANK, [])


@pytest.mark.parametrize("base", ["e", 10])
def test_without_a_lexicon_the_scores_of_all_texts_equal_an_enumeration(flashlight, characters, base):
    model = FlashlightModel(characters, TOKENS, base=base)
    found = best_by_tokens(decoded(lexicon_free(flashlight, model), emissions(0)))
    expected = {
        tokens: value + LM_WEIGHT * characters.score("".join(TOKENS[i] for i in tokens), base=base, split=False)
        for tokens, value in best_paths(emissions(0)).items()
    }
    assert found.keys() == expected.keys() and len(found) > 50
    for tokens, value in expected.items():
        assert found[tokens] == pytest.approx(value, abs=1e-4), tokens  # flashlight adds in single precision


def lexicon_decoder(flashlight, model, words):
    trie = flashlight.Trie(len(TOKENS), SPACE)
    for i, word in enumerate(words):
        trie.insert(LEXICON[word], i, 0.0)
    options = flashlight.LexiconDecoderOptions(
        10_000, len(TOKENS), 1e9, LM_WEIGHT, WORD_SCORE, -np.inf, 0.0, False, flashlight.CriterionType.CTC
    )
    return flashlight.LexiconDecoder(options, trie, model, SPACE, BLANK, -1, [], False)


@pytest.mark.parametrize("level", ["word", "char"])
def test_with_a_lexicon_the_scores_of_all_texts_equal_an_enumeration(flashlight, lm, characters, level):
    lm, words = lm if level == "word" else characters, list(LEXICON)
    model = FlashlightModel(lm, words, base="e")
    results = decoded(lexicon_decoder(flashlight, model, words), emissions(1, 6))
    found = {}
    for result in results:
        text = tuple(words[i] for i in result.words if i >= 0)
        found[text] = max(found.get(text, -np.inf), result.score)
    expected = {}
    for number in range(4):
        for text in itertools.product(words, repeat=number):
            spelling = tuple(itertools.chain.from_iterable(LEXICON[word] for word in text))
            sound = best_paths_with_spaces(emissions(1, 6), spelling)
            if sound > -np.inf:
                score = lm.score(" ".join(text), split=False)
                expected[text] = sound + LM_WEIGHT * score + WORD_SCORE * number
    assert found.keys() == expected.keys() and len(found) > 10
    for text, value in expected.items():
        assert found[text] == pytest.approx(value, abs=1e-4), text


def best_paths_with_spaces(emissions, spelling):
    """The score of the best path of a spelling; more spaces may precede words and follow them."""
    best = -np.inf
    for path in itertools.product(range(len(TOKENS)), repeat=len(emissions)):
        reduced = []
        for i in (i for i, _ in itertools.groupby(path) if i != BLANK):
            if i != SPACE or (reduced and reduced[-1] != SPACE):
                reduced.append(i)
        if tuple(reduced) == spelling:
            best = max(best, sum(float(emissions[t, i]) for t, i in enumerate(path)))
    return best


def test_states_of_the_decoder_score_like_advance(flashlight, lm):
    words = ["a", "ab", "don't", "zebra", "<unk>", "", "</s>"]
    model = FlashlightModel(lm, words, base="e")
    state, total = model.start(False), 0.0
    for i in (0, 1, 3, 5):
        state, value = model.score(state, i)
        total += value
    assert total + model.finish(state)[1] == pytest.approx(lm.score("a ab zebra", split=False), abs=1e-10)
    before = model.start(False)
    assert model.score(before, 3)[1] == model.score(before, 4)[1]
    dont = lm.word_scores("don't")
    assert model.score(before, 2)[1] == pytest.approx(dont[0][1] + dont[1][1], abs=1e-10)
    assert model.score(before, 5)[1] == 0


def test_a_word_after_a_state_is_scored_once(flashlight, lm, monkeypatch):
    model = FlashlightModel(lm, ["a", "ab"])
    beginning = model.start(False)
    first, value = model.score(beginning, 1)
    monkeypatch.setattr(type(lm), "advance", lambda *arguments: pytest.fail("scored again"))
    again, same = model.score(beginning, 1)
    assert again is first and same == value


def test_the_states_of_an_utterance_are_forgotten_when_the_next_begins(flashlight, lm):
    model = FlashlightModel(lm, ["a", "ab"])
    old = model.start(False)
    after, _ = model.score(old, 0)
    new = model.start(False)
    gc.collect()
    assert len(model._states) == 1
    assert model.score(new, 0)[1] < 0
    for call in (lambda: model.score(after, 1), lambda: model.finish(after)):
        with pytest.raises(
            ValueError, match="^state: is of an earlier utterance; use one FlashlightModel for each dec"
        ):
            call()


def test_several_utterances_are_decoded_one_after_the_other(flashlight, lm):
    words = list(LEXICON)
    model = FlashlightModel(lm, words)
    decoder = lexicon_decoder(flashlight, model, words)
    first, other, again = ([(r.words, r.score) for r in decoded(decoder, emissions(i))] for i in (1, 2, 1))
    assert first == again != other


@pytest.mark.parametrize("index", [-1, 2, 1000])
def test_an_index_without_a_word_is_rejected(flashlight, lm, index):
    model = FlashlightModel(lm, ["a", "ab"])
    with pytest.raises(ValueError, match=f"usr_token_idx: expected an index of the 2 words, got {index}"):
        model.score(model.start(False), index)


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        (("the", 10), TypeError, "words: expected a list of str, in the order of their indices"),
        ((["a", 1], 10), TypeError, "words: expected a list of str"),
        ((["a"], 1), ValueError, "base: logarithms to base 1 do not exist"),
    ],
)
def test_an_invalid_argument_is_named(flashlight, lm, arguments, error, message):
    with pytest.raises(error, match=f"^{message}"):
        FlashlightModel(lm, *arguments)


def test_something_else_than_a_language_model_is_rejected(flashlight):
    with pytest.raises(TypeError, match="^lm: expected a LanguageModel, got str$"):
        FlashlightModel("models/rnn.npz", ["a"])


def test_without_flashlight_an_error_says_what_to_install(lm, monkeypatch):
    monkeypatch.setattr(flashlight_model, "LM", None)
    with pytest.raises(OptionError, match="flashlight-text, which is not installed"):
        FlashlightModel(lm, ["a"])
