"""The simple models that networks which read are compared with, on the items of the task."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from theano_rnn.decoders.pairs import Pairs
from theano_rnn.encoders.items import Items
from theano_rnn.ngrams.kneser_ney import KneserNey
from theano_rnn.tasks.minibatch_task import MinibatchTask, ReaderTask
from theano_rnn.tasks.missing_words import FillTask
from theano_rnn.text.corpus import read_corpus
from theano_rnn.text.encoded_sentences import EncodedSentences
from theano_rnn.text.minibatches import replace_words_seen_once
from theano_rnn.training.options import TrainingOptions
from theano_rnn.writing.writing_task import WritingTask

generator = np.random.default_rng(4)


def texts(number):
    return [generator.integers(0, 5, (1, length)).astype(np.int32) for length in generator.integers(1, 8, number)]


def baselines(train, valid):
    return ReaderTask.baselines(SimpleNamespace(_train=train, _valid=valid))


def test_the_labels_of_texts_are_compared_with_the_most_frequent_one():
    labels = generator.choice([0, 1, 2], 50, p=[0.2, 0.5, 0.3]).tolist()
    train, valid = Items(texts(30), labels[:30]), Items(texts(20), labels[30:])
    [(most, _)] = Counter(labels[:30]).most_common(1)
    assert baselines(train, valid).values == {"most frequent label": pytest.approx(labels[30:].count(most) / 20)}


def test_the_tags_of_words_are_compared_with_the_most_frequent_one_of_each_word():
    spelled = [np.concatenate([one, one + 7]) for one in texts(40)]  # a second feature, which does not count
    tags = [(one[0] * 2 + generator.integers(0, 2, one.shape[1]) * (one[0] > 2)) % 4 for one in spelled]
    train, valid = (Items(spelled[part], tags[part], per_step=True) for part in (slice(30), slice(30, 40)))
    words = {
        word: Counter(
            tag
            for one, of_one in zip(spelled[:30], tags[:30], strict=True)
            for read, tag in zip(one[0].tolist(), of_one.tolist(), strict=True)
            if read == word
        )
        for word in range(5)
    }
    right = [
        words[word][tag] == max(words[word].values())
        for one, of_one in zip(spelled[30:], tags[30:], strict=True)
        for word, tag in zip(one[0].tolist(), of_one.tolist(), strict=True)
    ]
    found = baselines(train, valid).values
    assert found["most frequent label of each word"] == pytest.approx(np.mean(right))
    assert list(found) == ["most frequent label", "most frequent label of each word"]


def test_the_labels_of_frames_are_compared_with_the_most_frequent_one():
    ids = [np.zeros((1, 3), np.int32)] * 2
    frames = [np.zeros((3, 2))] * 2
    items = Items(ids, [np.array([1, 1, 0]), np.array([0, 1, 1])], frames, per_step=True)
    assert baselines(items, items).values == {"most frequent label": pytest.approx(4 / 6)}


def test_other_tasks_and_runs_without_held_out_data_have_none():
    assert baselines(Items(texts(2), [0, 1]), None) is None
    assert FillTask.baselines(SimpleNamespace(_corpus=SimpleNamespace(valid=None))) is None
    assert MinibatchTask.baselines(None) is None


def test_missing_words_are_compared_with_ngrams_that_predict_only_words(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("\n".join(f"The {a} sees the {b}." for a in ("dog", "cat", "fox") for b in ("man", "owl", "cow")))
    corpus = read_corpus(path, TrainingOptions(valid_fraction=0.3))
    found = FillTask.baselines(SimpleNamespace(_corpus=corpus))
    vocabulary = corpus.vocabulary
    generator = np.random.default_rng(0)
    train = replace_words_seen_once(corpus.train, corpus.seen_once, vocabulary.unknown, generator)
    for order, name in ((1, "unigram"), (2, "Kneser-Ney bigram"), (3, "trigram")):
        model = KneserNey(train, len(vocabulary), order, vocabulary.start)
        losses = []
        for sentence in corpus.valid:
            for place in range(1, len(sentence) - 1):
                before = sentence[max(place - order + 1, 0) : place][::-1]
                history = np.full((order - 1, 1), vocabulary.start)
                history[: len(before), 0] = before
                p = [model.probabilities(history, np.array([word]))[0] for word in range(len(vocabulary))]
                p[vocabulary.end] = 0
                losses.append(-np.log(p[sentence[place]] / sum(p)))
        assert found.values[name] == pytest.approx(np.mean(losses), abs=1e-10)


def test_written_sentences_are_compared_with_ngrams_of_the_targets():
    targets = [np.array([0, *ids, 1], np.int32) for ids in ([3, 4], [3, 5, 4], [6, 4], [3, 5])]
    pairs = Pairs([np.array([2], np.int32)] * 4, targets)
    network = SimpleNamespace(settings=SimpleNamespace(words=7))
    found = WritingTask.baselines(SimpleNamespace(_train=pairs, _valid=pairs.select([1, 3]), network=network))
    text = EncodedSentences.from_arrays(np.concatenate(targets), np.array([0, 4, 9, 13, 17]))
    for order, name in ((1, "unigram"), (2, "Kneser-Ney bigram"), (3, "trigram")):
        model, losses = KneserNey(text, 7, order, 0), []
        for sentence in (targets[1], targets[3]):
            for place in range(1, len(sentence)):
                history = [*sentence[max(place - order + 1, 0) : place][::-1], 0, 0][: order - 1]
                p = model.probabilities(np.array(history, np.int64).reshape(-1, 1), sentence[place : place + 1])
                losses.append(-np.log(p[0]))
        assert found.values[name] == pytest.approx(np.mean(losses), abs=1e-10)
    assert found.training_tokens == found.counted_tokens == 13
    assert WritingTask.baselines(SimpleNamespace(_train=pairs, _valid=None)) is None
