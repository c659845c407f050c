"""Texts of several sentences are scored as the model was trained, from Python and from the shell."""

import io
import json
import random
from pathlib import Path

import numpy as np
import pytest
from support.script_modules import script
from support.training_runs import share_compiled

import theano_rnn
import theano_rnn.training.reporter
from theano_rnn.engines.engine import precision
from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import SENTENCE_END, Vocabulary

WORDS = "he she came left . dr. lee u.s. late ?".split()
TEXT = "He came. She left? Dr. Lee came late. He left the U.S."
SENTENCES = ["He came.", "She left?", "Dr. Lee came late.", "He left the U.S."]


def make(**tokenizer):
    with precision("float64"):
        vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", *WORDS])
        return LanguageModel(RNN(len(vocabulary), 5, seed=3), vocabulary, Tokenizer(**tokenizer))


@pytest.fixture(scope="module")
def lm():
    return make()


def test_the_score_of_a_text_is_the_sum_over_its_sentences(lm):
    assert lm.split(TEXT) == SENTENCES
    assert lm.score(TEXT) == pytest.approx(lm.score(SENTENCES).sum(), abs=1e-12)
    assert lm.score([TEXT, ""])[1] == lm.score("")
    scored = lm.word_scores(TEXT)
    assert scored == [row for sentence in SENTENCES for row in lm.word_scores(sentence)]
    assert [token for token, _, _ in scored].count(SENTENCE_END) == 4
    assert lm.perplexity(TEXT) == pytest.approx(lm.perplexity(SENTENCES), abs=1e-12)
    assert lm.score(TEXT, base=2) == pytest.approx(lm.score(TEXT) / np.log(2), abs=1e-12)


def test_split_false_scores_a_text_as_one_sentence(lm):
    tokens = [token for sentence in SENTENCES for token in lm.tokenize(sentence)]
    state, total = lm.state(), 0.0
    for token in [*tokens, SENTENCE_END]:
        state, value = lm.advance(state, token)
        total += value
    assert lm.score(TEXT, split=False) == pytest.approx(total, abs=1e-12)
    assert [token for token, _, _ in lm.word_scores(TEXT, split=False)] == [*tokens, SENTENCE_END]
    assert lm.score(TEXT, split=False) != pytest.approx(lm.score(TEXT), abs=1e-3)
    assert lm.score(TEXT, split=True) == lm.score(TEXT)
    assert lm.perplexity([TEXT], split=False) == pytest.approx(np.exp(-total / (len(tokens) + 1)), abs=1e-9)


def test_a_full_stop_does_not_make_a_word_unknown(lm):
    for split in (True, False):
        assert [(token, known) for token, _, known in lm.word_scores("Dr. Lee came. She", split=split)][:4] == [
            ("dr.", True), ("lee", True), ("came", True), (".", True),
        ]  # fmt: skip


@pytest.mark.parametrize("how", [{"lines": True}, {"tokenized": True}], ids=str)
def test_models_trained_on_lines_never_split_texts(how):
    lm = make(**how)
    assert lm.split(TEXT) == [TEXT]
    assert [token for token, _, _ in lm.word_scores(TEXT)].count(SENTENCE_END) == 1
    assert lm.score(TEXT) == lm.score(TEXT, split=False)
    with pytest.raises(ValueError, match="^split: this model reads each line as one sentence"):
        lm.score(TEXT, split=True)


@pytest.mark.parametrize("split", ["yes", 1, 0])
def test_split_must_be_true_false_or_none(lm, split):
    with pytest.raises(TypeError, match=f"^split: expected True, False or None, got {split!r}"):
        lm.score(TEXT, split=split)


def test_an_old_model_file_is_split_and_tokenized_as_before():
    lm = load(Path(__file__).parents[1].joinpath("support", "saved_by_pytensor.npz"))
    assert lm.tokenizer.abbreviations is None and lm.tokenizer.splits_sentences
    assert lm.score("The dog sees. The cat sees.") == pytest.approx(
        lm.score(["The dog sees.", "The cat sees."]).sum(), abs=1e-6
    )
    assert lm.tokenize("the dog. the") == ["the", "dog.", "the"]


# From the shell


@pytest.fixture
def run(lm, tmp_path, monkeypatch, capsys):
    def run(*arguments, model=lm, text=None):
        path = tmp_path / "rnn.npz"
        model.save(path)
        monkeypatch.setattr(LanguageModel, "load", lambda place: model)
        if text is not None:
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))
        try:
            status = script("score").main(["--model", str(path), *map(str, arguments)])
        except SystemExit as error:
            status = error.code
        return status, *capsys.readouterr()

    return run


def generated_lines(number):
    generator = random.Random(5)
    lines = [" ".join(generator.choices(SENTENCES, k=generator.randint(1, 4))) for _ in range(number)]
    return [line if generator.random() < 0.9 else "" for line in lines]


@pytest.mark.parametrize("arguments", [(), ("--no-split",)], ids=str)
def test_score_script_and_python_agree_in_every_digit(lm, run, arguments):
    lines = generated_lines(60)
    status, out, err = run(*arguments, text="\n".join(lines) + "\n")
    rows = [line.split("\t") for line in out.splitlines()]
    split = False if arguments else None
    assert status == 0 and [row[4] for row in rows] == lines
    assert [row[0] for row in rows] == [f"{value:.6f}" for value in lm.score(lines, split=split)]
    assert [int(row[1]) for row in rows] == [len(lm.word_scores(line, split=split)) for line in lines]
    sentences = sum(len(lm.split(line, split)) for line in lines)
    assert f"{sentences} sentences" in err and f"perplexity {lm.perplexity(lines, split):.4f} per token" in err


def test_tokens_of_all_sentences_of_a_line_are_shown(lm, run):
    status, out, _ = run("--words", text=TEXT + "\n")
    expected = [
        f"{value:.6f}\t{'known' if known else 'unknown'}\t{token}" for token, value, known in lm.word_scores(TEXT)
    ]
    assert status == 0 and out.splitlines() == expected
    _, out, _ = run("--words", "--format", "json", text=TEXT + "\n")
    document = json.loads(out)
    assert document["sentence"] == TEXT and document["log_probability"] == pytest.approx(lm.score(TEXT))
    assert [one["token"] for one in document["words"]] == [token for token, _, _ in lm.word_scores(TEXT)]


def test_srilm_shows_each_sentence(run):
    _, out, _ = run("--format", "srilm", text=TEXT + "\n\n")
    assert out.count("1 sentences, ") == 4 and "file -: 4 sentences, 15 words" in out


def test_pages_show_each_sentence(run, tmp_path):
    page = tmp_path / "a.html"
    status, _, err = run("--html", page, text=TEXT + "\n")
    assert status == 0 and page.read_text(encoding="utf-8").count('<div class="s"') == 4, err


def test_lines_of_nbest_lists_and_mixtures_are_one_sentence(lm, run, tmp_path):
    _, out, _ = run("--nbest", text=f"a\t{TEXT}\n")
    assert out == f"a\t{TEXT}\t{lm.score(TEXT, split=False):.6f}\n"
    other = tmp_path / "other.txt"
    other.write_text("\n".join(["-1.0"] * len(lm.word_scores(TEXT, split=False))) + "\n", encoding="utf-8")
    status, out, err = run("--mix", other, "--lambda", "1", text=TEXT + "\n")
    assert status == 0, err
    assert out.split("\t")[0] == f"{lm.score(TEXT, split=False):.6f}"


@pytest.mark.slow
def test_a_model_file_records_how_its_text_was_read(tmp_path, monkeypatch):
    share_compiled(monkeypatch)
    data, model = tmp_path / "a.txt", tmp_path / "m.npz"
    data.write_text("He came. She left.\nA sp. nigra grew. The sp. alba and sp. nova too.\n" * 20, encoding="utf-8")
    settings = {"hidden_dim": 4, "epochs": 1, "valid_fraction": 0, "model": model, "overwrite": True, "sample_every": 0}
    for how, splits, abbreviations in (
        ({}, True, ("sp",)),
        ({"lines": True}, False, ("sp",)),
        ({"tokenized": True}, False, ()),
    ):
        for _ in range(2):  # the second time from the cache of encoded text
            trained = theano_rnn.train(data, **settings, **how)
            for one in (trained, load(model)):
                assert one.tokenizer.splits_sentences is splits
                assert one.tokenizer.abbreviations == abbreviations


@pytest.mark.slow
def test_csv_cells_are_separate_items(tmp_path, monkeypatch):
    share_compiled(monkeypatch)
    data = tmp_path / "poem.csv"
    data.write_text('body\n"roses sleep\nrivers keep. so"\nthe night is deep\n', encoding="utf-8")
    settings = {"hidden_dim": 4, "epochs": 1, "valid_fraction": 0, "sample_every": 0}
    for how in ({"lines": True}, {"tokenized": True}):
        notes = []
        reporter = theano_rnn.training.reporter.Reporter()
        reporter.note = notes.append
        theano_rnn.train(data, model=tmp_path / f"{list(how)[0]}.npz", reporter=reporter, **settings, **how)
        assert any(note.startswith("training on 2 sentences") for note in notes), notes
