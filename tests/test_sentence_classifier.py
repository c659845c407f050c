"""`SentenceClassifier` follows scikit-learn's conventions."""

import builtins
import functools
import importlib
import itertools
import pickle
import sys

import numpy as np
import pytest
from support.training_runs import share_compiled_readers

import theano_rnn
from theano_rnn.errors import ArgumentTypeError, ArgumentValueError, EngineError, OptionError

sklearn = pytest.importorskip("sklearn")

from sklearn.base import clone  # noqa: E402
from sklearn.exceptions import NotFittedError  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import FunctionTransformer  # noqa: E402
from sklearn.utils import estimator_checks  # noqa: E402

WORDS = {"great": 1, "lovely": 1, "awful": 0, "sad": 0}
PAIRS = [
    (f"The {noun} is {word}.", y) for noun, (word, y) in itertools.product(("dog", "cat", "end"), WORDS.items())
] * 2
TEXTS, LABELS = [text for text, _ in PAIRS], [y for _, y in PAIRS]
TINY = {"cell": "simple", "hidden_dim": 3, "embedding_dim": 4, "dropout": 0.0, "learning_rate": 0.1, "batch_size": 8}
# These need no data. The others give numbers to `fit`, which takes texts; scikit-learn itself skips them for estimators
# whose tags say so, as for its own text vectorizers.
CHECKS = (
    "check_do_not_raise_errors_in_init_or_set_param",
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
)


@pytest.fixture(scope="module", autouse=True)
def compiled_once():
    """Runs of the same shape share their compiled functions."""
    with pytest.MonkeyPatch.context() as patch:
        share_compiled_readers(patch, {})
        yield


def classifier(**options):
    return theano_rnn.SentenceClassifier(**{**TINY, "epochs": 3, "random_state": 1, **options})


@functools.cache
def fitted():
    return classifier(epochs=8, valid_fraction=0.0).fit(TEXTS, LABELS)


@pytest.mark.parametrize("name", CHECKS)
def test_the_checks_of_scikit_learn_that_need_no_numbers_pass(name):
    check = getattr(estimator_checks, name, None)
    if check is None:
        pytest.skip("this scikit-learn has no such check")
    check("SentenceClassifier", classifier())


def test_scikit_learn_finds_no_fault():
    with pytest.warns(
        sklearn.exceptions.SkipTestWarning, match="Can't test estimator SentenceClassifier which requires"
    ):
        estimator_checks.check_estimator(classifier())


def test_it_learns_the_labels_and_scores_them():
    model = fitted()
    assert model.classes_.tolist() == [0, 1]
    assert model.score(TEXTS, LABELS) == 1.0
    found = model.predict_proba(TEXTS)
    assert found.shape == (len(TEXTS), 2)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_array_equal(model.predict(TEXTS), found.argmax(axis=1))


@pytest.mark.slow
@pytest.mark.parametrize(
    "labels",
    [
        pytest.param(["no", "yes"], id="str"),
        *(pytest.param(one, marks=pytest.mark.slow) for one in ([True, False], [7, -3], [0.5, 1.5])),
    ],
)
def test_predictions_have_the_type_of_the_labels(labels):
    y = np.array(labels)[LABELS]
    model = classifier(epochs=1).fit(np.array(TEXTS), y)
    predicted = model.predict(TEXTS)
    assert predicted.dtype == y.dtype and set(predicted.tolist()) <= set(labels)
    assert model.classes_.tolist() == sorted(labels)


def test_the_same_seed_gives_the_same_model_and_a_pickled_one_predicts_the_same():
    one, other = (classifier(random_state=np.random.RandomState(2)).fit(TEXTS, LABELS) for _ in range(2))
    np.testing.assert_array_equal(one.predict_proba(TEXTS), other.predict_proba(TEXTS))
    copy = pickle.loads(pickle.dumps(one))
    np.testing.assert_array_equal(copy.predict_proba(TEXTS), one.predict_proba(TEXTS))
    assert not hasattr(clone(one), "model_")


@pytest.mark.slow
def test_it_works_in_a_pipeline_in_cross_validation_and_in_a_grid_search():
    pipeline = make_pipeline(FunctionTransformer(lambda texts: [text.lower() for text in texts]), classifier(epochs=1))
    assert cross_val_score(pipeline, TEXTS, LABELS, cv=2).shape == (2,)
    search = GridSearchCV(classifier(epochs=1), {"pooling": ["mean", "max"]}, cv=2).fit(TEXTS, LABELS)
    assert search.best_params_["pooling"] in ("mean", "max")


@pytest.mark.slow
def test_it_starts_from_a_language_model(tmp_path):
    (tmp_path / "text.txt").write_text("\n".join(TEXTS), encoding="utf-8")
    settings = {"hidden_dim": 3, "embedding_dim": 4, "sample_every": 0}
    lm = theano_rnn.train(tmp_path / "text.txt", model=tmp_path / "lm.npz", epochs=1, **settings)
    model = classifier(epochs=1, init_from=tmp_path / "lm.npz", learning_rate=1e-12).fit(TEXTS, LABELS)
    np.testing.assert_allclose(model.model_.reader.get_values()["E"], lm.rnn.get_values()["E"], atol=1e-6)


def test_verbose_shows_the_progress(capsys):
    classifier(epochs=1, verbose=True).fit(TEXTS, LABELS)
    assert "accuracy" in capsys.readouterr().err


@pytest.mark.parametrize(
    "X, y, error, message",
    [
        ("text", [1], ArgumentTypeError, "X: expected a sequence of str, got str"),
        ([1, 2], [0, 1], ArgumentTypeError, "texts: expected a sequence of str, got int among them"),
        (
            np.zeros((2, 2)),
            [0, 1],
            ArgumentValueError,
            r"X: expected a sequence of str, got an array of shape \(2, 2\)",
        ),
        (["a", "b"], [1], ArgumentValueError, r"y: expected 2 labels, got shape \(1,\)"),
        (["a", "b"], [1, 1], ArgumentValueError, "y: expected at least two classes, got 1 class"),
    ],
)
def test_wrong_data_are_rejected(X, y, error, message):
    with pytest.raises(error, match=message):
        classifier().fit(X, y)


def test_wrong_parameters_are_rejected_by_fit():
    with pytest.raises(OptionError, match="cell: expected .*, got 'cow'"):
        classifier(cell="cow").fit(TEXTS, LABELS)


def test_prediction_needs_a_fitted_model():
    with pytest.raises(NotFittedError, match="call `fit` first"):
        classifier().predict(TEXTS)


def test_without_scikit_learn_the_message_says_what_to_install(monkeypatch):
    imported = builtins.__import__

    def without(name, *details):
        if name.partition(".")[0] == "sklearn":
            raise ImportError(name)
        return imported(name, *details)

    module = sys.modules["theano_rnn.sentence_classifier"]
    monkeypatch.setattr(builtins, "__import__", without)
    try:
        with pytest.raises(EngineError, match=r'needs scikit-learn, .*; run pip install ".\[sklearn\]"'):
            importlib.reload(module)
    finally:
        monkeypatch.undo()
        importlib.reload(module)
