"""The training text as minibatches, epoch by epoch. The seed and the epoch alone decide what an epoch consists of."""

import functools
import math
from collections.abc import Callable, Iterator

import numpy as np

from theano_rnn.text import minibatches
from theano_rnn.text.corpus import Corpus
from theano_rnn.text.encoded_sentences import EncodedSentences
from theano_rnn.text.minibatches import Batch
from theano_rnn.training.options import TrainingOptions

EVALUATION_COST = 1 / 3  # evaluating a token takes about this share of the time that it takes to learn it


def text_length(text: EncodedSentences | np.ndarray, options: TrainingOptions) -> int:
    """Return the length of a text that batch sizes are fitted to: in tokens if it is continuous, else in sentences."""
    return len(text.ids) if options.continuous and isinstance(text, EncodedSentences) else len(text)


def count_predictions(text: EncodedSentences | np.ndarray) -> int:
    """Count the tokens of an encoded text that are predicted: all but the first of each sentence or of the stream."""
    return len(text) - 1 if isinstance(text, np.ndarray) else text.tokens


class TrainingData:
    """The minibatches of a training text.

    Parameters
    ----------
    corpus : Corpus
    options : TrainingOptions
        With a batch size: see `TrainingOptions.fitted_to`.

    Attributes
    ----------
    tokens_per_epoch, steps_per_epoch : int
        How many tokens are predicted, and how many minibatches there are, in each epoch.
    """

    def __init__(self, corpus: Corpus, options: TrainingOptions) -> None:
        self._corpus = corpus
        self._options = options
        self.tokens_per_epoch: int = count_predictions(corpus.train)
        self.steps_per_epoch: int = self._count_steps()

    @property
    def evaluated_tokens(self) -> int:
        """The number of tokens in an evaluation, or in the training text as many as are learned in the same time."""
        valid = self._corpus.valid
        if self._options.tutorial:
            return self.tokens_per_epoch
        return math.ceil(self.tokens_per_epoch * EVALUATION_COST) if valid is None else count_predictions(valid)

    @property
    def tokens_per_step(self) -> float:
        """The mean number of tokens in a minibatch."""
        return self.tokens_per_epoch / self.steps_per_epoch

    def _count_steps(self) -> int:
        train, options = self._corpus.train, self._options
        if options.tutorial:
            return len(train)
        if options.continuous:
            places = text_length(train, options) - 1
            streams = min(self._batch_size, places)
            return math.ceil(math.ceil(places / streams) / options.sequence_length)
        assert isinstance(train, EncodedSentences)  # characters are continuous
        return minibatches.count_batches(train, self._batch_size)

    @property
    def _batch_size(self) -> int:
        assert self._options.batch_size is not None
        return self._options.batch_size

    def minibatches(self, epoch: int) -> Iterator[Batch]:
        """Yield the minibatches of an epoch, counted from 0.

        The tutorial takes the sentences one by one in the order of the text. Otherwise sentences are shuffled, and
        words that occur only once are sometimes replaced by UNKNOWN_TOKEN. A continuous text is read as parallel
        streams.
        """
        train, options = self._corpus.train, self._options
        if isinstance(train, np.ndarray):
            return minibatches.stream_batches(train, self._batch_size, options.sequence_length)
        if options.tutorial:
            return (minibatches.pad([sentence], 1) for sentence in train)
        generator = np.random.default_rng([options.seed, 1, epoch])
        replace_words = self._replace_words(generator)
        if options.continuous:
            ids = train.ids if replace_words is None else replace_words(train).ids
            start = self._corpus.vocabulary.start
            return minibatches.stream_batches(ids, self._batch_size, options.sequence_length, unpredicted=start)
        return minibatches.sentence_batches(train, self._batch_size, generator, replace_words)

    def _replace_words(self, generator: np.random.Generator) -> Callable[[EncodedSentences], EncodedSentences] | None:
        """The function that sometimes replaces words that occur only once, or None if there is nothing to replace."""
        if self._corpus.seen_once is None:
            return None
        return functools.partial(
            minibatches.replace_words_seen_once,
            seen_once=self._corpus.seen_once,
            unknown=self._corpus.vocabulary.unknown,
            generator=generator,
        )
