"""Language models: scores at word and character level, next words, model files."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from support.language_models import SPECIAL, WORDS, make

import theano_rnn
from theano_rnn.engines.engine import precision
from theano_rnn.errors import ModelFileError
from theano_rnn.files.archive import read_archive, read_document, write_archive
from theano_rnn.generation import text_groups
from theano_rnn.language_models import continuous_text, model_files
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import SENTENCE_END, Vocabulary


@pytest.fixture(scope="module")
def lm():
    return make(WORDS)


@pytest.fixture(scope="module")
def exact():
    """A model in float64."""
    with precision("float64"):
        return make(WORDS[:3])


@pytest.fixture(scope="module")
def characters():
    with precision("float64"):
        return make(["a", "b", " "], level="char")


def log_probabilities(lm, ids):
    """ln P of each id after the first, computed in NumPy."""
    values = {name: value.astype(np.float64) for name, value in lm.rnn.get_values().items()}
    state, results = np.zeros(lm.rnn.hidden_dim), []
    for x_t, y_t in itertools.pairwise(ids):
        state = np.tanh(values["U"][:, x_t] + values["W"] @ state)
        z = values["V"] @ state
        results.append(z[y_t] - np.log(np.exp(z).sum()))
    return np.array(results)


# Scoring


def test_score_is_the_sum_over_the_words_and_the_end(exact):
    ids = [0, 3, 4, 5, 2, 1]  # the dog sees UNKNOWN_TOKEN
    score = exact.score("The dog sees zebras")
    assert type(score) is float
    assert score == pytest.approx(log_probabilities(exact, ids).sum(), abs=1e-10)


def test_word_scores_have_token_log_probability_and_known(exact):
    scores = exact.word_scores("The dog sees zebras")
    expected = log_probabilities(exact, [0, 3, 4, 5, 2, 1])
    assert [(token, known) for token, _, known in scores] == [
        ("the", True),
        ("dog", True),
        ("sees", True),
        ("zebras", False),
        (SENTENCE_END, True),
    ]
    np.testing.assert_allclose([value for _, value, _ in scores], expected, atol=1e-10)
    assert all(type(value) is float and type(known) is bool for _, value, known in scores)
    assert sum(value for _, value, _ in scores) == pytest.approx(exact.score("The dog sees zebras"), abs=1e-12)


def test_probabilities_of_one_word_sentences_equal_those_of_their_ids(exact):
    """The words are the three known ones and one unknown one."""
    texts = ["the", "dog", "sees", "zebra"]
    by_text = np.exp(exact.score(texts))
    by_id = [np.exp(log_probabilities(exact, [0, index, 1]).sum()) for index in (3, 4, 5, 2)]
    np.testing.assert_allclose(by_text, by_id, atol=1e-12)


def test_all_unknown_words_have_the_same_score(exact):
    assert exact.score("the zebra sees") == exact.score("the quagga sees") != exact.score("the dog sees")


def test_a_word_spelled_like_a_special_token_is_an_unknown_word(exact):
    lm = LanguageModel(exact.rnn, exact.vocabulary, Tokenizer(lowercase=False))
    scores = lm.word_scores("the SENTENCE_END dog")
    assert [(token, known) for token, _, known in scores] == [
        ("the", True),
        (SENTENCE_END, False),
        ("dog", True),
        (SENTENCE_END, True),
    ]


def test_an_empty_sentence_consists_of_its_end(exact):
    expected = log_probabilities(exact, [0, 1]).sum()
    assert exact.score("") == pytest.approx(expected, abs=1e-12)
    assert exact.score("  ") == exact.score("")
    ((token, value, known),) = exact.word_scores("")
    assert (token, known) == (SENTENCE_END, True) and value == pytest.approx(expected, abs=1e-12)


def test_scores_of_several_texts_equal_the_single_scores_in_order(exact):
    sentences = ["the dog", "", "dog dog dog dog dog dog sees", "zebra", "the dog sees the dog"]
    scores = exact.score(sentences)
    assert scores.dtype == np.float64 and scores.shape == (5,)
    np.testing.assert_allclose(scores, [exact.score(sentence) for sentence in sentences], atol=1e-10)
    np.testing.assert_array_equal(exact.score(tuple(sentences)), scores)
    np.testing.assert_array_equal(exact.score(iter(sentences)), scores)


def test_no_sentences_give_no_scores(exact):
    assert exact.score([]).shape == (0,)
    assert exact.word_scores([]) == exact.scored_sentences([]) == []


def test_word_scores_of_several_texts_equal_those_of_each(exact):
    texts = ["the dog", "", "zebra sees"]
    found = exact.word_scores(texts, base=2)
    for text, scores in zip(texts, found, strict=True):
        assert [(token, known) for token, _, known in scores] == [
            (token, known) for token, _, known in exact.word_scores(text)
        ]
        np.testing.assert_allclose(sum(value for _, value, _ in scores), exact.score(text, base=2), atol=1e-10)
    assert exact.word_scores(iter(texts), base=2) == found


def test_scored_sentences_hold_the_word_scores_as_arrays(exact):
    [sentence] = exact.scored_sentences("the zebra")
    assert sentence.text == "the zebra" and sentence.values.dtype == np.float64
    columns = zip(sentence.tokens, sentence.values.tolist(), sentence.known.tolist(), strict=True)
    assert list(columns) == exact.word_scores("the zebra")
    assert [[one.text for one in part] for part in exact.scored_sentences(["the. dog.", ""])] == [
        ["the.", "dog."],
        [""],
    ]


@pytest.mark.parametrize("call", ["score", "word_scores", "scored_sentences"])
def test_an_argument_that_is_not_text_is_rejected(exact, call):
    with pytest.raises(TypeError, match="^sentences: expected a str or an iterable of str, got int"):
        getattr(exact, call)(3)


def test_deprecated_names_give_the_same_results_and_name_the_new_ones(exact):
    texts = ["The dog. sees", "zebra"]
    sentences = [one for part in exact.scored_sentences(texts, split=False) for one in part]
    with pytest.warns(DeprecationWarning, match=r"^LanguageModel\.words_scores is deprecated; .*\.word_scores$"):
        assert exact.words_scores(texts) == exact.word_scores(texts)
    with pytest.warns(DeprecationWarning, match=r"^LanguageModel\.token_scores is deprecated; .*\.scored_sentences$"):
        found = exact.token_scores(texts, split=False)
    for values, one in zip(found, sentences, strict=True):
        np.testing.assert_array_equal(values, one.values)
    with pytest.warns(DeprecationWarning, match=r"^LanguageModel\.scored_tokens is deprecated; .*\.scored_sentences$"):
        rows = exact.scored_tokens(texts)
    for (tokens, values, known), one in zip(rows, sentences, strict=True):
        assert tokens == one.tokens
        np.testing.assert_array_equal(values, one.values)
        np.testing.assert_array_equal(known, one.known)


def test_thousands_of_sentences_score_as_they_do_one_by_one(lm):
    generator = np.random.default_rng(0)
    sentences = [" ".join(generator.choice(WORDS, generator.integers(0, 5))) for _ in range(3000)]
    scores = lm.score(sentences)
    assert scores.shape == (3000,) and scores.dtype == np.float64
    for i in range(0, 3000, 151):
        assert scores[i] == pytest.approx(lm.score(sentences[i]), abs=1e-5)


def test_perplexity_counts_each_sentence_end(exact):
    sentences = ["the dog", "sees"]
    logs = [log_probabilities(exact, [0, 3, 4, 1]), log_probabilities(exact, [0, 5, 1])]
    assert exact.perplexity(sentences) == pytest.approx(math.exp(-np.concatenate(logs).sum() / 5), abs=1e-10)
    assert exact.perplexity("the dog") == pytest.approx(math.exp(-logs[0].sum() / 3), abs=1e-10)


def test_perplexity_of_no_sentences_is_rejected(exact):
    with pytest.raises(ValueError, match="sentences: expected at least one, got none"):
        exact.perplexity([])


@pytest.mark.parametrize("wrong", [["the", 3], [b"the"], b"the", [["the", "dog"]]])
def test_texts_that_are_not_str_are_rejected(exact, wrong):
    with pytest.raises(TypeError, match="sentences?: expected a str( or several)?, got (int|bytes|list)"):
        exact.score(wrong)


def test_text_loss_at_word_level_is_the_mean_over_the_tokens_of_the_sentences(lm):
    sentences = ["The dog sees the dog.", "The dog."]
    total, tokens = lm.score(sentences).sum(), 7 + 4
    assert lm.text_loss("\n\n".join(sentences)) == pytest.approx(-total / tokens, abs=1e-6)


@pytest.mark.parametrize("name", ["lm", "characters"])
def test_text_loss_of_an_empty_text_is_rejected(name, request):
    with pytest.raises(ValueError, match="text: expected at least one token, got none"):
        request.getfixturevalue(name).text_loss("")


# The repr


@pytest.mark.parametrize(
    "training, ending",
    [
        ({}, ")"),
        ({"history": []}, ")"),
        ({"history": "none", "options": 3}, ")"),
        ({"history": [{"epoch": 1, "valid_loss": None, "train_loss": 2.0}]}, ")"),
        ({"history": [{"valid_loss": math.inf}, {"valid_loss": "1"}, {"valid_loss": True}, 7]}, ")"),
        ({"history": [{"valid_loss": 2.0}, {"valid_loss": 1.785}, {"valid_loss": 1.9}]}, ", held-out perplexity 5.96)"),
        (
            {"history": [{"train_loss": 1, "valid_loss": 2.0}, {"train_loss": 2, "valid_loss": 1.8}],
             "options": {"tutorial": True}},
            ", held-out perplexity 7.39)",
        ),
    ],
)  # fmt: skip
def test_the_repr_shows_level_sizes_cell_and_held_out_perplexity(lm, training, ending):
    described = LanguageModel(lm.rnn, lm.vocabulary, lm.tokenizer, training)
    assert repr(described) == "LanguageModel(word level, 7 tokens, cell='simple', hidden_dim=5" + ending


def test_the_repr_at_character_level_shows_bits_per_character(characters):
    training = {"history": [{"valid_loss": 1.67}]}
    described = LanguageModel(characters.rnn, characters.vocabulary, characters.tokenizer, training)
    assert (
        repr(described) == "LanguageModel(char level, 6 tokens, cell='simple', hidden_dim=5, held-out 2.41 bits/char)"
    )


# Next words


def test_next_words_are_the_most_probable_ones_with_their_probabilities(exact):
    o = exact.rnn.forward_propagation([0, 3, 4])[-1]
    found = exact.next_words("the dog", k=4)
    assert [probability for _, probability in found] == sorted(o, reverse=True)[:4]
    for token, probability in found:
        assert type(probability) is float and probability == o[exact.vocabulary.word_to_index[token]]


def test_probabilities_of_all_next_words_sum_to_one(exact):
    found = exact.next_words("", k=100)
    assert sorted(token for token, _ in found) == sorted(exact.vocabulary.index_to_word)
    assert sum(probability for _, probability in found) == pytest.approx(1, abs=1e-12)


def test_next_words_agree_with_the_scores(exact):
    probabilities = dict(exact.next_words("the", k=6))
    assert math.log(probabilities["dog"]) == pytest.approx(exact.word_scores("the dog")[1][1], abs=1e-10)
    assert math.log(probabilities[SENTENCE_END]) == pytest.approx(exact.word_scores("the")[-1][1], abs=1e-10)


# Characters. The ids are SENTENCE_START 0, SENTENCE_END 1 (the newline), UNKNOWN_TOKEN 2, a 3, b 4, space 5.


def test_at_character_level_a_newline_begins_and_ends_a_sentence(characters):
    assert characters.encode("ab b").tolist() == [1, 3, 4, 5, 4, 1]
    assert characters.encode("a\nb").tolist() == [1, 3, 1, 4, 1]
    assert characters.vocabulary.encode(["\n"]).tolist() == [characters.vocabulary.end]


def test_at_character_level_each_character_is_scored_unchanged(characters):
    scores = characters.word_scores("aB b")
    assert [(token, known) for token, _, known in scores] == [
        ("a", True),
        ("B", False),
        (" ", True),
        ("b", True),
        (SENTENCE_END, True),
    ]
    expected = log_probabilities(characters, [1, 3, 2, 5, 4, 1])
    np.testing.assert_allclose([value for _, value, _ in scores], expected, atol=1e-10)
    assert characters.score("aB b") == pytest.approx(expected.sum(), abs=1e-10)


def test_text_loss_at_character_level_carries_the_state_across_lines(characters, monkeypatch):
    """The result does not depend on how the text is divided into streams."""
    text = "ab\nb a\n" * 5
    ids = [1, *({"a": 3, "b": 4, " ": 5, "\n": 1}[character] for character in text)]
    monkeypatch.setattr(continuous_text, "SHORTEST_STREAM", 5)
    expected = -log_probabilities(characters, ids).mean()
    for sizes in ({}, {"batch_size": 1, "sequence_length": 8}, {"batch_size": 2, "sequence_length": 8}):
        assert characters.text_loss(text, **sizes) == pytest.approx(expected, abs=1e-10)


# Files


def test_a_saved_model_loads_with_the_same_scores_and_settings(lm, tmp_path):
    path = tmp_path / "folder" / "model.npz"
    lm.save(path)
    loaded = theano_rnn.load(path)
    sentences = ["The dog sees the zebra.", ""]
    assert loaded.vocabulary == lm.vocabulary
    assert loaded.tokenizer == lm.tokenizer
    assert loaded.training == lm.training
    assert (loaded.rnn.bptt_truncate, loaded.rnn.activation) == (lm.rnn.bptt_truncate, lm.rnn.activation)
    for name, value in lm.rnn.get_values().items():
        np.testing.assert_array_equal(loaded.rnn.get_values()[name], value)
    np.testing.assert_array_equal(theano_rnn.score(str(path), sentences), lm.score(sentences))


def test_settings_other_than_the_defaults_are_saved(tmp_path):
    vocabulary = Vocabulary([*SPECIAL, "The"])
    rnn = RNN(4, 3, bptt_truncate=2, activation="relu", seed=0)
    LanguageModel(rnn, vocabulary, Tokenizer(tokenized=True, lowercase=False)).save(tmp_path / "m.npz")
    loaded = theano_rnn.load(tmp_path / "m.npz")
    assert (loaded.rnn.bptt_truncate, loaded.rnn.activation) == (2, "relu")
    assert loaded.tokenizer == Tokenizer(tokenized=True, lowercase=False)


def test_a_model_file_holds_named_arrays_and_json_but_no_pickles(lm, tmp_path):
    lm.save(tmp_path / "m.npz")
    with np.load(tmp_path / "m.npz", allow_pickle=False) as archive:
        entries = {name: archive[name] for name in archive.files}
    assert entries.keys() == {"U", "V", "W", "configuration", "vocabulary"}
    assert (entries["U"].shape, entries["V"].shape, entries["W"].shape) == ((5, 7), (7, 5), (5, 5))
    assert entries["U"].dtype == np.float32 and entries["configuration"].dtype == np.uint8


def test_a_network_can_be_loaded_from_a_language_model_file(lm, tmp_path):
    lm.save(tmp_path / "m.npz")
    rnn = RNN.load(tmp_path / "m.npz")
    np.testing.assert_array_equal(rnn.get_values()["W"], lm.rnn.get_values()["W"])


def test_a_bare_parameter_file_is_a_network_but_not_a_language_model(lm, tmp_path):
    np.savez(tmp_path / "bare.npz", **lm.rnn.get_values())
    rnn = RNN.load(tmp_path / "bare.npz")
    assert (rnn.word_dim, rnn.hidden_dim, rnn.activation, rnn.bptt_truncate) == (7, 5, "tanh", 4)
    with pytest.raises(ModelFileError, match="bare.npz: contains no configuration; it was not saved as a"):
        theano_rnn.load(tmp_path / "bare.npz")


def saved_parts(lm, path):
    """The arrays and documents of a saved model."""
    lm.save(path)
    entries = read_archive(path)
    documents = {name: read_document(path, entries, name) for name in ("configuration", "vocabulary")}
    return {name: entries[name] for name in "UVW"}, documents


def without(name):
    def change(arrays, documents):
        (arrays if name in arrays else documents).pop(name)

    return change


def array(name, value):
    def change(arrays, documents):
        arrays[name] = value

    return change


def document(value, *keys):
    def change(arrays, documents):
        place = documents
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    "change, message",
    [
        (without("V"), "contains no V; a model has the arrays U, V, W"),
        (without("vocabulary"), "contains no vocabulary"),
        (without("configuration"), "contains no configuration"),
        (array("X", np.zeros(1)), "contains entries that no model has: X"),
        (array("W", np.zeros((5, 5), np.int64)), "W should be a matrix of floating-point numbers, is int64"),
        (array("U", np.zeros(5)), r"U should be a matrix .* of shape \(5,\)"),
        (array("W", np.zeros((5, 4))), r"W: expected shape \(5, 5\), got \(5, 4\)"),
        (array("V", np.zeros((5, 7))), "V: expected shape"),
        (array("W", np.full((5, 5), np.nan)), "W contains values that are not finite"),
        (document([*SPECIAL, "the"], "vocabulary", "words"), r"vocabulary: expected 7 entries \(word_dim\), got 4"),
        (document(["a"] * 7, "vocabulary", "words"), "damaged or inconsistent: the vocabulary begins with"),
        (document("dog", "vocabulary"), "damaged or inconsistent: expected the vocabulary as a dict"),
        (document([], "configuration"), "damaged or inconsistent"),
        (
            document({}, "configuration", "network"),
            "damaged or inconsistent: the network's settings lack bptt_truncate",
        ),
        (document(7, "configuration", "network"), "expected the network's settings as a dict, got int"),
        (document({}, "configuration", "tokenizer"), "damaged or inconsistent: missing key in the tokenizer's"),
        (document("sigmoid", "configuration", "network", "activation"), "activation: expected one of tanh, relu"),
        (document("far", "configuration", "network", "bptt_truncate"), "bptt_truncate: expected an integer"),
        (document(6, "configuration", "network", "hidden_dim"), "hidden_dim"),
        (document(8, "configuration", "network", "word_dim"), "word_dim"),
    ],
)
def test_an_inconsistent_file_is_rejected_with_one_line(lm, tmp_path, change, message):
    path = tmp_path / "m.npz"
    arrays, documents = saved_parts(lm, path)
    change(arrays, documents)
    write_archive(path, arrays, documents)
    with pytest.raises(ModelFileError, match=message) as error:
        theano_rnn.load(path)
    assert str(error.value).startswith(f"{path}: ") and "\n" not in str(error.value)


def test_a_file_names_its_task_and_without_one_it_is_a_language_model(lm, tmp_path):
    path = tmp_path / "m.npz"
    arrays, documents = saved_parts(lm, path)
    assert documents["configuration"].pop("task") == "language-model"
    write_archive(path, arrays, documents)
    assert theano_rnn.load(path).score("the dog") == lm.score("the dog")


@pytest.mark.parametrize("task", ["paint", "", None, 3, ["language-model"], {"a": 1}, "x" * 500])
def test_an_unknown_task_is_rejected_by_name(lm, tmp_path, task):
    path = tmp_path / "m.npz"
    arrays, documents = saved_parts(lm, path)
    documents["configuration"]["task"] = task
    write_archive(path, arrays, documents)
    with pytest.raises(ModelFileError) as error:
        theano_rnn.load(path)
    tasks = ", ".join(model_files.TASKS)
    assert str(error.value) == f"{path}: is a model for the unknown task {task!r:.60}; this theano_rnn has {tasks}"


class Classifier:
    """A model for another task."""

    @classmethod
    def from_file(cls, file):
        return file.configuration["task"]


def test_load_uses_the_class_in_the_table_of_tasks(lm, tmp_path, monkeypatch):
    path = tmp_path / "m.npz"
    arrays, documents = saved_parts(lm, path)
    documents["configuration"]["task"] = "classify"
    write_archive(path, arrays, documents)
    monkeypatch.setitem(model_files.TASKS, "classify", f"{__name__}:Classifier")
    assert theano_rnn.load(path) == "classify"
    with pytest.raises(
        ModelFileError, match="m.npz: is a model for the task 'classify', not 'language-model'; use predict.py"
    ):
        LanguageModel.load(path)


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(ModelFileError, match="absent.npz: no such file; train a model first"):
        theano_rnn.score(tmp_path / "absent.npz", "the dog")


def test_a_vocabulary_of_a_different_size_is_rejected(lm):
    with pytest.raises(ValueError, match=r"vocabulary: expected 7 entries \(word_dim\), got 4"):
        LanguageModel(lm.rnn, Vocabulary([*SPECIAL, "the"]), lm.tokenizer)


@pytest.mark.parametrize("k, error", [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("3", TypeError)])
def test_an_invalid_number_of_next_words_is_rejected(lm, k, error):
    with pytest.raises(error, match="^k: expected "):
        lm.next_words("the", k=k)


def test_generated_yields_the_texts_of_generate_as_they_are_drawn(lm, monkeypatch):
    expected = lm.generate(40, seed=2, max_words=7)
    drawn = []
    draw = text_groups.TextGroup.draw
    monkeypatch.setattr(text_groups.TextGroup, "draw", lambda *details: drawn.append(details) or draw(*details))
    texts = lm.generated(40, seed=2, max_words=7)
    assert drawn == [] and next(texts) == expected[0] and len(drawn) == 1
    assert list(texts) == expected[1:] and len(drawn) == 2
    with pytest.raises(ValueError, match="temperature"):
        lm.generated(3, temperature=0)


# Each engine's scores of the file that it wrote, after a short training.
SAVED_SENTENCES = ["The dog sees the cat.", "the zebra, the dog", "", "cat cat cat sees dog . the"]
SAVED_SCORES = {
    "pytensor": [-12.237261414527893, -11.911889672279358, -2.4434025287628174, -19.101282835006714],
    "theano": [-13.894339919090271, -11.998838186264038, -2.1008641719818115, -18.482747673988342],
}


@pytest.mark.parametrize("engine", SAVED_SCORES)
def test_models_saved_by_either_engine_give_the_same_scores(engine):
    lm = LanguageModel.load(Path(__file__).parents[1].joinpath("support", f"saved_by_{engine}.npz"))
    np.testing.assert_allclose(lm.score(SAVED_SENTENCES, split=False), SAVED_SCORES[engine], atol=1e-5)
