"""The sums of an error analysis are those of the scores, token by token, and their total is that of score.py."""

import json
import math
from collections import defaultdict

import numpy as np
import pytest
from support.language_models import make

from theano_rnn.error_analysis import analysis as module
from theano_rnn.error_analysis.analysis import ErrorAnalysis
from theano_rnn.error_analysis.groups import POSITIONS, FrequencyBands
from theano_rnn.error_analysis.plot import errors_figure
from theano_rnn.error_analysis.scored_files import analyzed_files, ngrams_of
from theano_rnn.error_analysis.tables import document, tables
from theano_rnn.errors import ArgumentValueError, CorpusError
from theano_rnn.files.corpus_formats import open_inputs

WORDS = [f"w{number}" for number in range(30)]


@pytest.fixture(scope="module")
def lm():
    return make(WORDS, tokenized=True)


def random_lines(number, seed, longest=60):
    generator = np.random.default_rng(seed)
    rows = (generator.integers(0, 36, generator.integers(0, longest)) for _ in range(number))
    return [" ".join(f"w{word}" for word in row) for row in rows]


@pytest.fixture
def texts(tmp_path):
    paths = tmp_path / "train.txt", tmp_path / "a.txt", tmp_path / "b.txt"
    lines = [random_lines(40, 1), random_lines(30, 2), ["", *random_lines(3, 3, 260), "SENTENCE_END </s> w1"]]
    for path, one in zip(paths, lines, strict=True):
        path.write_text("\n".join(one) + "\n", encoding="utf-8")
    return paths


def lines_of(paths):
    return [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_sums_are_those_of_a_loop_over_all_tokens(lm, texts):
    found = analyzed_files(lm, open_inputs(texts[1:]))
    sums = defaultdict(lambda: defaultdict(lambda: np.zeros(2)))
    for line in lines_of(texts[1:]):
        before = "start of sentence"
        for position, (token, value, known) in enumerate(lm.word_scores(line), start=1):
            word = token if known else "UNKNOWN_TOKEN"
            number = int(token[1:]) + 1 if known and token in WORDS else 0
            rank = "rank 1-10" if number <= 10 else "rank 11-30"
            band = "unknown" if not known else rank if number else "sentence end"
            first = max(one for one in POSITIONS if one <= position)
            for kind, name in (("band", band), ("position", first), ("before", before), ("word", word)):
                sums[kind][name] += [1, -value]
            before = "known" if known else "unknown"

    def assert_sums(groups, expected):
        for group in groups:
            tokens, loss = expected[group.name]
            assert group.tokens == tokens and group.loss == pytest.approx(loss, rel=1e-7)
            assert group.share == pytest.approx(loss / total, rel=1e-7) and group.other_loss is None
        assert {group.name for group in groups} <= set(expected)

    total = sum(loss for _, loss in sums["word"].values())
    assert_sums(found.by_frequency(), sums["band"])
    assert_sums(found.by_token_before(), sums["before"])
    assert_sums(found.costliest_words(), sums["word"])
    positions = {group.name.split()[0].split("-")[0]: group for group in found.by_position()}
    assert {int(name): (one.tokens, pytest.approx(one.loss)) for name, one in positions.items()} == {
        first: tuple(values) for first, values in sums["position"].items()
    }
    costs = [loss for _, loss in sums["word"].values()]
    assert [one.loss for one in found.costliest_words()] == pytest.approx(sorted(costs, reverse=True)[:10])
    assert len(found.by_frequency()) == 4 and len(found.by_position()) == len(POSITIONS)


def test_each_kind_of_group_adds_up_to_the_total_of_the_scores(lm, texts):
    found = analyzed_files(lm, open_inputs(texts[1:]))
    expected = -lm.score(lines_of(texts[1:])).sum()
    for groups in (found.by_frequency(), found.by_position(), found.by_token_before(), [found.total]):
        assert sum(group.loss for group in groups) == pytest.approx(expected, rel=1e-12)
        assert sum(group.tokens for group in groups) == found.statistics.tokens
        assert sum(group.share for group in groups) == pytest.approx(1, rel=1e-12)
    assert -found.statistics.with_unknown.log_probability == pytest.approx(expected, rel=1e-12)


def test_the_worst_sentences_have_the_highest_loss_per_token_and_no_duplicates(lm, texts):
    lines = lines_of(texts[1:2] * 2 + texts[2:])
    found = analyzed_files(lm, open_inputs([texts[1], texts[1], texts[2]]), most=4)
    losses = {line: -lm.score(line) / (len(line.split()) + 1) for line in lines}
    expected = sorted(losses, key=lambda line: -losses[line])[:4]
    assert [one.text for one in found.worst_sentences()] == expected
    for one in found.worst_sentences():
        assert one.loss / one.tokens == pytest.approx(losses[one.text])
        number = one.place.split("line ")[1]
        path = texts[1] if str(texts[1]) in one.place else texts[2]
        assert path.read_text(encoding="utf-8").splitlines()[int(number) - 1] == one.text


def test_unknown_words_are_counted(lm, texts, monkeypatch):
    found = analyzed_files(lm, open_inputs(texts[1:]))
    words = [word for line in lines_of(texts[1:]) for word in line.split()]
    unknown = {word for word in words if word not in WORDS}
    assert found.unknown_words == {word: words.count(word) for word in unknown} and len(unknown) == 8
    monkeypatch.setattr(module, "MOST_UNKNOWN", 2)
    assert len(analyzed_files(lm, open_inputs(texts[1:])).unknown_words) == 2


def test_training_text_groups_by_occurrences_and_adds_the_losses_of_its_n_grams(lm, texts):
    ngrams = ngrams_of(lm, texts[:1])
    found = analyzed_files(lm, open_inputs(texts[1:]), ngrams)
    words = [word for line in lines_of(texts[:1]) for word in line.split()]
    assert ngrams.token_counts[3:].tolist() == [words.count(word) for word in WORDS]
    assert found.bands.title == "occurrences in training"
    expected = -sum(ngrams.score(line) for line in lines_of(texts[1:]))
    for groups in (found.by_frequency(), found.by_position(), found.by_token_before(), [found.total]):
        assert sum(group.other_loss for group in groups) == pytest.approx(expected, rel=1e-10)
    assert ngrams.order == 3 and ngrams_of(lm, []) is None


def test_characters_are_analyzed_line_by_line(tmp_path):
    lm = make(["a", "b", " "], level="char")
    path = tmp_path / "a.txt"
    path.write_text("ab a\nbx\n", encoding="utf-8")
    found = analyzed_files(lm, open_inputs([path]), ngrams_of(lm, [path]))
    assert found.total.loss == pytest.approx(-lm.score(["ab a", "bx"]).sum())
    assert [row[0] for row in list(tables(found))[3]][1:].count("' '") == 1


def test_a_text_without_lines_and_a_wrong_number_are_errors(lm, tmp_path):
    path = tmp_path / "empty.txt"
    path.write_text("", encoding="utf-8")
    with pytest.raises(CorpusError, match="no sentences"):
        analyzed_files(lm, open_inputs([path]))
    with pytest.raises(ArgumentValueError, match="^most: expected at least 1"):
        analyzed_files(lm, open_inputs([path]), most=0)


# Tables and the picture


def test_tables_and_the_document_have_the_same_figures(lm, texts):
    found = analyzed_files(lm, open_inputs(texts[1:]), ngrams_of(lm, texts[:1]), most=5)
    shown, exact = list(tables(found)), json.loads(json.dumps(document(found)))
    kinds = ("by_frequency", "by_position", "by_token_before", "costliest_tokens")
    for rows, kind in zip(shown, kinds, strict=False):
        assert len({len(row) for row in rows}) == 1
        assert [row[0] for row in rows[1:]] == [one["name"] for one in exact[kind]]
        for row, one in zip(rows[1:], exact[kind], strict=True):
            assert row[1] == one["tokens"] and float(row[2]) == pytest.approx(one["log_probability"], abs=1e-4)
            assert float(row[3].removesuffix(" %")) == pytest.approx(100 * one["share"], abs=0.06)
            perplexity = math.exp(-one["log_probability"] / one["tokens"])
            assert one["perplexity"] == pytest.approx(perplexity) and float(row[4]) == pytest.approx(perplexity, 1e-3)
            assert float(row[5]) == pytest.approx(one["ngram_perplexity"], rel=1e-3)
    assert len(shown[3]) == 1 + 5 and len(shown[4]) == 1 + 5 and len(shown[5]) == 1 + 5
    assert dict(shown[4][1:]) == exact["unknown_words"]
    assert [row[-1] for row in shown[5][1:]] == [one["place"] for one in exact["worst_sentences"]]
    assert exact["total"]["log_probability"] == pytest.approx(lm.score(lines_of(texts[1:])).sum())


def test_tables_have_one_line_per_row_whatever_the_text(lm):
    found = ErrorAnalysis(lm.vocabulary, FrequencyBands.by_rank(lm.vocabulary))
    for text in ("\x1b[31m\tw1 \u202e", "w1 " * 500):
        tokens = [*text.split(" "), "SENTENCE_END"]
        values, known = np.full(len(tokens), -1.0), np.array([token in lm.vocabulary for token in tokens])
        known[-1] = True
        found.add_sentence("a.txt, line 1", text, tokens, values, known)
    for rows in tables(found):
        for row in rows:
            assert all(one.isprintable() for one in map(str, row))
            assert max(len(str(one)) for one in row) <= 200


@pytest.mark.parametrize("compared", [False, True])
def test_the_picture_shows_the_figures(lm, texts, compared):
    pytest.importorskip("matplotlib")
    found = analyzed_files(lm, open_inputs(texts[1:]), ngrams_of(lm, texts[:1] if compared else []))
    figure = errors_figure("a $x$", found)
    panels = {axes.get_title(loc="left"): axes for axes in figure.axes}
    title = found.bands.title
    shares, bits = panels[f"Shares by {title}"], panels[f"Loss by {title}"]
    widths = [bar.get_width() for bar in shares.patches]
    groups = found.by_frequency()
    assert widths[: len(groups)] == pytest.approx([100 * one.tokens / found.total.tokens for one in groups])
    assert widths[len(groups) :] == pytest.approx([100 * one.share for one in groups])
    expected = [one.loss / one.tokens / math.log(2) for one in groups]
    expected += [one.other_loss / one.tokens / math.log(2) for one in groups] if compared else []
    assert [bar.get_width() for bar in bits.patches] == pytest.approx(expected)
    assert [label.get_text() for label in bits.get_yticklabels()] == [one.name for one in groups]
    texts_drawn = [text.get_text() for text in panels["Worst sentences by bits per token"].texts]
    assert "(a blank line)" in texts_drawn or len(texts_drawn) == 1 + 2 * 10
    assert panels["Loss by position in sentence"].patches and panels["Tokens with the highest loss"].patches
