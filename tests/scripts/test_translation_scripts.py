"""train.py and predict.py on translations as a user runs them, and one line for wrong use."""

import csv
import io
import json

import pytest
from support.script_modules import script
from support.training_runs import share_compiled_writers
from support.translations import PAIRS, write_pairs

from theano_rnn.decoders.writer import Writer
from theano_rnn.decoders.writer_settings import WriterSettings
from theano_rnn.encoders.reader import Reader
from theano_rnn.encoders.reader_graph import ReaderSettings
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN
from theano_rnn.tasks.classifier import Classifier
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary
from theano_rnn.writing.text_side import TextSide
from theano_rnn.writing.translator import Translator

predict, train = script("predict"), script("train")
LINES = [PAIRS[0][0], "", "The zebra <b>sees</b> the cat."]
TRAIN = (
    "--task translate --cell simple --hidden-dim 4 --embedding-dim 3 --min-count 1 --epochs 1 --batch-size 27 "
    "--valid-fraction 0 --sample-every 0"
).split()


@pytest.fixture(scope="module", autouse=True)
def compiled_once():
    with pytest.MonkeyPatch.context() as patch:
        share_compiled_writers(patch, {})
        yield


def new_translator(attention):
    tokenizer = Tokenizer(lines=True)
    sides = [TextSide.of([pair[i] for pair in PAIRS], tokenizer, 100, 1) for i in (0, 1)]
    sizes = {"words": len(sides[1].vocabulary), "source_words": len(sides[0].vocabulary)}
    settings = WriterSettings(**sizes, hidden_dim=4, embedding_dim=3, cell="simple", attention=attention)
    return Translator(Writer(settings, seed=2), *sides)


@pytest.fixture(scope="module")
def translator():
    return new_translator(attention=True)


@pytest.fixture(scope="module")
def folder(compiled_once, translator, tmp_path_factory):
    """Files: models of all kinds, lines to translate, and pairs."""
    folder = tmp_path_factory.mktemp("translations")
    translator.save(folder / "m.npz")
    new_translator(attention=False).save(folder / "plain.npz")
    vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "a"])
    reader = Reader(ReaderSettings(labels=2, embeddings=((4, 3),), hidden_dim=3, cell="simple"), seed=2)
    Classifier(reader, ["bad", "good"], vocabulary, Tokenizer(lines=True)).save(folder / "classifier.npz")
    LanguageModel(RNN(4, 3, seed=1), vocabulary, Tokenizer()).save(folder / "lm.npz")
    write_pairs(folder / "lines.txt", LINES)
    write_pairs(folder / "pairs.tsv")
    write_pairs(folder / "long.txt", ["The dog.", "dog " * 5000])
    return folder


@pytest.fixture(autouse=True)
def inside(folder, monkeypatch):
    monkeypatch.chdir(folder)


def run(command, *arguments):
    try:
        return command.main([str(argument) for argument in arguments])
    except SystemExit as error:
        return error.code


def out_of(capsys, *arguments):
    assert run(predict, "--model", "m.npz", "--beam", 2, *arguments) == 0
    return capsys.readouterr().out


def error_of(capsys, status):
    assert status == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and "Traceback" not in err
    return err


# train.py


@pytest.mark.slow
def test_a_model_is_trained_with_a_text_of_targets_and_translates(capsys, tmp_path):
    source = write_pairs(tmp_path / "a.en", [one for one, _ in PAIRS])
    target = write_pairs(tmp_path / "a.fr", [two for _, two in PAIRS])
    model = tmp_path / "m.npz"
    given = ["--data", source, "--target", target, "--model", model, "--no-attention", "--no-bidirectional"]
    assert run(train, *TRAIN, *given, "--shared-vocabulary", "--no-tied") == 0
    assert "27 pairs; vocabularies of 18 and 18 tokens" in capsys.readouterr().err
    settings = Translator.load(model).writer.settings
    assert (settings.attention, settings.bidirectional, settings.tied, settings.shared) == (False, False, False, True)
    assert settings.repeats_z
    assert run(predict, "--model", model, "--beam", 1, "lines.txt") == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_the_defaults_are_the_sample_and_a_bidirectional_network_with_attention(monkeypatch):
    given = {}
    monkeypatch.setattr(
        "theano_rnn.training.train_model.train", lambda data, **options: given.update(data=data, **options)
    )
    assert train.main(["--task", "translate"]) == 0
    assert given["data"][0].replace("\\", "/").endswith("data/translations.tsv")
    assert not {"attention", "tied", "bidirectional", "shared_vocabulary"} & given.keys()
    assert train.main(["--task", "translate", "--tied", "--attention", "--subwords", "99"]) == 0
    assert (given["tied"], given["attention"], given["subwords"]) == (True, True, 99)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--task", "translate", "--pooling", "max"], "--pooling: has no effect with --task translate"),
        (["--task", "classify", "--no-attention"], "--attention: has no effect with --task classify"),
        (
            ["--task", "translate", "--repeat-source"],
            "--repeat-source: has no effect with --attention; leave it",
        ),
        (["--repeat-source"], "--repeat-source: has no effect with --task language-model"),
        (["--shared-vocabulary"], "--shared-vocabulary: has no effect with --task language-model"),
        (["--task", "translate", "--subwords", "99", "--min-count", "1"], "--min-count: has no effect with --subwords"),
        (["--task", "translate", "--subwords", "3"], "--subwords: expected at least 10, got 3"),
        (["--task", "translate", "--data", "lines.txt"], "lines.txt, line 1: there is only one column; expected a"),
        (["--task", "translate", "--data", "none.tsv"], "none.tsv: "),
        (
            ["--task", "translate", "--data", "long.txt", "--target", "pairs.tsv"],
            "pairs.tsv has more lines than long.txt, which ends after line 2",
        ),
        (
            ["--task", "translate", "--data", "lines.txt", "lines.txt", "--target", "lines.txt"],
            "--target: belongs to one file of sources, got 2; name one with --data",
        ),
    ],
)
def test_wrong_use_of_training_is_one_line(capsys, tmp_path, arguments, message):
    data = [] if "--data" in arguments else ["--data", "pairs.tsv"]
    assert message in error_of(capsys, run(train, "--model", tmp_path / "m.npz", *data, *arguments))


# predict.py


def test_one_line_gives_one_line(translator, capsys, monkeypatch):
    out = out_of(capsys, "lines.txt")
    assert out.split("\n") == [*translator.translate(LINES, beam=2), ""] and out.splitlines()[1] == ""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\n".join(LINES).encode())))
    assert out_of(capsys) == out


def test_options_of_the_search_are_passed_on(translator, capsys):
    out = out_of(capsys, "--length-penalty", 0, "--max-length", 2, "--keep-unknown", "lines.txt")
    assert all(len(translator.target.tokens(line)) <= 2 for line in out.splitlines())
    assert out.splitlines()[0] != translator.translate(LINES[:1], beam=2)[0]


@pytest.mark.parametrize("form", ["tsv", "csv", "json"])
def test_scores_and_several_translations_have_columns(translator, capsys, form):
    out = out_of(capsys, "--nbest", 2, "--format", form, "lines.txt")
    names = ["line", "rank", "score", "log_probability", "translation"]
    if form == "json":
        rows = [json.loads(line) for line in out.splitlines()]
        assert list(rows[0]) == names
        rows = [[str(value) for value in row.values()] for row in rows]
    elif form == "csv":
        header, *rows = csv.reader(io.StringIO(out))
        assert header == names
    else:
        rows = [line.split("\t") for line in out.splitlines()]
    assert [row[:2] for row in rows] == [["1", "1"], ["1", "2"], ["2", "1"], ["3", "1"], ["3", "2"]]
    (line, *_) = out_of(capsys, "--scores", "lines.txt").splitlines()
    assert line.split("\t")[2] == rows[0][4] and float(line.split("\t")[0]) == pytest.approx(
        float(rows[0][2]), abs=1e-4
    )


def test_given_translations_are_ranked(translator, capsys, tmp_path):
    path = write_pairs(tmp_path / "t.tsv", [(PAIRS[0][0], "la.", PAIRS[0][1]), (PAIRS[1][0], "kat")])
    out = out_of(capsys, path).splitlines()
    assert out == [one for one, _ in translator.rank(PAIRS[0][0], ["la.", PAIRS[0][1]])] + ["kat"]


def test_an_evaluation_is_shown_as_text_or_json(translator, capsys):
    pytest.importorskip("sacrebleu")
    lines = out_of(capsys, "--evaluate", "pairs.tsv").splitlines()
    assert [line.split()[0] for line in lines] == ["BLEU", "chrF2", "perplexity"]
    figures = json.loads(out_of(capsys, "--evaluate", "--format", "json", "pairs.tsv"))
    assert lines[0] == f"BLEU {figures['bleu']:.2f} ({figures['signature']})" and figures["number"] == 27


def test_alignments_picture_and_page_are_written_beside_the_translations(translator, capsys, tmp_path):
    pytest.importorskip("matplotlib")
    table, picture, page = (tmp_path / name for name in ("a.tsv", "a.png", "p.html"))
    out = out_of(capsys, "--alignments", table, "--plot", picture, "--html", page, "lines.txt")
    assert len(out.splitlines()) == 3
    rows = [line.split("\t") for line in table.read_text("utf-8").splitlines()[1:]]
    assert {row[0] for row in rows} == {"1", "3"}
    sums = {}
    for line, t, _, _, _, weight in rows:
        sums[line, t] = sums.get((line, t), 0) + float(weight)
    assert all(value == pytest.approx(1, abs=1e-4) for value in sums.values())
    assert picture.read_bytes().startswith(b"\x89PNG")
    content = page.read_text("utf-8")
    assert content.count('<div class="t">') == 2 and "<b>" not in content and "lines.txt" in content


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--beam", "0", "lines.txt"], "--beam: expected at least 1, got 0"),
        (["--nbest", "3", "--beam", "2", "lines.txt"], "--nbest: expected at most --beam (2), got 3"),
        (["--nbest", "0", "lines.txt"], "--nbest: expected an integer of at least 1, got 0"),
        (["--max-length", "0", "lines.txt"], "--max-length: expected at least 1, got 0"),
        (["--length-penalty", "-1", "lines.txt"], "--length-penalty: expected"),
        (["--alignments", "a.tsv"], "--alignments: shows the texts of files; name one"),
        (["--html", "p.html"], "--html: shows the texts of files; name one"),
        (["--plot", "p.png"], "--plot: shows the texts of files; name one"),
        (["--plot", "p.jpg", "lines.txt"], "p.jpg: pictures are PNG files"),
        (["--alignments", "lines.txt", "lines.txt"], "lines.txt: "),
        (["--evaluate", "--scores", "pairs.tsv"], "--scores: has no effect with --evaluate"),
        (["--evaluate", "--nbest", "2", "pairs.tsv"], "--nbest: has no effect with --evaluate"),
        (["--evaluate", "--alignments", "a.tsv", "pairs.tsv"], "--alignments: has no effect with --evaluate"),
        (
            ["--evaluate", "--plot", "p.png", "none.tsv"],
            "--plot: draws the attention of one translation; leave --eval",
        ),
        (["--evaluate", "--fold", "pairs.tsv", "pairs.tsv"], "--fold: has no effect with a model for the task"),
        (["--evaluate", "--tier", "x", "pairs.tsv"], "--tier: has no effect with a model for the task 'translate'"),
        (["--evaluate", "--beam", "0", "pairs.tsv"], "--beam: expected at least 1, got 0"),
        (["--evaluate", "lines.txt"], "lines.txt, line 1: there is only one column; expected a source, a tab and"),
        (["--probabilities", "lines.txt"], "--probabilities: has no effect with a model for the task 'translate'"),
        (["--frames", "f.npz", "lines.txt"], "--frames: has no effect with a model for the task 'translate'"),
        (["--format", "textgrid", "lines.txt"], "--format: has no effect with a model for the task 'translate'"),
        (["--model", "m.npz", "lines.txt"], "--model: probabilities of several models for the task 'translate' cannot"),
        (["--model", "classifier.npz", "lines.txt"], "classifier.npz: cannot be averaged with m.npz"),
        (["none.txt"], "none.txt: "),
    ],
)
def test_wrong_use_is_one_line(capsys, arguments, message):
    if "--evaluate" in arguments:
        pytest.importorskip("sacrebleu")
    assert message in error_of(capsys, run(predict, "--model", "m.npz", *arguments))


def test_too_long_a_source_is_one_line_with_its_file_and_line(capsys):
    assert run(predict, "--model", "m.npz", "--beam", 2, "long.txt") == 2
    assert "long.txt, line 2: a sentence has 5,000 tokens, and the most is 1,000" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--alignments", "--html", "--plot"])
def test_an_output_that_cannot_be_written_is_one_line(capsys, tmp_path, option):
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "out.png"
    status = run(predict, "--model", "m.npz", "--beam", 2, option, place, "lines.txt")
    err = capsys.readouterr().err
    assert status == 2 and "out.png" in err and "Traceback" not in err and err.count("\n") == 1


@pytest.mark.parametrize("option, name", [("--alignments", "a.tsv"), ("--html", "p.html"), ("--plot", "p.png")])
def test_a_model_without_attention_is_one_line_before_anything_is_translated(capsys, tmp_path, option, name):
    status = run(predict, "--model", "plain.npz", option, tmp_path / name, "lines.txt")
    assert f"{option}: the model was trained without attention, which" in error_of(capsys, status)
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize(
    "option",
    ["--beam 2", "--length-penalty 1", "--max-length 3", "--scores", "--keep-unknown", "--alignments a.tsv"],
)
def test_options_of_writing_have_no_effect_on_other_models(capsys, option):
    err = error_of(capsys, run(predict, "--model", "classifier.npz", *option.split(), "lines.txt"))
    assert f"{option.split()[0]}: has no effect with a model for the task 'classify'; leave it out" in err


def test_language_models_and_translators_are_not_taken_for_each_other(capsys):
    err = error_of(capsys, run(predict, "--model", "lm.npz", "lines.txt"))
    assert "lm.npz: is a language model, which predicts no labels; use score.py or generate.py" in err
    for name in ("score", "generate"):
        err = error_of(capsys, run(script(name), "--model", "m.npz"))
        assert "m.npz: is a model for the task 'translate', not 'language-model'; use predict.py" in err
