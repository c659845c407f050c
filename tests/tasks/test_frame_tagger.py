"""Labels of frames and of recordings: training, parts of long recordings, files, errors."""

import functools

import numpy as np
import pytest

import theano_rnn
from theano_rnn.encoders.reader import Reader
from theano_rnn.encoders.reader_graph import ReaderSettings
from theano_rnn.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    CorpusError,
    ModelFileError,
    OptionError,
)
from theano_rnn.speech.features import FeatureSettings, loudness
from theano_rnn.speech.segmentation import SegmentCounts, segment_probabilities
from theano_rnn.speech.segmentation import runs as runs_of
from theano_rnn.tasks.frame_model import FrameInput, parts
from theano_rnn.tasks.frame_tagger import FrameTagger
from theano_rnn.tasks.recording_classifier import RecordingClassifier, labels_need_means, linear_accuracy
from theano_rnn.tasks.task import PredictionOptions

LABELS = ["a", "b", "sil"]
SMALL = {
    "cell": "simple", "hidden_dim": 8, "epochs": 20, "batch_size": 12, "seed": 1, "dropout": 0.0, "learning_rate": 0.05,
}  # fmt: skip


def written(folder, recordings=12, seed=0, shift=None):
    """An .npz of frames that tell their label by themselves, with the table of their segments."""
    generator = np.random.default_rng(seed)
    names, frames, rows = [], [], ["name\tstart\tend\tlabel"]
    for number in range(recordings):
        names.append(f"r{number:02d}")
        labels = [2, *(i % 2 for i in range(number % 2, number % 2 + 4)), 2]
        durations = generator.integers(4, 9, len(labels))
        of_frames = np.repeat(labels, durations)
        centers = np.array([[9.0, 1], [3, 1], [6, -3]])[of_frames]
        frames.append((centers + generator.normal(size=centers.shape) * 0.4).astype(np.float32))
        bounds = np.concatenate([[0], np.cumsum(durations)]) / 100
        rows += [f"{names[-1]}\t{a}\t{b}\t{LABELS[i]}" for a, b, i in zip(bounds, bounds[1:], labels, strict=False)]
    folder.mkdir(exist_ok=True)
    lengths = np.array([len(one) for one in frames])
    np.savez(folder / "frames.npz", features=np.concatenate(frames), lengths=lengths, names=np.array(names))
    (folder / "segments.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    labels = [f"{name}\t{('even', 'odd')[i % 2]}" for i, name in enumerate(names)]
    (folder / "labels.tsv").write_text("\n".join(["name\tlabel", *labels]) + "\n", encoding="utf-8")
    return [str(folder / "frames.npz"), str(folder / "segments.tsv")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("speech")


@pytest.fixture(scope="module")
def data(folder):
    return written(folder / "data")


@pytest.fixture(scope="module")
def tagger(folder, data):
    return theano_rnn.train(data, task="tag", model=folder / "tagger.npz", **SMALL)


@functools.cache
def untrained(dtype=None):
    settings = ReaderSettings(labels=3, frame_dim=2, hidden_dim=4, head="steps")
    counts = SegmentCounts.of([[2, 2, 0, 0, 0, 1, 1, 2]], 3)
    return FrameTagger(Reader(settings, seed=3, dtype=dtype), LABELS, FrameInput([1, 2], [2, 4]), counts)


def test_training_finds_the_segments(tagger, data):
    report = tagger.evaluate(data)
    assert report.accuracy > 0.95 and report.frame_accuracy > 0.95
    assert report.scores.error_rate < 0.05 and report.scores.of_boundaries[2] > 0.95
    assert report.labels == LABELS and report.loss is not None
    assert {"segments", "boundaries", "frame_accuracy", "accuracy", "confusion"} <= report.figures().keys()


def test_rows_are_segments_that_touch_and_cover_the_recording(tagger, data):
    [recordings] = tagger.open_inputs(data[:1])
    rows = list(tagger.results(recordings, PredictionOptions()))
    assert tagger.result_columns(PredictionOptions()) == ["name", "start", "end", "label", "probability"]
    for one in recordings:
        of_one = [row for row in rows if row[0] == one.name]
        assert of_one[0][1] == 0 and of_one[-1][2] == round(len(one.frames) * 0.01, 9)
        assert all(row[2] == after[1] and row[3] != after[3] for row, after in zip(of_one, of_one[1:], strict=False))
        assert all(0 < row[4] <= 1 for row in of_one)


def test_rows_of_frames_have_the_probability_of_each_label(tagger, data):
    options = PredictionOptions(probabilities=True)
    [recordings] = tagger.open_inputs(data[:1])
    rows = list(tagger.results(recordings, options))
    assert tagger.result_columns(options) == ["name", "start", "end", *LABELS]
    assert len(rows) == sum(len(one.frames) for one in recordings)
    assert [row[1] for row in rows[:4]] == [0.0, 0.01, 0.02, 0.03]
    np.testing.assert_allclose([sum(row[3:]) for row in rows], 1)


def test_the_probability_of_a_segment_is_the_mean_of_its_frames(tagger, data):
    [recordings] = tagger.open_inputs(data[:1])
    frames = next(iter(recordings)).frames
    [rows], [found] = tagger.probabilities([frames]), tagger.predict([frames])
    labels = [LABELS.index(one.label) for one in found for _ in range(round((one.end - one.start) * 100))]
    expected = segment_probabilities(rows, runs_of(labels))
    np.testing.assert_allclose([one.probability for one in found], expected)


def test_folded_labels_are_compared(tagger, data):
    report = tagger.evaluate(data, fold={"a": "v", "b": "v"})
    assert report.labels == ["sil", "v"] and report.loss is None
    assert report.scores.labels == 3 * 12  # sil, v, sil


def test_a_recording_alone_has_the_probabilities_that_it_has_among_others():
    generator = np.random.default_rng(0)
    recordings = [generator.normal(size=(count, 2)) for count in (3, 40, 1, 17)]
    together = untrained("float64").probabilities(recordings)
    for one, expected in zip(recordings, together, strict=True):
        np.testing.assert_allclose(untrained("float64").probabilities([one])[0], expected, rtol=1e-10)
        assert expected.shape == (len(one), 3)


def test_no_recordings_and_recordings_without_frames():
    assert untrained().probabilities([]) == [] and untrained().predict([]) == []
    [found] = untrained().probabilities([np.zeros((0, 2))])
    assert found.shape == (0, 3) and untrained().predict([np.zeros((0, 2))]) == [[]]


def test_frames_are_normalized_with_the_means_and_deviations_of_the_training_part():
    frames = np.array([[1.0, 2], [3, 6]])
    assert untrained().frames.normalized(frames).tolist() == [[0, 0], [1, 1]]
    generator = np.random.default_rng(1)
    recordings = [generator.normal(size=(50, 3)) * [1, 5, 0] + [1e4, 0, 7] for _ in range(3)]
    found = FrameInput.of(recordings)
    whole = np.concatenate(recordings)
    np.testing.assert_allclose(found.mean, whole.mean(axis=0))
    np.testing.assert_allclose(found.deviation[:2], whole.std(axis=0)[:2])
    assert found.deviation[2] == 1  # of a feature that is always the same


def test_centered_frames_depend_neither_on_loudness_nor_on_the_microphone():
    generator = np.random.default_rng(4)
    recordings = [generator.normal(size=(n, 2)) * [1, 5] + generator.normal(size=2) * 9 for n in (30, 50)]
    found = FrameInput.of(recordings, is_centered=True)
    whole = np.concatenate([one - one.mean(axis=0) for one in recordings])
    np.testing.assert_allclose(found.mean, 0, atol=1e-12)
    np.testing.assert_allclose(found.deviation, whole.std(axis=0))
    normalized = found.normalized(recordings[0])
    np.testing.assert_allclose(normalized, found.normalized(recordings[0] + [7, -3]), atol=1e-6)
    np.testing.assert_allclose(normalized.mean(axis=0), 0, atol=1e-6)
    assert found.normalized(np.zeros((0, 2))).shape == (0, 2)


def test_a_sound_is_brought_to_the_nearest_loudness_of_the_training_part():
    generator = np.random.default_rng(5)
    sounds = [generator.normal(size=(200, 4)).astype(np.float32) + level for level in np.linspace(8, 18, 11)]
    features = FeatureSettings(number=4)
    found = FrameInput.of(sounds, features=features)
    quiet, loud = found.loudness
    assert quiet == pytest.approx(9, abs=0.3) and loud == pytest.approx(17, abs=0.3)
    assert found.adapted(sounds[5]) is sounds[5]
    for sound, limit in ((sounds[5] - 30, quiet), (sounds[5] + 30, loud)):
        assert loudness(found.adapted(sound), features) == pytest.approx(limit, abs=1e-4)
        change = found.adapted(sound) - sound
        np.testing.assert_allclose(change, change[0, 0], atol=1e-4)
    assert FrameInput.of(sounds).loudness is None  # of an .npz, whose features may be anything


@pytest.mark.parametrize("given", [{"is_centered": True}, {"features": FeatureSettings(), "loudness": [3.0, 9.0]}])
def test_how_recordings_are_adapted_is_kept(given):
    configuration = FrameInput([0.0], [1.0], **given).to_configuration()
    found = FrameInput.from_configuration(configuration)
    assert {name: getattr(found, name) for name in given} == given


def test_the_parts_of_a_long_recording_cover_it_and_have_context():
    for frames in (0, 1, 1000, 1001, 2000, 2001, 54321):
        cut = parts(frames)
        assert [one[2:] for one in cut] == [] or cut[0][2] == 0 and cut[-1][3] == frames
        assert all(one[3] == after[2] for one, after in zip(cut, cut[1:], strict=False))
        assert all(end - start <= 1000 and a == max(start - 100, 0) for a, _, start, end in cut)


def test_a_long_recording_has_nearly_the_probabilities_of_the_whole():
    frames = np.random.default_rng(2).normal(size=(2500, 2))
    [found] = untrained("float64").probabilities([frames])
    middle = untrained("float64").probabilities([frames[1300:1500]])[0]
    assert found.shape == (2500, 3)
    np.testing.assert_allclose(found[1370:1430], middle[70:130], atol=1e-4)


def test_a_saved_model_predicts_the_same(tagger, folder, data):
    again = theano_rnn.load(folder / "tagger.npz")
    assert type(again) is FrameTagger and again.labels == LABELS and "hidden_dim=8" in repr(again)
    assert again.frames.to_configuration() == tagger.frames.to_configuration()
    assert again.counts.to_configuration() == tagger.counts.to_configuration()
    assert again.evaluate(data).figures() == tagger.evaluate(data).figures()


def test_a_held_out_file_may_have_its_segments_among_the_data(folder, data):
    valid = written(folder / "valid", seed=5)
    renamed = {**np.load(valid[0])}
    renamed["names"] = np.array([f"v{name}" for name in renamed["names"]])
    np.savez(valid[0], **renamed)
    table = folder / "valid" / "more.tsv"
    lines = (folder / "valid" / "segments.tsv").read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join([lines[0], *(f"v{line}" for line in lines[1:])]), encoding="utf-8")
    few = {**SMALL, "epochs": 1}
    model = theano_rnn.train([*data, table], task="tag", valid=valid[0], model=folder / "valid.npz", **few)
    assert model.training["history"][-1]["accuracy"] > 0.2


def test_a_resumed_run_ends_as_one_that_was_not_interrupted(tagger, folder, data):
    few = {**SMALL, "epochs": 2}
    theano_rnn.train(data, task="tag", model=folder / "resumed.npz", **few)
    theano_rnn.train(data, task="tag", model=folder / "resumed.npz", resume=True, epochs=SMALL["epochs"])
    assert (folder / "resumed.npz").read_bytes() == (folder / "tagger.npz").read_bytes()


@pytest.mark.slow
def test_recordings_are_classified_by_the_order_of_their_segments(folder, data):
    paths = [data[0], str(folder / "data" / "labels.tsv")]
    settings = {**SMALL, "epochs": 60}
    model = theano_rnn.train(paths, task="classify", model=folder / "classifier.npz", **settings)
    assert type(model) is RecordingClassifier and model.labels == ["even", "odd"]
    report = model.evaluate(paths)
    assert report.accuracy > 0.9
    [recordings] = model.open_inputs(data[:1])
    rows = list(model.results(recordings, PredictionOptions()))
    assert [row[0] for row in rows] == recordings.names
    assert [row[1] for row in rows] == model.predict([one.frames for one in recordings])
    many = list(model.results(recordings, PredictionOptions(probabilities=True)))
    assert model.result_columns(PredictionOptions(probabilities=True)) == ["name", "even", "odd"]
    np.testing.assert_allclose([max(row[1:]) for row in many], [row[2] for row in rows])
    again = theano_rnn.load(folder / "classifier.npz")
    frames = [one.frames for one in recordings]
    np.testing.assert_array_equal(again.probabilities(frames), model.probabilities(frames))
    louder = [one + np.float32(2) for one in frames]
    np.testing.assert_allclose(again.probabilities(louder), again.probabilities(frames), atol=1e-4)
    assert again.probabilities([]).shape == (0, 2)
    with pytest.raises(ArgumentValueError, match="recordings: expected at least one frame in each, got none"):
        again.probabilities([np.zeros((0, 2))])
    with pytest.raises(OptionError, match="html: has no effect"):
        again.result_columns(PredictionOptions(page=True))


def test_a_linear_classifier_is_measured_on_the_item_that_it_has_not_seen():
    generator = np.random.default_rng(5)
    vectors = generator.normal(size=(30, 4)) * [1, 9, 1, 0]
    labels = np.digitize(vectors[:, 0] + generator.normal(size=30) / 2, [-0.5, 0.5])
    x = (vectors - vectors.mean(axis=0)) / np.where(vectors.std(axis=0) > 0, vectors.std(axis=0), 1)
    x, targets = np.column_stack([x, np.ones(30)]), np.eye(3)[labels]
    hits = 0
    for i in range(30):
        others = np.delete(x, i, axis=0)
        right = np.delete(targets, i, axis=0) - targets.mean(axis=0)
        weights = np.linalg.solve(others.T @ others + np.diag([4, 4, 4, 4, 0]), others.T @ right)
        hits += int((x[i] @ weights).argmax() == labels[i])
    assert linear_accuracy(vectors, labels) == hits / 30


def test_recordings_are_centered_unless_their_means_tell_the_label():
    generator = np.random.default_rng(6)
    labels = np.arange(60) % 3
    rises = (np.arange(3) - 1)[labels]
    words, speakers = [], []
    for label, rise in zip(labels, rises, strict=True):
        frames = generator.normal(size=(generator.integers(1, 40), 2))
        words.append(frames * 0.1 + np.linspace(-1, 1, len(frames))[:, None] * rise + generator.normal(size=2) * 3)
        speakers.append(frames + [5 * label, 0])
    assert not labels_need_means(words, labels) and labels_need_means(speakers, labels)


def test_two_models_are_averaged(tagger, data):
    other = FrameTagger(Reader(tagger.reader.settings, seed=9), LABELS, tagger.frames, tagger.counts)
    [recordings] = tagger.open_inputs(data[:1])
    frames = [one.frames for one in recordings][:3]
    both = tagger.averaged_with([other]).probabilities(frames)
    for found, one, two in zip(both, tagger.probabilities(frames), other.probabilities(frames), strict=True):
        np.testing.assert_allclose(found, (one + two) / 2)
    shifted = FrameInput(tagger.frames.mean, tagger.frames.deviation, shift=0.02)
    stranger = FrameTagger(Reader(tagger.reader.settings, seed=9), LABELS, shifted, tagger.counts)
    with pytest.raises(ArgumentValueError, match="others: expected models that read the same features"):
        tagger.averaged_with([stranger])


# Wrong use


@pytest.mark.parametrize(
    "frames, error, message",
    [
        (np.zeros((3, 4)), ArgumentValueError, r"frames: expected arrays \(frames, 2\), got shape \(3, 4\)"),
        (np.zeros(3), ArgumentValueError, r"frames: expected arrays \(frames, 2\), got shape \(3,\)"),
        ([[0, np.nan]], ArgumentValueError, "frames: expected finite numbers, got NaN"),
        ([["a", "b"]], ArgumentTypeError, "frames: expected an array of numbers"),
    ],
)
def test_wrong_frames_are_rejected(frames, error, message):
    with pytest.raises(error, match=message):
        untrained().probabilities([frames])


def test_wrong_parts_of_a_model_are_rejected():
    settings = ReaderSettings(labels=3, frame_dim=2, hidden_dim=4, head="steps")
    counts = SegmentCounts.of([[0, 1]], 2)
    with pytest.raises(ArgumentValueError, match="counts: expected 3 labels, got 2"):
        FrameTagger(Reader(settings, seed=1), LABELS, FrameInput([0, 0], [1, 1]), counts)
    with pytest.raises(ArgumentValueError, match="frames: expected 2 features, got 1"):
        FrameTagger(Reader(settings, seed=1), LABELS, FrameInput([0], [1]), counts)
    with pytest.raises(ArgumentValueError, match="deviation: expected as many as means, at least 1, got 2 and 1"):
        FrameInput([0, 0], [1])
    with pytest.raises(ArgumentValueError, match="deviation: expected"):
        FrameInput([0], [0])
    with pytest.raises(ArgumentValueError, match="recordings: expected at least one, got none"):
        FrameInput.of([])
    with pytest.raises(ArgumentTypeError, match="is_centered: expected"):
        FrameInput([0], [1], is_centered="yes")
    with pytest.raises(ArgumentValueError, match="loudness: expected a quiet and a loud sound, got 9 and 3"):
        FrameInput([0], [1], features=FeatureSettings(), loudness=[9, 3])
    with pytest.raises(ArgumentValueError, match="loudness: expected a quiet and a loud sound, got no `features`"):
        FrameInput([0], [1], loudness=[3, 9])


def test_options_without_effect_are_rejected(tagger, data):
    with pytest.raises(OptionError, match="vocabulary_size: has no effect with `task=tag` on recordings"):
        theano_rnn.train(data, task="tag", vocabulary_size=100)
    with pytest.raises(OptionError, match="nbest: has no effect"):
        tagger.result_columns(PredictionOptions(nbest=2))
    with pytest.raises(OptionError, match="column: has no effect with a model for the task 'tag-frames'"):
        tagger.evaluate(data, column="x")
    with pytest.raises(OptionError, match="files: recordings are read from"):
        list(tagger.open_inputs([]))


def changed(folder, name, lines):
    """The table of the segments with other lines."""
    path = folder / f"{name}.tsv"
    path.write_text("name\tstart\tend\tlabel\n" + "\n".join(lines), encoding="utf-8")
    return str(path)


def test_wrong_labels_are_rejected(tagger, folder, data):
    lines = (folder / "data" / "segments.tsv").read_text(encoding="utf-8").splitlines()[1:]
    unknown = changed(folder, "unknown", [lines[0].replace("sil", "new"), *lines[1:]])
    with pytest.raises(CorpusError, match="unknown.tsv, line 2: the label 'new' does not occur in training; its"):
        tagger.evaluate([data[0], unknown])
    missing = changed(folder, "missing", [line for line in lines if not line.startswith("r03")])
    with pytest.raises(CorpusError, match="frames.npz: there are no segments of the recording r03"):
        theano_rnn.train([data[0], missing], task="tag", model=folder / "x.npz")
    single = changed(folder, "single", [line.rpartition("\t")[0] + "\ta" for line in lines])
    with pytest.raises(CorpusError, match="there must be at least two labels of segments to learn; found only 'a'"):
        theano_rnn.train([data[0], single], task="tag", model=folder / "x.npz")
    gap = changed(folder, "gap", [*lines[:2], *lines[4:]])
    with pytest.raises(CorpusError, match="gap.tsv, line 2: no segment of r00 covers the time 0"):
        tagger.evaluate([data[0], gap])
    labels = folder / "few.tsv"
    labels.write_text("name\tlabel\nr00\tx\nr01\ty\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="frames.npz: the recording r02 has no label; name a table with one"):
        theano_rnn.train([data[0], str(labels)], task="classify", model=folder / "x.npz")
    labels.write_text("name\tlabel\nr00\tx\nr01\tx\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="at least two labels to learn from; found only 'x'"):
        theano_rnn.train([data[0], str(labels)], task="classify", model=folder / "x.npz")


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.pop("frames"),
        lambda one: one.pop("segments"),
        lambda one: one["frames"].update(mean=[0]),
        lambda one: one["frames"].update(deviation=["x", "y"]),
        lambda one: one["segments"].update(minimum=[0, 1, 1]),
    ],
)
def test_damaged_model_files_are_rejected(tagger, tmp_path, change, monkeypatch):
    original = FrameTagger.more_configuration

    def damaged(self):
        configuration = original(self)
        change(configuration)
        return configuration

    monkeypatch.setattr(FrameTagger, "more_configuration", damaged)
    tagger.save(tmp_path / "damaged.npz")
    with pytest.raises(ModelFileError, match="damaged or inconsistent"):
        theano_rnn.load(tmp_path / "damaged.npz")
