"""N-gram models with the tokens of a language model, and mixtures of both."""

import math
import re

import numpy as np
import pytest
from support.language_models import make
from support.script_modules import script

from theano_rnn.errors import ArgumentTypeError, ArgumentValueError, CorpusError, OptionError, OutputFileError
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.ngrams.kneser_ney import KneserNey
from theano_rnn.ngrams.text_ngrams import NGramModel
from theano_rnn.text.encoded_sentences import EncodedSentences
from theano_rnn.text.vocabulary import SENTENCE_END

WORDS = ["the", "dog", "sees", ".", "cat", "likes", "a"]
TRAIN = "the dog sees the cat .\nthe cat likes a dog .\na dog sees a zebra .\nthe cat likes the cat .\n"
TEST = "the dog likes the cat .\n\na quagga sees the dog .\ndog </s> SENTENCE_END <unk>\n"


@pytest.fixture(scope="module")
def lm():
    return make(WORDS, tokenized=True)


@pytest.fixture
def texts(tmp_path):
    paths = tmp_path / "train.txt", tmp_path / "test.txt"
    for path, text in zip(paths, (TRAIN, TEST), strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_scores_are_those_of_the_encoded_text(lm, texts, order):
    ngrams = NGramModel(lm, texts[0], order)
    encoded = EncodedSentences(map(lm.encode, TRAIN.splitlines()))
    assert ngrams.tokens == encoded.tokens
    expected = KneserNey(encoded, len(lm.vocabulary), order)
    for line, [sentence] in zip(TEST.splitlines(), ngrams.scored_sentences(TEST.splitlines()), strict=True):
        values = expected.log_probabilities(EncodedSentences([lm.encode(line)]))
        np.testing.assert_allclose(sentence.values, values, rtol=1e-12)
        [own] = lm.scored_sentences([line])[0]
        assert sentence.tokens == own.tokens and sentence.known.tolist() == own.known.tolist()
        assert ngrams.score(line) == pytest.approx(values.sum(), rel=1e-12)
    total = sum(ngrams.score(line) for line in TEST.splitlines())
    tokens = sum(len(line.split()) + 1 for line in TEST.splitlines())
    assert ngrams.perplexity(TEST.splitlines()) == pytest.approx(math.exp(-total / tokens), rel=1e-12)


def test_the_probabilities_of_the_vocabulary_sum_to_1_after_any_words(lm, texts):
    ngrams = NGramModel(lm, texts[0])
    for words in ("", "the", "the dog", "quagga dog"):
        sentences = [f"{words} {word}" for word in [*WORDS, "quagga"]]
        last = [one.values[-2] for [one] in ngrams.scored_sentences(sentences)]
        end = ngrams.scored_sentences([words])[0][0].values[-1]
        assert np.exp([*last, end]).sum() == pytest.approx(1, abs=1e-12)


def test_characters_are_counted_as_one_stream_and_scored_line_by_line(tmp_path):
    lm = make(["a", "b", " "], level="char")
    path = tmp_path / "train.txt"
    path.write_text("ab ba\nabba", encoding="utf-8")
    ids = np.concatenate([[1], lm.vocabulary.encode_text("ab ba\nabba\n")])
    [sentence] = NGramModel(lm, path, order=4).scored_sentences(["abx"])[0]
    assert sentence.tokens == ["a", "b", "x", SENTENCE_END] and sentence.known.tolist() == [True, True, False, True]
    expected = KneserNey(ids, 6, 4).log_probabilities(EncodedSentences([lm.encode("abx")]))
    np.testing.assert_allclose(sentence.values, expected, rtol=1e-12)


def test_words_that_occur_once_stand_for_unknown_words_if_there_are_none(tmp_path):
    words = [f"w{number}" for number in range(40)]
    lm = make(words, tokenized=True)
    path = tmp_path / "train.txt"
    path.write_text("\n".join(f"w0 w1 {word}" for word in words[2:]), encoding="utf-8")
    ngrams = NGramModel(lm, path, order=2)
    unknown, known = ngrams.scored_sentences(["w0 w1 quagga", "w0 w1 w5"])
    assert np.exp(unknown[0].values[2]) > 0.3
    assert ngrams.perplexity("w0 w1 quagga") < ngrams.perplexity("w0 quagga w1")
    assert np.isfinite(known[0].values).all()


def test_text_is_split_into_sentences_as_by_the_language_model(tmp_path):
    lm = make([*WORDS, "he"])
    path = tmp_path / "train.txt"
    path.write_text("The dog sees\nthe cat. The cat likes a dog.", encoding="utf-8")
    ngrams = NGramModel(lm, str(path))
    assert ngrams.tokens == 7 + 7
    [sentences] = ngrams.scored_sentences(["The dog sees. He likes a cat."])
    assert [len(one.tokens) for one in sentences] == [5, 6]
    assert [len(one.tokens) for one in ngrams.scored_sentences(["The dog sees. He likes a cat."], False)[0]] == [10]


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_score_py_mixes_the_network_with_the_written_scores(lm, texts, tmp_path, capsys, monkeypatch, share):
    monkeypatch.setattr(LanguageModel, "load", lambda path: lm)
    score = script("score")
    ngrams = NGramModel(lm, texts[0])
    ngrams.write_scores(tmp_path / "trigram.tsv", texts[1])
    arguments = ["--model", "lm.npz", "--words", "--mix", tmp_path / "trigram.tsv", "--lambda", share, texts[1]]
    assert score.main([str(one) for one in arguments]) == 0
    out, err = capsys.readouterr()
    found = np.array([float(line.split("\t")[0]) for line in out.splitlines()])
    lines = TEST.splitlines()
    own = np.concatenate([one.values for [one] in lm.scored_sentences(lines)])
    other = np.concatenate([one.values for [one] in ngrams.scored_sentences(lines)])
    expected = np.log(share * np.exp(own) + (1 - share) * np.exp(other))
    np.testing.assert_allclose(found, expected, atol=6e-7)
    perplexity = float(re.search(r"perplexity ([\d.]+) per token", err)[1])
    assert perplexity == pytest.approx(math.exp(-expected.mean()), rel=1e-5)


def test_written_scores_name_the_tokens(lm, texts, tmp_path):
    NGramModel(lm, texts[0]).write_scores(tmp_path / "trigram.tsv", [texts[1]])
    rows = [line.split("\t") for line in (tmp_path / "trigram.tsv").read_text(encoding="utf-8").splitlines()]
    expected = [token for line in TEST.splitlines() for token in [*line.split(), SENTENCE_END]]
    assert [row[2] for row in rows] == expected
    ends = [row[1:] for row in rows if row[2] == SENTENCE_END]
    assert ends == [["known", SENTENCE_END]] * 3 + [["unknown", SENTENCE_END], ["known", SENTENCE_END]]


def test_wrong_arguments_are_named(lm, texts, tmp_path):
    with pytest.raises(ArgumentTypeError, match="^lm: expected a LanguageModel, got str"):
        NGramModel("rnn.npz", texts[0])
    with pytest.raises(ArgumentValueError, match="^order: "):
        NGramModel(lm, texts[0], order=0)
    with pytest.raises(CorpusError, match="absent"):
        NGramModel(lm, tmp_path / "absent.txt")
    ngrams = NGramModel(lm, texts[0])
    with pytest.raises(ArgumentTypeError, match="^text: expected a str"):
        ngrams.score(["the dog"])
    with pytest.raises(ArgumentTypeError, match="^texts: expected an iterable"):
        ngrams.scored_sentences("the dog")
    with pytest.raises(ArgumentValueError, match="^sentences: expected at least one"):
        ngrams.perplexity([])
    with pytest.raises(ArgumentValueError, match="^text: expected at least one file"):
        ngrams.write_scores(tmp_path / "scores.tsv", [])
    with pytest.raises(OptionError, match="one of the files that are read"):
        ngrams.write_scores(texts[1], texts[1])
    with pytest.raises(OutputFileError, match="folder does not exist"):
        ngrams.write_scores(tmp_path / "absent" / "scores.tsv", texts[1])
    with pytest.raises(CorpusError, match="absent"):
        ngrams.write_scores(tmp_path / "scores.tsv", tmp_path / "absent.txt")
    assert not (tmp_path / "scores.tsv").exists()
