"""score.py as users run it: formats, n-best lists, mixing, and invalid options."""

import gzip
import io
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.script_modules import SCRIPTS, script

from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

LINES = ["the dog sees the cat", "", "the zebra sees", "dog"]
score = script("score")


@pytest.fixture(scope="module")
def lm():
    vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "the", "dog", "cat", "sees"])
    rnn = RNN(len(vocabulary), 5, seed=3)
    rnn.set_values({name: 2 * value for name, value in rnn.get_values().items()})
    return LanguageModel(rnn, vocabulary, Tokenizer(tokenized=True))


@pytest.fixture
def model(lm, tmp_path, monkeypatch):
    path = tmp_path / "rnn.npz"
    lm.save(path)
    monkeypatch.setattr(LanguageModel, "load", lambda place: lm if Path(place) == path else load(place))
    return path


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def run(model, capsys):
    """(exit status, standard output, standard error) of the script for some arguments."""

    def run(*arguments):
        try:
            status = score.main(["--model", str(model), *map(str, arguments)])
        except SystemExit as error:
            status = error.code
        return status, *capsys.readouterr()

    return run


def test_json_lines_agree_with_the_model(lm, run, text):
    status, out, err = run("--format", "json", "--words", "--log-base", "2", text)
    documents = [json.loads(line) for line in out.splitlines()]
    assert status == 0 and [document["sentence"] for document in documents] == LINES
    np.testing.assert_allclose(
        [document["log_probability"] for document in documents], lm.score(LINES) / math.log(2), rtol=1e-6
    )
    for document, scores in zip(documents, lm.word_scores(LINES), strict=True):
        assert [(one["token"], one["known"]) for one in document["words"]] == [
            (word, known) for word, _, known in scores
        ]
    assert re.search(r"^4 sentences, 9 words, 1 unknown .*\(base 2\), perplexity", err) and err.count("\n") == 1


def test_the_json_summary_has_the_perplexity_of_the_model(lm, run, text):
    status, out, _ = run("--format", "json", "--summary", text, text)
    assert status == 0 and json.loads(out)["sentences"] == 8
    assert json.loads(out)["perplexity"] == pytest.approx(lm.perplexity(LINES), rel=1e-6)


def test_srilm_output_omits_blank_lines_and_has_totals_per_file(lm, run, text):
    status, out, err = run("--format", "srilm", "--unknown", "include", text, text)
    assert status == 0 and out.count("sentences, ") == 3 + 1 + 3 + 1
    names = re.findall(r"^file (.*): 3 sentences, 9 words, 0 OOVs$", out, re.MULTILINE)
    assert names == [str(text), str(text)]
    ppl = float(re.search(r"\nfile .*\n.* ppl= (\S+)", out)[1])
    assert ppl == pytest.approx(lm.perplexity([line for line in LINES if line]), rel=1e-5)
    assert err.startswith("6 sentences, 18 words, 2 unknown ")


def test_srilm_output_names_standard_input_as_ngram_does(run, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"the dog\n"), encoding="utf-8"))
    assert "\nfile -: 1 sentences, 2 words, 0 OOVs\n" in run("--format", "srilm")[1]


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_srilm_totals_of_no_sentences_are_an_error(run, tmp_path, content):
    (tmp_path / "empty.txt").write_bytes(content)
    status, _, err = run("--format", "srilm", tmp_path / "empty.txt")
    assert status == 2 and err == "score.py: no sentences to score; give one per line\n"


def test_n_best_lists_are_rescored(lm, run, tmp_path):
    (tmp_path / "list.txt").write_text("a\tthe dog\t-1\nb\tthe cat\t-2\na\tdog\t-3\n")
    status, out, _ = run("--nbest", "--weight", "0.5", tmp_path / "list.txt")
    rows = [line.split("\t") for line in out.splitlines()]
    ours = lm.score(["the dog", "the cat", "dog"])
    assert status == 0 and [row[:3] for row in rows] == [
        ["a", "the dog", "-1"],
        ["b", "the cat", "-2"],
        ["a", "dog", "-3"],
    ]
    np.testing.assert_allclose([float(row[3]) for row in rows], ours, atol=1e-5)
    np.testing.assert_allclose([float(row[4]) for row in rows], (np.array([-1, -2, -3]) + ours) / 2, atol=1e-5)
    best = run("--nbest", "--best", tmp_path / "list.txt")[1].splitlines()
    assert [line.split("\t")[:2] for line in best] == [
        ["a", "dog" if ours[2] > ours[0] else "the dog"],
        ["b", "the cat"],
    ]


def test_the_best_of_kaldi_n_best_lists_come_with_a_note(run, tmp_path):
    (tmp_path / "list.txt").write_text("u1-1\tthe dog\t-1\nu1-2\tthe cat\t-2\nu2-1\tdog\t-3\n")
    status, out, err = run("--nbest", "--best", tmp_path / "list.txt")
    assert status == 0 and out.count("\n") == 2
    assert err.splitlines()[1] == (
        "score.py: ids such as 'u1-1' and 'u1-2' were taken for Kaldi's n-best lists: the best of 3 lines for 2 "
        "utterances; --ids exact keeps them apart"
    )
    status, out, err = run("--nbest", "--best", "--ids", "exact", tmp_path / "list.txt")
    assert (status, out.count("\n"), err.count("\n")) == (0, 3, 1)


def test_kaldi_lists_are_rescored_with_costs_in_files(lm, run, tmp_path):
    (tmp_path / "words_text").write_text("u1-1 the dog\nu1-2 the cat\nu2-1\n")
    (tmp_path / "lm").write_text("u1-1 4\nu1-2 2\nu2-1 1\n")
    (tmp_path / "ac").write_text("u1-1 99\nu1-2 500\nu2-1 1\n")
    ours = -lm.score(["the dog", "the cat", ""])
    status, out, _ = run("--nbest", tmp_path / "words_text")
    assert status == 0 and [line.split()[0] for line in out.splitlines()] == ["u1-1", "u1-2", "u2-1"]
    np.testing.assert_allclose([float(line.split()[1]) for line in out.splitlines()], ours, atol=1e-5)
    combining = ["--nbest", "--weight", "0.5", "--lm-scores", tmp_path / "lm", tmp_path / "words_text"]
    values = [float(line.split()[1]) for line in run(*combining)[1].splitlines()]
    np.testing.assert_allclose(values, (np.array([4, 2, 1]) + ours) / 2, atol=1e-5)
    assert run(*combining, "--best", "--acoustic-scores", tmp_path / "ac", "--lm-weight", "2")[:2] == (
        0, "u1 the dog\nu2\n",
    )  # fmt: skip
    status, out, err = run(*combining, "--html", tmp_path / "lm")
    assert (status, out) == (2, "") and err.count("\n") == 1 and (tmp_path / "lm").read_text().startswith("u1-1 4")


def test_srilm_lists_are_rescored_in_base_10(lm, run, tmp_path):
    (tmp_path / "utt1.gz").write_bytes(gzip.compress(b"-10 -1 2 the dog\n-11 -1 2 the cat\n"))
    (tmp_path / "utt2").write_text("NBestList1.0\n(-20) dog\n")
    status, out, _ = run("--nbest", tmp_path / "utt1.gz")
    rows = [line.split(" ", 3) for line in out.splitlines()]
    assert status == 0 and [row[0] for row in rows] == ["-10", "-11"]
    assert [row[2:] for row in rows] == [["2", "the dog"], ["2", "the cat"]]
    expected = lm.score(["the dog", "the cat"], base=10)
    np.testing.assert_allclose([float(row[1]) for row in rows], expected, atol=1e-5)
    status, out, _ = run("--nbest", "--best", "--lm-weight", "0", tmp_path / "utt1.gz", tmp_path / "utt2")
    assert (status, out) == (0, "utt1 the dog\nutt2 dog\n")
    status, _, err = run("--nbest", tmp_path / "utt1.gz", tmp_path / "utt2")
    assert status == 2 and "rescore one file at a time, or print only the --best lines" in err


def test_mostly_unknown_words_give_a_warning(run, tmp_path):
    (tmp_path / "text.txt").write_text("The dog. the cat.\nDog, cat.\n")
    status, out, err = run(tmp_path / "text.txt")
    assert (status, out.count("\n"), err.count("\n")) == (0, 2, 2)
    assert "score.py: 5 of 6 words (83%) are unknown to the model; the model was trained on tokenized text (--" in err
    assert "('cat.', 'dog.', 'Dog,')" in err


def test_a_line_without_an_id_is_reported(run, tmp_path):
    (tmp_path / "list.txt").write_text("a\tthe dog\n\tthe cat\n")
    status, out, err = run("--nbest", tmp_path / "list.txt")
    assert (status, out) == (2, "")
    assert err == f"score.py: {tmp_path / 'list.txt'}, line 2: has no id; put it before the text\n"


def test_mixing_with_its_own_output_changes_nothing(run, text, tmp_path):
    plain = run("--words", text)
    (tmp_path / "own.tsv").write_text(run("--words", "--log-base", "10", text)[1])
    mixed = run("--words", "--mix", tmp_path / "own.tsv", text)
    values = [[float(line.split("\t")[0]) for line in out.splitlines()] for _, out, _ in (plain, mixed)]
    np.testing.assert_allclose(*values, atol=5e-6)
    (tmp_path / "own.srilm").write_text(run("--words", "--format", "srilm", "--unknown", "include", text)[1])
    arguments = ["--format", "srilm", "--words", text]
    assert run(*arguments, "--mix", tmp_path / "own.srilm", "--lambda", "1") == run(*arguments)
    status, _, err = run(text, "--mix", tmp_path / "own.srilm")
    assert status == 2 and f"{text}, line 2: is blank, but SRILM leaves out blank lines" in err


@pytest.mark.parametrize("words", [["the", "</s>", "<unk>", "dog"], ["the", "dog", "cat", "sees"]])
def test_its_own_output_of_words_that_look_like_sentence_ends_is_read_back(words, tmp_path, monkeypatch, capsys):
    vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", *words])
    odd = LanguageModel(RNN(len(vocabulary), 5, seed=3), vocabulary, Tokenizer(tokenized=True))
    monkeypatch.setattr(LanguageModel, "load", lambda path: odd)
    generator = np.random.default_rng(0)
    pool = ["the", "</s>", "SENTENCE_END", "<unk>", "UNKNOWN_TOKEN", "<s>", "p(", "Total:", "-1"]
    lines = [" ".join(generator.choice(pool, generator.integers(1, 6))) for _ in range(60)]
    (tmp_path / "text.txt").write_text("\n".join([*lines, "the </s> dog", "</s>"]) + "\n", encoding="utf-8")

    def shown(*arguments):
        assert score.main([*map(str, arguments), str(tmp_path / "text.txt")]) == 0
        return capsys.readouterr().out

    (tmp_path / "own.tsv").write_text(shown("--words", "--log-base", "10"))
    (tmp_path / "own.srilm").write_text(shown("--words", "--format", "srilm", "--unknown", "include"))
    plain = shown("--words", "--format", "srilm")
    for name in ("own.tsv", "own.srilm"):
        values = [
            [float(line.split("\t")[0]) for line in out.splitlines()]
            for out in (shown("--words"), shown("--words", "--mix", tmp_path / name))
        ]
        np.testing.assert_allclose(*values, atol=5e-6)
        assert shown("--words", "--format", "srilm", "--mix", tmp_path / name, "--lambda", 1) == plain


@pytest.mark.parametrize("share", [0, 0.25])
def test_probabilities_are_mixed_with_weight_lambda(lm, run, tmp_path, share):
    (tmp_path / "text.txt").write_text("the dog\nthe cat\n")
    (tmp_path / "other.txt").write_text("-1 -2 -0.5\n-inf -0.25 -1\n")
    out = run("--mix", tmp_path / "other.txt", "--lambda", share, tmp_path / "text.txt", "--words")[1]
    ours = [value for scores in lm.word_scores(["the dog", "the cat"]) for _, value, _ in scores]
    other = [0.1, 0.01, 10**-0.5, 0, 10**-0.25, 0.1]
    expected = [share * math.exp(value) + (1 - share) * one for value, one in zip(ours, other, strict=True)]
    np.testing.assert_allclose([math.exp(float(line.split("\t")[0])) for line in out.splitlines()], expected, atol=1e-5)
    total = run("--mix", tmp_path / "other.txt", "--lambda", share, tmp_path / "text.txt", "--format", "json")[1]
    assert (json.loads(total.splitlines()[1])["log_probability"] is None) == (share == 0)


def test_a_mix_file_that_does_not_fit_the_text_is_rejected(run, text, tmp_path):
    status, out, err = run("--mix", tmp_path / "absent", text)
    assert (status, out) == (2, "") and "absent: cannot be read: No such file or directory" in err
    (tmp_path / "other.txt").write_text("-1 -2\n")
    status, out, err = run("--mix", tmp_path / "other.txt", text)
    assert (status, out) == (2, "")
    assert f"other.txt, line 1: sentence 1 has 2 tokens, {text}, line 1 has 6 tokens" in err
    (tmp_path / "other.txt").write_text("-1 -1 -1 -1 -1 -1\n-1\n-1 -1 -1 -1\n-1 -1\n-1\n")
    status, out, err = run("--mix", tmp_path / "other.txt", text)
    assert status == 2 and "other.txt, line 5: continues, but the text has no sentence 5;" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    ["--best", "--weight 0.5", "--ids exact", "--nbest --ids exact", "--nbest --best --ids other",
     "--lm-weight 3", "--nbest --lm-weight 3", "--nbest --lm-scores f", "--nbest-format kaldi",
     "--nbest --nbest-format htk", "--nbest --best --lm-scores absent --weight 1",
     "--lambda 0.5", "--nbest --words", "--nbest --format json", "--nbest --weight 2",
     "--format srilm --log-base 2", "--words --summary", "--format xml", "--log-base 3", "--unknown maybe",
     "--mix absent"],
)  # fmt: skip
def test_conflicting_options_are_one_line_before_the_model_is_loaded(monkeypatch, capsys, arguments):
    monkeypatch.setattr(LanguageModel, "load", lambda path: pytest.fail("the model was loaded"))
    try:
        status = score.main(arguments.split())
    except SystemExit as error:
        status = error.code
    out, err = capsys.readouterr()
    assert status == 2 and out == "" and err.startswith("score.py: ") and err.count("\n") == 1


# CSV

TABLE = 'id;note;text\r\n1;a;"the dog,\r\nsees"\r\n2;b;\r\n\r\n3\r\n4;the cat;the ""dog""\r\n'
CELLS = ["the dog,\nsees", "", "", 'the ""dog""']


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.tsv"])
def test_each_csv_row_gives_one_line(lm, run, tmp_path, name):
    content = (TABLE.replace(";", "\t") if "tsv" in name else TABLE).encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    status, out, err = run(tmp_path / name)
    rows = [line.split("\t") for line in out.removesuffix("\n").split("\n")]
    assert status == 0 and [row[4] for row in rows] == [cell.replace("\n", " ") for cell in CELLS]
    np.testing.assert_allclose([float(row[0]) for row in rows], lm.score(CELLS), atol=1e-5)
    assert err.startswith("4 sentences, ")
    documents = [json.loads(line) for line in run("--format", "json", tmp_path / name)[1].splitlines()]
    assert [document["sentence"] for document in documents] == CELLS


def test_a_csv_column_can_also_be_chosen_for_standard_input(run, tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text(TABLE, newline="")
    chosen = run("--column", "Note", tmp_path / "a.csv")
    assert [line.split("\t")[4] for line in chosen[1].removesuffix("\n").split("\n")] == ["a", "b", "", "the cat"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TABLE.encode()), encoding="utf-8"))
    assert run("--column", "note") == chosen


def test_wrong_columns_are_one_line(run, text, tmp_path):
    (tmp_path / "a.csv").write_text("id,note\n1,x\n")
    for arguments, message in [
        (
            [tmp_path / "a.csv"],
            "a.csv, line 1: row 1, the header, has no column body or text; its columns are id, note;",
        ),
        (["--column", "x", tmp_path / "a.csv"], "has no column 'x'; its columns are id, note; choose one of them"),
        (["--column", "x", text], "column: 'x' was given, but no file is a table (.csv or .tsv)"),
        (["--column", "x", "--nbest", tmp_path / "a.csv"], "--nbest and --column exclude each other"),
    ]:
        status, out, err = run(*arguments)
        assert (status, out) == (2, "") and message in err and err.count("\n") == 1


def test_an_n_best_list_is_never_read_as_csv(run, tmp_path):
    (tmp_path / "list.tsv").write_text("a\tthe dog\nb\tthe cat\n")
    assert run("--nbest", tmp_path / "list.tsv")[1].count("\n") == 2


def test_rows_are_mixed_and_shown_like_lines(run, tmp_path):
    (tmp_path / "a.csv").write_text(TABLE, newline="")
    (tmp_path / "a.txt").write_text("".join(cell.replace("\n", " ") + "\n" for cell in CELLS))
    (tmp_path / "other.txt").write_text(run("--words", "--log-base", "10", tmp_path / "a.txt")[1])
    found = [
        run("--mix", tmp_path / "other.txt", "--html", tmp_path / "a.html", tmp_path / name)[:2]
        for name in ("a.csv", "a.txt")
    ]
    assert found[0] == found[1]
    (tmp_path / "other.txt").write_text("-1\n")
    assert "a.csv, line 2 has 4 tokens" in run("--mix", tmp_path / "other.txt", tmp_path / "a.csv")[2]


def test_at_character_level_a_row_with_line_ends_gets_the_sum_of_its_lines(tmp_path, monkeypatch, capsys):
    words = ["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", *"the dog"]
    vocabulary = Vocabulary(dict.fromkeys(words), newline_ends_sentence=True)
    lm = LanguageModel(RNN(len(vocabulary), 5, seed=3), vocabulary, Tokenizer(level="char"))
    monkeypatch.setattr(LanguageModel, "load", lambda path: lm)
    (tmp_path / "a.csv").write_text('text\n"the\ndog"\nthe dog\n')
    assert score.main([str(tmp_path / "a.csv")]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [row[1:3] + row[4:] for row in rows] == [["8", "0", "the dog"], ["8", "0", "the dog"]]
    state, total = lm.state(), 0.0
    for token in ["t", "h", "e", "SENTENCE_END"]:
        state, value = lm.advance(state, token)
        total += value
    assert float(rows[0][0]) == pytest.approx(lm.score("the\ndog"), abs=1e-5)
    assert sum(value for _, value, _ in lm.word_scores("the\ndog")[:4]) == pytest.approx(total, abs=1e-5)
    assert score.main(["--words", str(tmp_path / "a.csv")]) == 0
    tokens = [line.split("\t")[2] for line in capsys.readouterr().out.splitlines()]
    assert tokens[:8] == [*"the", "\\n", *"dog", "SENTENCE_END"]


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot tell whether a pipe has more")
def test_each_line_is_scored_before_the_next_one_arrives(model):
    command = [sys.executable, str(SCRIPTS / "score.py"), "--model", str(model)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        for line, answer in [(b"the dog\n", b"the dog"), (b"the cat\r", b"the cat"), (b"\ndog\r\n", b"dog")]:
            process.stdin.write(line)
            process.stdin.flush()
            assert process.stdout.readline().removesuffix(b"\n").split(b"\t")[4] == answer
        out, err = process.communicate()
    assert out == b"" and err.splitlines()[-1].startswith(b"3 sentences, ")  # Theano reports first that it compiles


@pytest.mark.slow
def test_memory_does_not_grow_with_the_text_and_the_mix_file(lm, tmp_path):
    lm.save(tmp_path / "rnn.npz")
    peaks = []
    for sentences in (20_000, 200_000):
        (tmp_path / "text.txt").write_text("the dog sees\n" * sentences)
        (tmp_path / "other.txt").write_text("the=1 1 -1\tdog=1 1 -1\tsees=1 1 -1\t</s>=1 1 -1\t" * sentences)
        program = "import resource, runpy, sys; sys.argv = sys.argv[1:]\n"
        program += "try:\n runpy.run_path(sys.argv[0], run_name='__main__')\n"
        program += "finally:\n print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        command = [sys.executable, "-c", program, SCRIPTS / "score.py", "--summary", "--mix", "other.txt", "text.txt"]
        finished = subprocess.run(
            [*command, "--model", "rnn.npz"], cwd=tmp_path, capture_output=True, text=True, check=True,
            env={"PYTHONPATH": str(SCRIPTS.parent), "PATH": ""},
        )  # fmt: skip
        peaks.append(int(finished.stdout))
    assert peaks[1] < peaks[0] + 20_000  # KiB; the files grow by 12 MB
