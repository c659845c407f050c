"""Coverage: counts of unknown words, and the option that reduces their number."""

import itertools
import logging
import random

import pytest
from support.training_runs import share_compiled

from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.text.corpus import read_corpus
from theano_rnn.text.coverage import Coverage
from theano_rnn.training.options import TrainingOptions
from theano_rnn.training.train_model import train

# d 1, c 2, b 4, a 8 times
WORDS = ["a b c", "a b d", "a b c", "a b", "a", "a", "a", "a"]


def corpus_of(tmp_path, lines=WORDS, held_out=None, **settings):
    text = tmp_path / "text.txt"
    text.write_text("\n".join(lines) + "\n", encoding="utf-8")
    settings = {"tokenized": True, "valid_fraction": 0.0, **settings}
    if held_out is not None:
        settings["valid"] = tmp_path / "valid.txt"
        settings["valid"].write_text("\n".join(held_out) + "\n", encoding="utf-8")
    options = TrainingOptions.from_settings(settings)
    return read_corpus(text, options), options


@pytest.mark.parametrize(
    "settings, unknown, rare",
    [
        ({}, 0, 0),
        ({"vocabulary_size": 5}, 3, 0),
        ({"min_count": 3}, 3, 3),
        ({"min_count": 2, "vocabulary_size": 5}, 3, 1),
    ],
)
def test_words_are_counted_by_the_reason_why_they_are_unknown(tmp_path, settings, unknown, rare):
    corpus, _ = corpus_of(tmp_path, held_out=["a e", "b"], **settings)
    assert corpus.coverage == Coverage(4, 15, unknown, rare, 3, 1)


def test_characters_are_counted_without_line_ends(tmp_path):
    text = "aab\nab c\n"
    corpus, _ = corpus_of(tmp_path, [text[:-1]], ["ax"], level="char", tokenized=False, min_count=2)
    assert corpus.coverage == Coverage(4, 7, 2, 2, 2, 1)


def test_words_of_held_out_sentences_do_not_count_as_distinct_words_of_the_training_text(tmp_path):
    lines = [f"w{i}" for i in range(40)]
    corpus, _ = corpus_of(tmp_path, lines, valid_fraction=0.25)
    assert corpus.coverage == Coverage(30, 30, 0, 0, 10, 10)


def test_counts_of_random_texts_agree_with_a_plain_count(tmp_path):
    for seed in range(20):
        generator = random.Random(seed)
        lines = [" ".join(generator.choices("abcdefghij", k=generator.randrange(1, 9))) for _ in range(20)]
        size, least = generator.randrange(4, 14), generator.randrange(1, 12)
        corpus, _ = corpus_of(tmp_path, lines, lines[:3], vocabulary_size=size, min_count=least)
        words = " ".join(lines).split()
        known = set(corpus.vocabulary.index_to_word)
        few = {word for word in words if words.count(word) < least}
        held_out = " ".join(lines[:3]).split()
        assert corpus.coverage == Coverage(
            len(set(words)),
            len(words),
            sum(word not in known for word in words),
            sum(word in few for word in words),
            len(held_out),
            sum(word not in known for word in held_out),
        )


def test_the_summary_has_both_shares():
    assert Coverage(1234, 1000, 105, 0, 80, 20).summary("words") == (
        "1,234 distinct words; unknown: 10.5% of the training words, 25.0% of the held-out words"
    )
    assert (
        Coverage(7, 10, 0, 0).summary("characters") == "7 distinct characters; unknown: 0.0% of the training characters"
    )


@pytest.mark.parametrize(
    "coverage, settings, advice",
    [
        (Coverage(9, 100, 10, 0, 100, 10), {}, None),
        (Coverage(9, 100, 11, 0), {"vocabulary_size": 5}, "a larger vocabulary_size than 5 helps (12 covers the whole"),
        (Coverage(9, 100, 11, 11), {"min_count": 3}, "a smaller min_count than 3 helps"),
        (Coverage(9, 100, 11, 3), {"vocabulary_size": 5, "min_count": 3}, "a larger vocabulary_size than 5 helps"),
        (Coverage(9, 100, 0, 0, 100, 11), {}, "these words are not in the training text: train on more text"),
        (Coverage(9, 100, 2, 2, 100, 30), {"min_count": 2}, "30.0% of the held-out words are unknown"),
        (Coverage(9, 100, 50, 0), {"init_from": "a.npz"}, "without init_from, the vocabulary is made from this text"),
        (Coverage(9, 100, 50, 50), {"level": "char", "min_count": 9}, "50.0% of the training characters are unknown"),
    ],
)
def test_the_warning_about_unknown_words_names_the_option_that_helps(coverage, settings, advice):
    warning = coverage.warning(TrainingOptions(**settings))
    assert warning is None if advice is None else advice in warning and "\n" not in warning


def test_the_warning_uses_the_given_names_of_options():
    flag = lambda name: f"--{name.replace('_', '-')}"  # noqa: E731
    assert "--vocabulary-size" in Coverage(9, 100, 50, 0).warning(TrainingOptions(), flag)


def test_the_suggested_vocabulary_size_leaves_no_word_unknown(tmp_path):
    corpus, options = corpus_of(tmp_path, vocabulary_size=4)
    assert "(7 covers the whole" in corpus.coverage.warning(options)
    assert corpus_of(tmp_path, vocabulary_size=7)[0].coverage.unknown == 0
    assert corpus_of(tmp_path, vocabulary_size=6)[0].coverage.unknown == 1


@pytest.mark.parametrize("changed", [{"words": -1}, {"unknown": 1.5}, {"more": 1}])
def test_values_that_are_not_counts_are_rejected(changed):
    configuration = Coverage(1, 2, 1, 0).to_configuration()
    assert Coverage.from_configuration(configuration) == Coverage(1, 2, 1, 0)
    with pytest.raises((TypeError, ValueError)):
        Coverage.from_configuration({**configuration, **changed})
    for no_dict in (None, [], {}):
        with pytest.raises(ValueError, match="coverage: expected distinct, words, "):
            Coverage.from_configuration(no_dict)


def test_coverage_is_the_same_from_the_cache_and_is_kept_in_the_model(tmp_path, caplog, monkeypatch):
    share_compiled(monkeypatch)
    monkeypatch.setattr(LanguageModel, "generate", lambda self, n, **demands: ["a sample"] * n)
    lines = [" ".join(words) + "." for words in itertools.permutations(["The", "dog", "sees", "cats", "here"])]
    (tmp_path / "text.txt").write_text("\n".join(lines), encoding="utf-8")
    told = []
    for _ in range(2):
        caplog.clear()
        with caplog.at_level(logging.INFO, "theano_rnn"):
            train(tmp_path / "text.txt", model=tmp_path / "m.npz", vocabulary_size=5, hidden_dim=3, epochs=1)
        told.append([record.getMessage() for record in caplog.records if "unknown" in record.getMessage()])
        assert any(record.levelname == "WARNING" for record in caplog.records)
    assert told[0] == told[1] and len(told[0]) == 2
    assert "text as encoded before" in caplog.text
    assert "a larger vocabulary_size than 5 helps" in told[0][1]
    coverage = Coverage.from_configuration(load(tmp_path / "m.npz").training["coverage"])
    assert coverage.summary("words") == told[0][0] and coverage.distinct == 6
