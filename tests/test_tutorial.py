"""The cells of the tutorial's second part run with only their imports changed, and do what the tutorial says."""

import contextlib
import io
from pathlib import Path

import numpy
import pytest

import theano_rnn
from theano_rnn import tutorial

VOCABULARY_SIZE = 300
START, END, UNKNOWN = "SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN"


@pytest.fixture(scope="module")
def cells():
    """The tutorial's names after its preprocessing cell: 1,000 comments, a vocabulary of 300."""
    names = {}
    exec("from theano_rnn.tutorial import *", names)
    csv, itertools, nltk, np = (names[name] for name in ("csv", "itertools", "nltk", "np"))
    assert nltk.download("book")
    with open(Path(__file__).parents[1] / "data" / "comments.csv", encoding="utf-8", newline="") as file:
        reader = csv.reader(file, skipinitialspace=True)
        next(reader)
        rows = itertools.islice(reader, 1000)
        sentences = itertools.chain(*[nltk.sent_tokenize(row[0].lower()) for row in rows])
        sentences = [f"{START} {sentence} {END}" for sentence in sentences]
    tokenized = [nltk.word_tokenize(sentence) for sentence in sentences]
    vocabulary = nltk.FreqDist(itertools.chain(*tokenized)).most_common(VOCABULARY_SIZE - 1)
    index_to_word = [word for word, _ in vocabulary] + [UNKNOWN]
    word_to_index = {word: index for index, word in enumerate(index_to_word)}
    ids = [[word_to_index.get(word, word_to_index[UNKNOWN]) for word in sentence] for sentence in tokenized]
    names.update(
        sentences=sentences,
        tokenized=tokenized,
        index_to_word=index_to_word,
        word_to_index=word_to_index,
        X_train=np.asarray([sentence[:-1] for sentence in ids]),
        y_train=np.asarray([sentence[1:] for sentence in ids]),
    )
    return names


@pytest.fixture(autouse=True)
def seeded():
    state = numpy.random.get_state()
    numpy.random.seed(10)
    yield
    numpy.random.set_state(state)


def initial_values(word_dim, hidden_dim):
    """U, V and W as the tutorial draws them from NumPy's global generator."""
    values = {}
    for name, shape in (("U", (hidden_dim, word_dim)), ("V", (word_dim, hidden_dim)), ("W", (hidden_dim, hidden_dim))):
        bound = (1 / shape[1]) ** 0.5
        values[name] = numpy.random.uniform(-bound, bound, shape)
    return values


def probabilities(values, x):
    """o_t for all t, by a loop in NumPy."""
    U, V, W = values["U"], values["V"], values["W"]
    s, o = numpy.zeros(len(W)), []
    for word in x:
        s = numpy.tanh(U[:, word] + W @ s)
        o.append(tutorial.softmax(V @ s))
    return numpy.array(o)


def mean_loss(values, X, Y):
    losses = [-numpy.log(probabilities(values, x)[numpy.arange(len(y)), y]) for x, y in zip(X, Y, strict=True)]
    return numpy.concatenate(losses).mean()


def short_sentences(cells, count=100):
    """The first sentences of up to 15 words, of few buckets of lengths, for each of which XLA compiles."""
    pairs = [(x, y) for x, y in zip(cells["X_train"], cells["y_train"], strict=True) if 11 <= len(x) <= 15]
    return tuple(zip(*pairs[:count], strict=True))


def test_every_exported_name_exists():
    assert all(hasattr(tutorial, name) for name in tutorial.__all__)


def test_sentences_are_split_and_framed(cells):
    assert cells["sentences"][0] == f"{START} i hate the rabbit. {END}"
    assert cells["tokenized"][0] == [START, "i", "hate", "the", "rabbit", ".", END]
    assert all(sentence[0] == START and sentence[-1] == END for sentence in cells["tokenized"])


def test_targets_are_the_words_that_follow(cells):
    assert cells["X_train"].shape == cells["y_train"].shape == (len(cells["sentences"]),)
    for x, y in zip(cells["X_train"][:50], cells["y_train"][:50], strict=True):
        assert x[1:] == y[:-1]
        assert (x[0], y[-1]) == (cells["word_to_index"][START], cells["word_to_index"][END])


def test_asarray_is_numpys_and_also_takes_rows_of_different_lengths():
    rows = [[1, 2], [3]]
    assert tutorial.np.asarray(rows).tolist() == rows
    assert tutorial.np.asarray(rows).dtype == object
    assert tutorial.np.asarray([[1, 2], [3, 4]]).shape == (2, 2)
    assert tutorial.np.asarray([1, 2], "float32").dtype == numpy.float32
    assert tutorial.np.log is numpy.log


def test_initial_values_are_the_tutorials():
    model = tutorial.RNNTheano(20, 8)
    numpy.random.seed(10)
    for name, value in initial_values(20, 8).items():
        numpy.testing.assert_array_equal(model.get_values()[name], value)


def test_an_explicit_seed_leaves_the_global_generator_alone():
    first, second = tutorial.RNNTheano(20, 8, seed=1), theano_rnn.RNN(20, 8, seed=1, dtype="float64")
    numpy.testing.assert_array_equal(first.U.get_value(), second.U.get_value())
    numpy.random.seed(10)
    expected = numpy.random.random()
    numpy.random.seed(10)
    tutorial.RNNTheano(20, 8, seed=1)
    assert numpy.random.random() == expected


def test_positional_arguments_are_the_tutorials():
    model = tutorial.RNNTheano(20, 8, 2)
    assert (model.word_dim, model.hidden_dim, model.bptt_truncate, model.dtype) == (20, 8, 2, "float64")
    assert tutorial.RNNTheano(20).hidden_dim == 100
    assert isinstance(model, theano_rnn.RNNTheano)


def test_forward_propagation_and_prediction_match_a_numpy_loop(cells):
    model = tutorial.RNNTheano(VOCABULARY_SIZE)
    x = cells["X_train"][10]
    o = model.forward_propagation(x)
    assert o.shape == (len(x), VOCABULARY_SIZE)
    numpy.testing.assert_allclose(o, probabilities(model.get_values(), x), atol=1e-12, rtol=0)
    assert model.predict(x).tolist() == o.argmax(axis=1).tolist()


def test_loss_of_an_untrained_model_is_about_ln_word_dim(cells):
    model = tutorial.RNNTheano(VOCABULARY_SIZE)
    X, Y = short_sentences(cells)
    loss = model.calculate_loss(X, Y)
    assert loss == pytest.approx(numpy.log(VOCABULARY_SIZE), abs=0.02)
    assert loss == pytest.approx(mean_loss(model.get_values(), X, Y), abs=1e-10)


@pytest.fixture(scope="module")
def small():
    """A network that tests do not change."""
    return tutorial.RNNTheano(5, 10, seed=10)


def test_gradient_check_passes_and_prints_the_tutorials_lines(small, capsys):
    tutorial.gradient_check_theano(small, [0, 1, 2, 3], [1, 2, 3, 4])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Performing gradient check for parameter U with size 50."
    assert [line for line in lines if "passed" in line] == [
        f"Gradient check for parameter {name} passed." for name in "UVW"
    ]


def test_the_gradient_check_is_announced_before_it_begins(capsys):
    class Watched:
        def get_values(self):
            return {"U": numpy.zeros((2, 3)), "V": numpy.zeros((3, 2))}

        def gradient_check(self, x, y, h, error_threshold):
            assert capsys.readouterr().out == "Performing gradient check for parameter U with size 6.\n"

    tutorial.gradient_check_theano(Watched(), [0], [1])
    assert capsys.readouterr().out.splitlines() == [
        "Gradient check for parameter U passed.",
        "Performing gradient check for parameter V with size 6.",
        "Gradient check for parameter V passed.",
    ]


def test_a_failed_gradient_check_raises(small):
    with pytest.raises(theano_rnn.GradientCheckError, match=r"gradient check failed for U\[0, 0\]"):
        tutorial.gradient_check_theano(small, [0, 1, 2, 3], [1, 2, 3, 4], error_threshold=1e-14)


def test_an_sgd_step_follows_the_gradient(cells):
    model = tutorial.RNNTheano(VOCABULARY_SIZE, 10)
    x, y = cells["X_train"][10], cells["y_train"][10]
    before, gradients = model.get_values(), model.bptt(x, y)
    model.sgd_step(x, y, 0.005)
    for (name, value), gradient in zip(before.items(), gradients, strict=True):
        numpy.testing.assert_allclose(model.get_values()[name], value - 0.005 * gradient, atol=1e-12, rtol=0)


@pytest.fixture(scope="module")
def trained(cells):
    """A trained model, what training returned and what it printed."""
    numpy.random.seed(10)
    model, printed = tutorial.RNNTheano(VOCABULARY_SIZE, 20), io.StringIO()
    with contextlib.redirect_stdout(printed):
        losses = theano_rnn.train_with_sgd(
            model, *short_sentences(cells), learning_rate=0.01, nepoch=6, evaluate_loss_after=2
        )
    return model, losses, printed.getvalue()


def test_training_prints_and_returns_falling_losses(cells, trained):
    model, losses, printed = trained
    assert [examples for examples, _ in losses] == [0, 200, 400]
    assert losses[0][1] > losses[1][1] > losses[2][1] > model.calculate_loss(*short_sentences(cells))
    lines = printed.splitlines()
    assert [line.split(": ", 1)[1] for line in lines] == [
        f"Loss after num_examples_seen={examples} epoch={epoch}: {loss:f}"
        for epoch, (examples, loss) in zip((0, 2, 4), losses, strict=True)
    ]


def test_one_epoch_is_the_default_and_is_sgd_in_order(cells):
    model = tutorial.RNNTheano(VOCABULARY_SIZE, 10, seed=1)
    before = model.get_values()
    X, Y = short_sentences(cells, 5)
    assert len(tutorial.train_with_sgd(model, X, Y)) == 1
    after = model.get_values()
    model.set_values(before)
    for x, y in zip(X, Y, strict=True):
        model.sgd_step(x, y, 0.005)
    for name, value in model.get_values().items():
        assert not numpy.array_equal(value, before[name])
        numpy.testing.assert_array_equal(value, after[name])


def test_the_rate_is_halved_when_the_loss_rises(capsys):
    class Rising:
        word_dim = 2
        losses = iter([2.0, 1.0, 1.5, 1.25])
        rates = []

        def calculate_loss(self, X, Y):
            return next(self.losses)

        def sgd_step(self, x, y, learning_rate):
            self.rates.append(learning_rate)

    tutorial.train_with_sgd(Rising(), [[0]], [[1]], learning_rate=0.1, nepoch=4, evaluate_loss_after=1)
    assert Rising.rates == [0.1, 0.1, 0.05, 0.05]
    assert capsys.readouterr().out.count("Setting learning rate to 0.050000\n") == 1


@pytest.mark.parametrize(
    ("X_train", "y_train", "message"),
    [
        ([[0], [1]], [[1]], r"^X_train and y_train: expected the same number of sentences, got 2 and 1$"),
        ([], [], r"^X_train: expected at least one sentence, got none$"),
        ([[0], [1, 2]], [[1], [2]], r"^X_train\[1\] and y_train\[1\]: expected the same length, got 2 and 1$"),
        ([[0], [1]], [[1], [5]], r"^y_train\[1\]: word id 5 at position 0 is outside 0 … 4$"),
    ],
)
def test_errors_of_training_name_its_arguments(X_train, y_train, message):
    model = tutorial.RNNTheano(5, 4)
    before = model.get_values()
    with pytest.raises(ValueError, match=message):
        tutorial.train_with_sgd(model, X_train, y_train)
    numpy.testing.assert_array_equal(model.U.get_value(), before["U"])


def test_sentences_from_iterators_are_seen_in_every_epoch(capsys):
    model = tutorial.RNNTheano(5, 4, seed=1)
    before = model.get_values()
    X_train, y_train = [[0], [1, 2]], [[1], [2, 3]]
    losses = tutorial.train_with_sgd(model, iter(X_train), iter(y_train), nepoch=2, evaluate_loss_after=1)
    model.set_values(before)
    assert losses == tutorial.train_with_sgd(model, X_train, y_train, nepoch=2, evaluate_loss_after=1)


@pytest.mark.parametrize("name", ["nepoch", "evaluate_loss_after"])
def test_a_number_of_epochs_below_one_is_rejected(name):
    with pytest.raises(ValueError, match=name):
        tutorial.train_with_sgd(tutorial.RNNTheano(5, 4), [[0]], [[1]], **{name: 0})


@pytest.mark.slow  # compiles for each bucket of lengths
def test_a_generated_sentence_ends(cells, trained):
    np, word_to_index, model = cells["np"], cells["word_to_index"], trained[0]
    sentence = [word_to_index[START]]
    while sentence[-1] != word_to_index[END]:
        word = word_to_index[UNKNOWN]
        while word == word_to_index[UNKNOWN]:
            word = np.argmax(np.random.multinomial(1, model.forward_propagation(sentence)[-1]))
        sentence.append(word)
    assert all(0 <= word < VOCABULARY_SIZE for word in sentence)


def test_a_saved_file_holds_the_three_matrices_and_loads(tmp_path, capsys):
    model, path = tutorial.RNNTheano(20, 8), tmp_path / "model.npz"
    theano_rnn.save_model_parameters_theano(path, model)
    with numpy.load(path) as archive:
        assert sorted(archive) == ["U", "V", "W"]
        for name in archive:
            numpy.testing.assert_array_equal(archive[name], model.get_values()[name])
    other = tutorial.RNNTheano(20, 8)
    U = other.U
    theano_rnn.load_model_parameters_theano(path, other)
    assert other.U is U
    numpy.testing.assert_array_equal(U.get_value(), model.U.get_value())
    assert capsys.readouterr().out.splitlines() == [
        f"Saved model parameters to {path}.",
        f"Loaded model parameters from {path}. hidden_dim=8 word_dim=20",
    ]


def test_a_file_that_the_tutorial_wrote_loads_into_a_model_of_another_size(tmp_path):
    values = initial_values(30, 6)
    numpy.savez(tmp_path / "rnn-theano.npz", **values)
    model = tutorial.RNNTheano(20, 8, 2, "relu")
    model.forward_propagation([0, 1])  # compiled for the old sizes
    tutorial.load_model_parameters_theano(tmp_path / "rnn-theano.npz", model)
    assert (model.word_dim, model.hidden_dim, model.bptt_truncate, model.activation) == (30, 6, 2, "relu")
    for name, value in values.items():
        numpy.testing.assert_array_equal(model.get_values()[name], value)
    assert model.forward_propagation([29, 1]).shape == (2, 30)
    tutorial.gradient_check_theano(model, [29, 1], [1, 2])


def test_a_file_that_does_not_load_leaves_the_model_unchanged(tmp_path):
    model = tutorial.RNNTheano(20, 8)
    before = model.get_values()
    with pytest.raises(theano_rnn.ModelFileError):
        tutorial.load_model_parameters_theano(tmp_path / "missing.npz", model)
    numpy.testing.assert_array_equal(model.U.get_value(), before["U"])


@pytest.mark.parametrize("settings", [{"cell": "lstm"}, {"layers": 2}, {"bias": True}])
def test_a_network_that_the_tutorial_does_not_have_is_rejected_and_leaves_the_model_unchanged(tmp_path, settings):
    model = tutorial.RNNTheano(5, 3)
    before = model.get_values()
    theano_rnn.RNN(5, 3, seed=1, **settings).save(tmp_path / "other.npz")
    with pytest.raises(theano_rnn.ModelFileError, match="other.npz: expected the tutorial's network, got a "):
        tutorial.load_model_parameters_theano(tmp_path / "other.npz", model)
    assert all(numpy.array_equal(model.get_values()[name], value) for name, value in before.items())


def test_words_and_sentences_need_no_downloads():
    assert tutorial.sent_tokenize("mr. smith came at 5 p.m. today. why?") == ["mr. smith came at 5 p.m. today.", "why?"]
    assert tutorial.word_tokenize("he can't. SENTENCE_END") == ["he", "ca", "n't", ".", "SENTENCE_END"]
