"""What a translator writes and how it scores given translations; its file and its copies."""

import copy
import io
import itertools
import pickle

import numpy as np
import pytest
from support.translations import PAIRS

import theano_rnn
from theano_rnn.decoders.writer_settings import Source
from theano_rnn.errors import ArgumentTypeError, ArgumentValueError, CorpusError, ModelFileError, OptionError
from theano_rnn.files.archive import read_archive, read_document, write_archive
from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.tasks.classifier import Classifier
from theano_rnn.tasks.task import PredictionOptions
from theano_rnn.text.vocabulary import UNKNOWN_TOKEN
from theano_rnn.writing.translator import Translator
from theano_rnn.writing.writer_model import Search

SOURCES = [source for source, _ in PAIRS]
TARGETS = [target for _, target in PAIRS]


def rows(model, text, **options):
    """The rows of results for the lines of a text."""
    (reader,) = model.open_inputs([], io.BytesIO(text.encode()))
    return [list(row) for row in model.results(reader, PredictionOptions(**options))]


# Translations


def test_each_sentence_gives_one_translation_and_a_blank_one_an_empty_translation(trained, without_attention):
    for model in (trained, without_attention):
        found = model.translate(["The dog sees the cat.", "", " \t", "zebra", "☃ the"], beam=2)
        assert len(found) == 5 and found[1] == found[2] == "" and all(isinstance(one, str) for one in found)
        assert model.translate([]) == [] and model.predict == model.translate


@pytest.mark.parametrize("others", [[], pytest.param(SOURCES * 2, marks=pytest.mark.slow)])
def test_a_translation_is_the_same_alone_and_among_others(trained, others):
    texts = [*SOURCES[:2], "", "dog .", *others]  # with others, more than one minibatch
    search = Search(2, max_length=9)
    together = trained.hypotheses(texts, search)
    assert len(together) == len(texts)
    for i in (0, 2, 3, len(texts) - 1):
        (alone,) = trained.hypotheses([texts[i]], search)
        assert [one.text for one in alone] == [one.text for one in together[i]]
        np.testing.assert_allclose(
            [one.log_probability for one in alone], [one.log_probability for one in together[i]], atol=1e-4
        )


def test_the_probability_of_a_translation_is_that_of_scoring_it(trained):
    for text, found in zip(SOURCES[:5], trained.hypotheses(SOURCES[:5], Search(2, 0.7)), strict=True):
        for one in found:
            assert UNKNOWN_TOKEN not in one.tokens
            n = len(one.tokens) + 1
            assert one.score == pytest.approx(one.log_probability / n**0.7)
            assert trained.score([text], [one.text])[0] == pytest.approx(one.log_probability, abs=1e-4)
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_a_translation_has_at_most_max_length_tokens(trained):
    for longest in (1, 3):
        found = trained.hypotheses(SOURCES[:3], Search(2, max_length=longest))
        assert max(len(one.tokens) for best in found for one in best) == longest


@pytest.fixture
def fond_of_unknown(trained):
    """The translator, to which the unknown word is the most probable one."""
    model = copy.deepcopy(trained)
    values = model.writer.get_values()
    values["c"][model.target.vocabulary.unknown] += 20
    model.writer.set_values(values)
    return model


def test_an_unknown_word_becomes_the_source_word_with_the_highest_attention(fond_of_unknown):
    source = "the dog sees zebra ."
    ((one, *_),) = fond_of_unknown.hypotheses([source], Search(1, max_length=3), keep_weights=True)
    words = source.split()
    assert one.tokens == [words[row[:5].argmax()] for row in one.weights[:3]]
    assert fond_of_unknown.translate(["zebra"], beam=1)[0].split()[0] == "zebra"


def test_unknown_words_can_be_kept(fond_of_unknown):
    ((one, *_),) = fond_of_unknown.hypotheses(["The dog."], Search(1, max_length=3, keep_unknown=True))
    assert one.tokens == [UNKNOWN_TOKEN] * 3 and UNKNOWN_TOKEN in one.text


def test_a_model_without_attention_writes_no_unknown_word_unless_it_is_kept(without_attention):
    model = copy.deepcopy(without_attention)
    values = model.writer.get_values()
    values["c"][model.target.vocabulary.unknown] += 20
    model.writer.set_values(values)
    found = model.hypotheses(["one two", "zebra"], Search(2, max_length=3))
    assert not any(UNKNOWN_TOKEN in one.tokens for best in found for one in best)
    kept = model.hypotheses(["one two"], Search(2, max_length=3, keep_unknown=True))
    assert kept[0][0].tokens == [UNKNOWN_TOKEN] * 3


# Scores


def test_a_score_is_the_sum_of_the_network_s_log_probabilities(trained):
    source, target = "The dog sees the cat.", "la zebra kat."
    ids, y = trained.source.source_ids(source), trained.target.target_ids(target)
    assert trained.target.vocabulary.unknown in y
    x = Source(ids[:, None], np.array([len(ids)], np.int32), None)
    found = trained.writer.log_probabilities(x, y[:-1, None], y[1:, None], np.array([len(y) - 1], np.int32))
    scores = trained.score([source, SOURCES[1]], [target, TARGETS[1]])
    assert scores.shape == (2,) and scores.dtype == np.float64
    assert scores[0] == pytest.approx(found.sum(), abs=1e-4)


def test_scores_of_nothing(trained):
    assert trained.score([], []).shape == (0,)
    blank = trained.score(["", "The dog."], ["", ""])
    assert np.isfinite(blank).all() and (blank < 0).all()
    assert trained.rank("The dog.", []) == []


def test_scores_are_the_same_alone_and_among_others(trained):
    together = trained.score(SOURCES * 2, TARGETS * 2)
    np.testing.assert_allclose(together[:27], together[-27:], atol=1e-5)
    assert trained.score(SOURCES[3:4], TARGETS[3:4])[0] == pytest.approx(together[3], abs=1e-4)


def test_ranking_sorts_given_translations_by_their_scores(trained):
    targets = [TARGETS[9], "la la la.", TARGETS[0], "☃ ☃ ☃ ☃ ☃"]
    found = trained.rank(SOURCES[0], targets)
    assert sorted(text for text, _ in found) == sorted(targets)
    expected = trained.score([SOURCES[0]] * 4, [text for text, _ in found])
    np.testing.assert_allclose([score for _, score in found], expected, atol=1e-5)
    assert (np.diff([score for _, score in found]) <= 0).all() and found[0][0] != "la la la."


@pytest.mark.parametrize("texts", ["one text", b"bytes", None, [1], ["a", None]])
def test_what_is_no_sequence_of_texts_is_rejected(trained, texts):
    with pytest.raises(ArgumentTypeError, match="texts: expected a sequence of str, got "):
        trained.translate(texts)
    with pytest.raises(ArgumentTypeError, match="sources: expected a sequence of str, got "):
        trained.score(texts, ["a"])
    with pytest.raises(ArgumentTypeError, match="targets: expected a sequence of str, got "):
        trained.score(["a"], texts)


@pytest.mark.parametrize(
    "use, message",
    [
        (lambda model: model.score(["a", "b"], ["c"]), "targets: expected 2, one for each source, got 1"),
        (lambda model: model.translate(["a"], beam=0), "beam: expected at least 1, got 0"),
        (lambda model: model.translate(["a"], length_penalty=-1.0), "length_penalty: expected .*, got -1.0"),
        (lambda model: model.translate(["a"], length_penalty=float("nan")), "length_penalty: expected .*, got nan"),
        (lambda model: Search(max_length=0), "max_length: expected at least 1, got 0"),
        (lambda model: Search.chosen(PredictionOptions(beam=0)), "beam: expected at least 1, got 0"),
        (lambda model: Search.chosen(PredictionOptions(beam=2, nbest=3)), r"nbest: expected at most `beam` \(2\), got"),
        (lambda model: model.result_columns(PredictionOptions(beam=2, nbest=3)), "nbest: expected at most `beam`"),
    ],
)
def test_wrong_arguments_are_rejected(trained, use, message):
    with pytest.raises(ArgumentValueError, match=message):
        use(trained)


def test_a_network_needs_as_many_tokens_as_the_vocabularies(trained, without_attention):
    with pytest.raises(ArgumentValueError, match="target: expected 6 tokens, got "):
        Translator(without_attention.writer, without_attention.source, trained.target)
    with pytest.raises(ArgumentValueError, match="source: expected 6 tokens, got "):
        Translator(without_attention.writer, trained.source, without_attention.target)


def test_a_beam_is_as_wide_as_the_number_of_translations_unless_it_is_given():
    assert [Search.chosen(PredictionOptions(nbest=n)).beam for n in (None, 3, 9)] == [5, 5, 9]


# Rows of results


def test_one_line_gives_one_row(trained):
    text = f"{SOURCES[0]}\n\n{SOURCES[5]}\n"
    first, last = trained.translate([SOURCES[0], SOURCES[5]], beam=2)
    assert rows(trained, text, beam=2) == [[first], [""], [last]]


def test_scores_and_several_translations_have_columns_of_their_own(trained):
    assert trained.result_columns(PredictionOptions()) == ["translation"]
    assert trained.result_columns(PredictionOptions(scores=True)) == ["score", "log_probability", "translation"]
    columns = ["line", "rank", "score", "log_probability", "translation"]
    assert trained.result_columns(PredictionOptions(nbest=1)) == columns
    (one,) = rows(trained, SOURCES[0], scores=True, beam=2)
    found = rows(trained, f"{SOURCES[0]}\n\n{SOURCES[1]}\n", nbest=2, beam=2)
    assert [row[:2] for row in found] == [[1, 1], [1, 2], [2, 1], [3, 1], [3, 2]]
    assert found[0][4] == one[2]
    assert found[0][2] == pytest.approx(one[0], abs=1e-4) and found[0][2] >= found[1][2]
    assert found[2][4] == ""


def test_lines_with_tabs_are_ranked(trained):
    text = f"{SOURCES[0]}\tla la.\t{TARGETS[0]}\n{SOURCES[1]}\n{SOURCES[2]}\t{TARGETS[2]}\n"
    found = rows(trained, text, nbest=1, beam=2, length_penalty=0.5)
    ranked = trained.rank(SOURCES[0], ["la la.", TARGETS[0]])
    assert [row[:2] for row in found] == [[1, 1], [1, 2], [2, 1], [3, 1]]
    assert [row[4] for row in found[:2]] == [one for one, _ in ranked] and found[3][4] == TARGETS[2]
    for row, (one, log_p) in zip(found, ranked, strict=False):
        assert row[3] == pytest.approx(log_p, abs=1e-4)
        assert row[2] == pytest.approx(log_p / (len(trained.target.tokens(one)) + 1) ** 0.5, abs=1e-4)
    assert rows(trained, text, beam=2)[2] == [found[2][4]]


@pytest.mark.parametrize(
    "line, message",
    [
        ("dog " * 5000, "standard input, line 2: a sentence has 5,000 tokens, and the most is 1,000; split it"),
        ("dog " * 5000 + "\thund", "standard input, line 2: a sentence has 5,000 tokens"),
        ("dog\t" + "hund " * 5000, "standard input, line 2: a sentence has 5,000 tokens"),
        ("dog\t", "standard input, line 2: expected a source and a translation after each tab, got an empty one"),
        ("\thund", "standard input, line 2: expected a source and a translation after each tab"),
    ],
)
def test_lines_that_cannot_be_translated_are_named(trained, line, message):
    with pytest.raises(CorpusError, match=message):
        rows(trained, f"The dog.\n{line}\n", beam=2)


def test_a_column_of_a_table_is_translated(trained, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(f"id,text\n1,{SOURCES[0]}\n", "utf-8")
    expected = [trained.translate([SOURCES[0]], beam=2)]
    for column in ("text", None):
        (reader,) = trained.open_inputs([str(path)], column=column)
        assert list(map(list, trained.results(reader, PredictionOptions(beam=2)))) == expected


def test_probabilities_and_averages_have_no_effect(trained):
    with pytest.raises(OptionError, match="probabilities: has no effect with a model for the task 'translate'"):
        trained.result_columns(PredictionOptions(probabilities=True))
    with pytest.raises(OptionError, match="model: probabilities of several models for the task 'translate' cannot be"):
        trained.averaged_with([trained])


# Evaluation


def test_an_evaluation_compares_translations_and_measures_given_ones(trained, table):
    metrics = pytest.importorskip("sacrebleu.metrics")
    report = trained.evaluate([str(table)], options=PredictionOptions(beam=2))
    bleu = metrics.BLEU(lowercase=True, force=True).corpus_score(trained.translate(SOURCES, beam=2), [TARGETS])
    assert report.bleu == pytest.approx(bleu.score) and report.number == 27
    tokens = sum(len(trained.target.tokens(target)) + 1 for target in TARGETS)
    assert report.tokens == tokens
    assert report.loss == pytest.approx(-trained.score(SOURCES, TARGETS).sum() / tokens, rel=1e-5)
    assert report.perplexity == pytest.approx(np.exp(report.loss))


def test_an_evaluation_needs_pairs_and_takes_no_column(trained, tmp_path):
    pytest.importorskip("sacrebleu")
    with pytest.raises(CorpusError, match="there are no translations to evaluate"):
        trained.evaluate([], standard_input=io.BytesIO(b"\n"))
    with pytest.raises(CorpusError, match="standard input, line 1: there is only one column"):
        trained.evaluate([], standard_input=io.BytesIO(b"The dog.\n"))
    with pytest.raises(CorpusError, match="standard input, line 1: a sentence has "):
        trained.evaluate([], standard_input=io.BytesIO(b"dog " * 5000 + b"\thund\n"))
    with pytest.raises(OptionError, match="column: an evaluation reads a source, a tab and its target"):
        trained.evaluate([], column="text")


# Files


def test_a_model_is_loaded_as_it_was_saved(trained, without_attention, folder, tmp_path):
    for model, name in ((trained, "unbroken.npz"), (without_attention, "plain.npz")):
        other = theano_rnn.load(folder / name)
        assert type(other) is Translator and repr(other) == repr(model) and other.training == model.training
        assert other.translate(SOURCES[:3], beam=2) == model.translate(SOURCES[:3], beam=2)
        other.save(tmp_path / name)
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize("copied", [lambda model: pickle.loads(pickle.dumps(model)), copy.deepcopy])
def test_a_copy_translates_the_same(trained, copied):
    other = copied(trained)
    assert other.writer is not trained.writer
    assert other.translate(SOURCES[:3], beam=2) == trained.translate(SOURCES[:3], beam=2)
    np.testing.assert_array_equal(other.score(SOURCES, TARGETS), trained.score(SOURCES, TARGETS))


def test_a_model_of_one_task_is_not_taken_for_another(trained, folder):
    path = folder / "unbroken.npz"
    for use, task in (
        (LanguageModel.load, "language-model"),
        (Classifier.load, "classify"),
        (lambda one: theano_rnn.score(one, "A."), "language-model"),
    ):
        with pytest.raises(ModelFileError, match=f"unbroken.npz: is a model for the task 'translate', not '{task}'"):
            use(path)


def changed(path, target, change=lambda configuration: None, arrays=lambda values: None):
    """Write a model file with another configuration or other arrays."""
    entries = read_archive(path)
    configuration = read_document("m", entries, "configuration")
    values = {name: value for name, value in entries.items() if name != "configuration"}
    change(configuration)
    arrays(values)
    write_archive(target, values, {"configuration": configuration})
    return target


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda c: c.pop("writer"), "damaged or inconsistent: 'writer'"),
        (lambda c: c.update(writer=5), "damaged or inconsistent"),
        (lambda c: c["writer"].update(words=9), "V: expected shape"),
        (lambda c: c["writer"].update(hidden_dim=10**9), "expected shape"),
        (lambda c: c["writer"].update(wings=2), "damaged or inconsistent: .*wings"),
        (lambda c: c["writer"].update(attention=True), "missing|A"),
        (lambda c: c["writer"].update(cell="hexagonal"), "cell: expected"),
        (lambda c: c.update(training=[]), "training: expected a dict, got list"),
        (lambda c: c.pop("source"), "damaged or inconsistent: 'source'"),
        (lambda c: c.update(target=[]), "expected a vocabulary as a dict, got list"),
        (lambda c: c["source"].pop("vocabulary"), "damaged or inconsistent: 'vocabulary'"),
        (lambda c: c["source"].update(subwords={"model": {}}), "subwords"),
        (lambda c: c["target"]["vocabulary"]["words"].pop(), "target: expected 6 tokens, got 5"),
        (lambda c: c["source"]["vocabulary"]["words"].append("x"), "source: expected 6 tokens, got 7"),
        (lambda c: c.update(task="sing"), "is a model for the unknown task 'sing'"),
        (lambda c: c.update(task="classify"), "contains no vocabulary"),
    ],
)
def test_damaged_files_are_rejected_in_one_line(without_attention, folder, tmp_path, change, message):
    if message == "subwords":
        pytest.importorskip("tokenizers")
    path = changed(folder / "plain.npz", tmp_path / "m.npz", change)
    with pytest.raises(ModelFileError, match=message) as error:
        load(path)
    assert "\n" not in str(error.value)


def test_files_with_other_arrays_are_rejected(without_attention, folder, tmp_path):
    changes = {
        "contains entries that no model has: x": lambda values: values.update(x=np.zeros(2)),
        "U_source": lambda values: values.pop("U_source"),
        "c": lambda values: values.update(c=values["c"] * np.nan),
    }
    for message, change in changes.items():
        path = changed(folder / "plain.npz", tmp_path / "m.npz", arrays=change)
        with pytest.raises(ModelFileError, match=message):
            load(path)


def test_every_truncation_of_a_file_is_rejected(without_attention, folder, tmp_path):
    data = (folder / "plain.npz").read_bytes()
    for size in itertools.chain(range(0, len(data), 997), [len(data) - 1]):
        (tmp_path / "m.npz").write_bytes(data[:size])
        with pytest.raises(ModelFileError, match=r"m\.npz"):
            load(tmp_path / "m.npz")
