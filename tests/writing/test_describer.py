"""Descriptions of images: the model, its training runs, and the commands."""

import pickle

import numpy as np
import pytest
from support.training_runs import Interrupter, assert_same_run_of_a_task

import theano_rnn
from theano_rnn.decoders.writer import Writer
from theano_rnn.decoders.writer_settings import Source, WriterSettings
from theano_rnn.errors import ArgumentValueError, CorpusError, ModelFileError, OptionError, TrainingInterrupted
from theano_rnn.tasks.task import PredictionOptions
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.training.train_model import train
from theano_rnn.writing.describer import Describer
from theano_rnn.writing.text_side import TextSide
from theano_rnn.writing.writer_model import Search

COLORS, SHAPES = ["red", "blue", "green"], ["ball", "cube", "star"]
OPTIONS = {"task": "describe", "hidden_dim": 16, "embedding_dim": 12, "dropout": 0.1, "seed": 3, "batch_size": 6}


@pytest.fixture(scope="module")
def describer():
    side = TextSide.of([f"a {color} {shape}" for color in COLORS for shape in SHAPES], Tokenizer(lines=True), 20, 1)
    settings = WriterSettings(len(side.vocabulary), feature_dim=4, attention=False, hidden_dim=5, embedding_dim=4)
    return Describer(Writer(settings, seed=1), side, [0.5] * 4, [2.0, 1.0, 1.0, 1.0])


def scenes(folder, count=36):
    """Images of a colored shape: their features tell both."""
    generator = np.random.default_rng(0)
    names, features, lines = [], [], []
    for i in range(count):
        color, shape = i % 3, i // 3 % 3
        names.append(f"image{i}")
        features.append(np.concatenate([np.eye(3)[color], np.eye(3)[shape]]) + generator.normal(0, 0.05, 6))
        lines += [f"image{i}\ta {COLORS[color]} {SHAPES[shape]}", f"image{i}\tthe {SHAPES[shape]} is {COLORS[color]}"]
    np.savez(folder / "features.npz", names=names, features=np.array(features, np.float32))
    (folder / "captions.tsv").write_text("\n".join(lines))
    return [str(folder / "captions.tsv"), str(folder / "features.npz")]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    data = scenes(folder)
    return data, train(data, model=folder / "scenes.npz", epochs=30, learning_rate=0.01, **OPTIONS)


def test_features_are_normalized_with_the_means_of_training(describer):
    np.testing.assert_allclose(describer.normalized([[2.5, 0.5, 1.5, -0.5]]), [[1, 0, 1, -1]])


def test_a_score_is_the_sum_over_the_words_and_the_end(describer):
    features, sentences = np.array([[1.0, 0, 2, 3], [0, 1, 0, 0]]), ["a red ball", "a zebra"]
    for row, sentence, score in zip(features, sentences, describer.score(features, sentences), strict=True):
        ids = describer.target.target_ids(sentence)
        source = Source(None, None, describer.normalized(row[None]))
        x, y = ids[:-1, None], ids[1:, None]
        values = describer.writer.log_probabilities(source, x, y, np.array([len(x)], np.int32))
        assert score == pytest.approx(values.sum(), rel=1e-5)


def test_many_images_are_described_as_each_alone(describer):
    features = np.random.default_rng(1).normal(size=(7, 4))
    together = describer.hypotheses(features, Search(3, max_length=6))
    assert [[one.text for one in found] for found in together] == [
        [one.text for one in describer.hypotheses(row[None], Search(3, max_length=6))[0]] for row in features
    ]
    assert describer.describe(np.zeros((0, 4))) == []
    assert all(len(one.tokens) <= 6 and "UNKNOWN_TOKEN" not in one.tokens for found in together for one in found)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([[1.0, 2.0]], r"features: expected numbers \(images, 4\), got float64 of shape \(1, 2\)"),
        ([1.0, 2, 3, 4], r"got float64 of shape \(4,\)"),
        ([[1.0, 2, 3, np.nan]], r"features: expected finite numbers, got NaN or infinite ones"),
        ([["a"] * 4], r"features: expected numbers \(images, 4\), got <U1"),
    ],
)
def test_features_that_do_not_fit_are_refused(describer, features, message):
    with pytest.raises(ArgumentValueError, match=message):
        describer.describe(features)


def test_arguments_that_do_not_fit_are_refused(describer):
    with pytest.raises(ArgumentValueError, match="sentences: expected 1, one for each image, got 2"):
        describer.score(np.zeros((1, 4)), ["a", "b"])
    with pytest.raises(ArgumentValueError, match=r"mean: expected finite numbers of shape \(4,\), got \(3,\)"):
        Describer(describer.writer, describer.target, [0.0] * 3, [1.0] * 4)
    with pytest.raises(ArgumentValueError, match="deviation: expected numbers above 0"):
        Describer(describer.writer, describer.target, [0.0] * 4, [0.0] * 4)


def test_a_file_gives_the_same_model(describer, tmp_path):
    describer.save(tmp_path / "one.npz")
    again = theano_rnn.load(tmp_path / "one.npz")
    assert isinstance(again, Describer)
    again.save(tmp_path / "two.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    features = np.ones((2, 4))
    assert (
        again.describe(features) == describer.describe(features) == pickle.loads(pickle.dumps(again)).describe(features)
    )
    with pytest.raises(ModelFileError, match="is a model for the task 'describe', not 'language-model'"):
        theano_rnn.LanguageModel.load(tmp_path / "one.npz")


def test_it_learns_what_the_features_tell(trained):
    data, model = trained
    report = model.evaluate(data)
    assert report.bleu[0] > 95 and report.bleu[3] >= 0
    assert report.number == 36 and report.sentences == 72
    assert report.perplexity < 1.9  # the wording is a matter of chance: 2 ** (1 / 4.5) at best


def test_evaluation_reads_only_images_with_sentences(trained, tmp_path):
    data, model = trained
    (tmp_path / "one.tsv").write_text("image5\ta green cube\n")
    assert model.evaluate([str(tmp_path / "one.tsv"), data[1]]).number == 1


def test_rows_are_the_image_and_its_sentences(trained):
    data, model = trained
    [reader] = model.open_inputs([data[1]])
    rows = list(model.results(reader, PredictionOptions(nbest=2, beam=3)))
    assert model.result_columns(PredictionOptions(nbest=2)) == ["image", "rank", "score", "log_probability", "sentence"]
    assert [row[:2] for row in rows[:4]] == [["image0", 1], ["image0", 2], ["image1", 1], ["image1", 2]]
    assert rows[0][2] >= rows[1][2]
    assert [row[0] for row in model.results(reader, PredictionOptions())] == reader.names


def test_inputs_that_do_not_fit_give_one_line(trained, tmp_path):
    data, model = trained
    np.savez(tmp_path / "wide.npz", names=["a"], features=np.zeros((1, 7)))
    with pytest.raises(CorpusError, match=r"wide\.npz: expected 6 features per image, got 7"):
        list(model.open_inputs([str(tmp_path / "wide.npz")]))
    with pytest.raises(
        OptionError, match=r"files: the features of images are read from \.npz files, got .*captions\.tsv"
    ):
        list(model.open_inputs(data))
    with pytest.raises(OptionError, match="data: there is no table of sentences"):
        model.evaluate([data[1]])
    with pytest.raises(OptionError, match="data: there are no features of images"):
        model.evaluate([data[0]])
    with pytest.raises(OptionError, match="probabilities: has no effect with a model for the task 'describe'"):
        model.result_columns(PredictionOptions(probabilities=True))


def test_the_held_out_images_are_not_among_those_of_training(trained):
    data, _ = trained
    task = Describer.training_task(data, options_of({"valid_fraction": 0.3}), lambda line: None)
    assert set(task._train.sources).isdisjoint(task._valid.sources)
    assert len(task._train) + len(task._valid) == 72


def options_of(more):
    from theano_rnn.training.options import TrainingOptions

    return TrainingOptions.from_settings({**OPTIONS, **more})


def test_a_resumed_run_equals_an_uninterrupted_one(trained, tmp_path):
    data, _ = trained
    whole, parts = tmp_path / "whole.npz", tmp_path / "parts.npz"
    train(data, model=whole, epochs=3, **OPTIONS)
    with pytest.raises(TrainingInterrupted):
        train(data, model=parts, epochs=3, reporter=Interrupter(1, 2), **OPTIONS)
    train(None, model=parts, resume=True)
    assert_same_run_of_a_task(whole, parts)


@pytest.mark.slow
@pytest.mark.parametrize("tied", [False, True])
def test_a_language_model_gives_its_words_embeddings_and_layers(trained, tmp_path, tied):
    data, _ = trained
    (tmp_path / "text.txt").write_text("a red ball\nthe cube is blue\n" * 30)
    settings = {"cell": "gru", "hidden_dim": 12, "lines": True, "epochs": 1, "seed": 1}
    lm = train(tmp_path / "text.txt", model=tmp_path / "lm.npz", tied=tied, embedding_dim=12, **settings)
    notes = []
    start = {"init_from": str(tmp_path / "lm.npz"), "task": "describe", "epochs": 1, "seed": 3}
    model = train(data, model=tmp_path / "scenes.npz", **start, tied=tied)
    assert model.target.vocabulary == lm.vocabulary
    from theano_rnn.tasks.task_options import with_settings_of
    from theano_rnn.training.options import TrainingOptions

    options = TrainingOptions.from_settings(with_settings_of(lm, {**start, "tied": tied}))
    task = Describer.training_task(data, options, notes.append, lm)
    values, of_lm = task.network.get_values(), lm.rnn.get_values()
    for name in ("U", "W", "b", "r"):
        np.testing.assert_array_equal(values[name], of_lm[name])
    np.testing.assert_array_equal(values["V" if tied else "E"], of_lm["V" if tied else "E"])
    assert "starting from the language model's" in notes[-1]


def test_the_command_describes_evaluates_and_writes_a_page(trained, tmp_path, capsys):
    from support.script_modules import script

    predict = script("predict")

    data, model = trained
    model.save(tmp_path / "scenes.npz")
    place = ["--model", str(tmp_path / "scenes.npz")]
    assert predict.main([*place, data[1]]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 36 and lines[0].startswith("image0\t")
    assert predict.main([*place, "--evaluate", *data]) == 0
    assert capsys.readouterr().out.startswith("BLEU-1 ")
    assert predict.main([*place, "--html", str(tmp_path / "page.html"), "--images", str(tmp_path), data[1]]) == 0
    assert (tmp_path / "page.html").read_text().count("<figure>") == 36
    capsys.readouterr()
    for wrong, message in (
        (["--alignments", str(tmp_path / "a.tsv"), data[1]], "--alignments: has no effect"),
        (["--images", str(tmp_path), data[1]], "--images: holds the pictures of a page"),
        (["--plot", str(tmp_path / "a.png"), data[1]], "--plot"),
        (["--evaluate", "--plot", str(tmp_path / "a.png"), "none.npz"], "--plot: has no effect on descriptions"),
        ([data[0]], "the features of images are read from .npz files"),
        ([], "the features of images are read from .npz files; name one"),
    ):
        assert predict.main([*place, *wrong]) == 2
        error = capsys.readouterr().err
        assert message in error and len(error.splitlines()) == 1
