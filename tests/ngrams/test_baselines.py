"""The simple models that a network is compared with."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from theano_rnn.ngrams import baselines
from theano_rnn.ngrams.baselines import evenly_spaced_part, label_baselines, ngram_baselines
from theano_rnn.ngrams.kneser_ney import KneserNey
from theano_rnn.text.corpus import read_corpus
from theano_rnn.text.encoded_sentences import EncodedSentences
from theano_rnn.training.options import TrainingOptions

TEXT = "\n\n".join(
    f"The {a} {b} the {c}." for a in ("dog", "cat", "bird") for b in ("sees", "likes") for c in ("dog", "cat", "owl")
)


def corpus_of(tmp_path, text=TEXT, **settings):
    path = tmp_path / "text.txt"
    path.write_text(text, encoding="utf-8")
    return read_corpus(path, TrainingOptions.from_settings({"valid_fraction": 0.3, **settings}))


def test_the_unigram_loss_is_that_of_discounted_frequencies(tmp_path):
    corpus = corpus_of(tmp_path, min_count=2)
    found = ngram_baselines(corpus, corpus.valid, continuous=False)
    train = np.concatenate([sentence[1:] for sentence in corpus.train])
    counts, types = np.bincount(train, minlength=len(corpus.vocabulary)), len(set(train.tolist()))
    frequencies = [3, *(int(count) for count in counts if count)]
    numbers = {k: frequencies[1:].count(k) for k in (1, 2, 3, 4)}
    assert not all(numbers.values())  # so that the discounts are 1/2, 1 and 3/2
    discount = np.minimum(counts, 3) / 2
    probabilities = (counts - discount + discount.sum() / (len(counts) - 1)) / len(train)
    held_out = np.concatenate([sentence[1:] for sentence in corpus.valid])
    assert types > 5
    assert found.values["unigram"] == pytest.approx(-np.log(probabilities[held_out]).mean(), rel=1e-12)


@pytest.mark.parametrize(
    "settings, names",
    [
        ({}, ["unigram", "Kneser-Ney bigram", "trigram"]),
        ({"level": "char"}, ["unigram", "Kneser-Ney bigram", "5-gram"]),
        ({"continuous": True}, ["unigram", "Kneser-Ney bigram", "trigram"]),
    ],
)
def test_the_losses_are_those_of_kneser_ney_models_of_the_training_text(tmp_path, settings, names):
    corpus = corpus_of(tmp_path, **settings, **({} if "level" in settings else {"min_count": 2}))
    continuous = settings.get("continuous", False)
    found = ngram_baselines(corpus, corpus.valid, continuous)
    assert list(found.values) == names and found.figure == "loss"
    for name, order in zip(names, (1, 2, 5 if "level" in settings else 3), strict=True):
        model = KneserNey(corpus.train, len(corpus.vocabulary), order, continuous=continuous)
        assert found.values[name] == pytest.approx(-model.log_probabilities(corpus.valid).mean(), rel=1e-12)
    predicted = len(corpus.train) - 1 if "level" in settings else corpus.train.tokens
    assert found.counted_tokens == found.training_tokens == predicted


def test_unknown_words_of_held_out_text_get_the_probability_of_words_that_occur_once(tmp_path):
    generator = np.random.default_rng(0)
    text = "\n\n".join(" ".join(f"w{int(rank)}" for rank in generator.pareto(0.8, 8) * 3) for _ in range(200))
    corpus = corpus_of(tmp_path, text)
    assert corpus.seen_once is not None and corpus.coverage.unknown == 0 < corpus.coverage.held_out_unknown
    unaware = -KneserNey(corpus.train, len(corpus.vocabulary), 3).log_probabilities(corpus.valid).mean()
    found = ngram_baselines(corpus, corpus.valid, continuous=False).values["trigram"]
    assert found < unaware - 0.2


def test_a_long_text_is_counted_in_part_and_the_figures_say_so(tmp_path, monkeypatch):
    corpus = corpus_of(tmp_path)
    monkeypatch.setattr(baselines, "MOST_TOKENS", 40)
    found = ngram_baselines(corpus, corpus.valid, continuous=False)
    assert 0 < found.counted_tokens < found.training_tokens == corpus.train.tokens
    assert all(math.isfinite(loss) for loss in found.values.values())


def test_the_part_of_a_text_consists_of_whole_sentences_from_all_of_it():
    text = EncodedSentences([[0, number, 1] for number in range(2, 1002)])
    part = evenly_spaced_part(text, 300, stretches=10)
    numbers = [int(sentence[1]) for sentence in part]
    assert numbers == sorted(set(numbers)) and 90 <= len(numbers) <= 110
    assert np.histogram(numbers, 10, (0, 1000))[0].min() >= 9
    assert evenly_spaced_part(text, 3000) is text


def test_the_part_of_a_text_of_characters_consists_of_stretches():
    part = evenly_spaced_part(np.arange(1000), 100, stretches=5)
    assert part.tolist() == [first + number for first in range(0, 1000, 200) for number in range(20)]


def test_the_most_frequent_label_of_each_word_is_that_of_counts():
    generator = np.random.default_rng(1)
    words, labels = generator.integers(0, 9, 400), generator.integers(0, 4, 400)
    held_out_words, held_out_labels = generator.integers(0, 12, 100), generator.integers(0, 4, 100)
    counts = {word: np.bincount(labels[words == word], minlength=4) for word in range(9)}
    most = int(np.bincount(labels).argmax())
    right = [
        (int(counts[word].argmax()) if word in counts else most) == label
        for word, label in zip(held_out_words.tolist(), held_out_labels.tolist(), strict=True)
    ]
    found = label_baselines(labels, held_out_labels, words, held_out_words)
    assert found.values == {
        "most frequent label": np.mean(held_out_labels == most),
        "most frequent label of each word": np.mean(right),
    }
    assert list(label_baselines(labels, held_out_labels).values) == ["most frequent label"]
    assert found.figure == "accuracy"


def test_the_record_is_plain_data(tmp_path):
    record = baselines.Baselines("loss", {"unigram": 2.0}, 5, 6).to_record()
    assert record == {"figure": "loss", "values": {"unigram": 2.0}, "counted_tokens": 5, "training_tokens": 6}
    assert SimpleNamespace(**record).figure == "loss"
