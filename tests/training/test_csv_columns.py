"""Runs on a column of a CSV file."""

import pytest
from support.training_runs import (
    COMMON,
    SENTENCES,
    assert_same_run,
    run_state,
)

from theano_rnn.errors import CorpusError, OptionError
from theano_rnn.files.archive import write_archive
from theano_rnn.training.reporter import Reporter
from theano_rnn.training.train_model import train

pytestmark = pytest.mark.usefixtures("quick_samples")


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,body,note\n" + "".join(f"{i},x,{text}\n" for i, text in enumerate(SENTENCES)), encoding="utf-8")
    return path


def test_a_column_is_the_text_of_the_run_and_of_its_held_out_file(table, tmp_path, compiled_once):
    settings = {**COMMON, "epochs": 1, "column": "note"}
    (tmp_path / "v.tsv").write_text("NOTE\ttext\n" + "".join(f"{text}\tx\n" for text in SENTENCES[:5]))
    lm = train(table, model=tmp_path / "m.npz", valid=tmp_path / "v.tsv", **settings)
    assert lm.training["options"]["column"] == "note" and "dog" in lm.vocabulary and "x" not in lm.vocabulary
    with pytest.raises(CorpusError, match="has no column 'note'; its columns are Body, text; choose one"):
        (tmp_path / "v.tsv").write_text("Body\ttext\n")
        train(table, model=tmp_path / "m.npz", valid=tmp_path / "v.tsv", **settings)
    (tmp_path / "t.txt").write_text("A text.\n")
    with pytest.raises(OptionError, match="^column: 'note' was given, but no file is a table"):
        train(tmp_path / "t.txt", model=tmp_path / "m.npz", **settings)


def test_another_column_is_encoded_again(table, tmp_path, compiled_once):
    notes = []
    reporter = Reporter()
    reporter.note = notes.append
    for column in ("note", "body", "body"):
        lm = train(table, model=tmp_path / "m.npz", reporter=reporter, column=column, **COMMON, epochs=1)
        assert ("x" in lm.vocabulary) == (column == "body")
    assert [note.startswith("text as encoded before") for note in notes].count(True) == 1


def test_a_run_of_a_version_without_columns_resumes(table, tmp_path, compiled_once):
    whole, old = tmp_path / "whole.npz", tmp_path / "old.npz"
    text = tmp_path / "t.txt"
    text.write_text("\n".join(SENTENCES) + "\n")
    train(text, model=whole, epochs=2, **COMMON)
    train(text, model=old, epochs=1, **COMMON)
    checkpoint = old.with_suffix(".checkpoint.npz")
    arrays, document = run_state(old)
    del document["options"]["column"]
    write_archive(checkpoint, arrays, {"run": document})
    old.with_suffix(".corpus.npz").unlink()
    train(None, model=old, resume=True, epochs=2)
    assert_same_run(old, whole)


def test_a_run_resumes_with_its_column_or_another_that_holds_the_same_text(table, tmp_path, compiled_once):
    whole, broken = tmp_path / "whole.npz", tmp_path / "broken.npz"
    train(table, model=whole, epochs=2, column="note", **COMMON)
    train(table, model=broken, epochs=1, column="note", **COMMON)
    with pytest.raises(OptionError, match="has changed since the interrupted run"):
        train(None, model=broken, resume=True, epochs=2, column="body")
    train(None, model=broken, resume=True, epochs=2)
    assert_same_run(broken, whole)
