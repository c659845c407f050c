"""The task of language models: predict the next word. And what a run inherits from the model that it starts from."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from theano_rnn.engines.engine import gathered
from theano_rnn.errors import OptionError
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.language_models.text_model import best_evaluation
from theano_rnn.large_vocabularies.candidates import CandidateSampler
from theano_rnn.large_vocabularies.evaluated_part import part_of, tokens_to_evaluate
from theano_rnn.large_vocabularies.sampled_optimizer import SampledOptimizer
from theano_rnn.networks.optimizer import Optimizer, draw_dropout_mask
from theano_rnn.networks.parameters import check_shapes
from theano_rnn.networks.rnn import RNN
from theano_rnn.ngrams.baselines import Baselines, ngram_baselines
from theano_rnn.tasks.task import Task, optimizer_settings
from theano_rnn.text.corpus import Corpus, Ids, log_frequencies
from theano_rnn.text.minibatches import Batch
from theano_rnn.training.evaluation import figures, text_loss
from theano_rnn.training.options import TrainingOptions
from theano_rnn.training.training_data import TrainingData, count_predictions
from theano_rnn.training.training_state import TrainingState

DROPOUT_SEED, CANDIDATE_SEED = 2, 3  # 0 chooses the held-out text, and 1 the order of the sentences
BLOCK_SIZE = 2**20  # ids
# Settings of a network that are not inherited: the vocabulary decides the first, and a run may choose the second.
OWN_SETTINGS = ("word_dim", "dropout")


class LanguageModelTask(Task):
    """A network that learns to predict the words of a text.

    Parameters
    ----------
    corpus : Corpus
        The text to learn. Its vocabulary decides the size of the network. If the network has biases, those of the
        outputs start from the frequencies of the tokens.
    options : TrainingOptions
        With a batch size: see `TrainingOptions.fitted_to`.
    parameters : dict of str to array, optional
        Initial parameters; default: random ones.

    Attributes
    ----------
    network : RNN
    stream_states : array (batch_size, state_dim) or None
        In a continuous text, the packed states that the next minibatch starts from.
    """

    network: RNN
    optimizer: Optimizer
    options: TrainingOptions

    def __init__(
        self, corpus: Corpus, options: TrainingOptions, parameters: Mapping[str, np.ndarray] | None = None
    ) -> None:
        options = options.with_samples_for(len(corpus.vocabulary))
        self.corpus = corpus
        self.data = TrainingData(corpus, options)
        self.options = options
        self._language_model: LanguageModel | None = None
        self.network = RNN(**self._network_settings, seed=options.seed)
        if parameters is not None:
            self.network.set_values(parameters)
        elif self.network.bias:
            self.network.set_values(
                {**self.network.get_values(), "c": log_frequencies(corpus, [corpus.vocabulary.start])}
            )
        self.optimizer = self._new_optimizer()
        self.evaluated = self._evaluated_texts()
        self.stream_states: Any = None
        self.fingerprint = corpus.fingerprint
        self.has_held_out = corpus.valid is not None
        self.steps_per_epoch = self.data.steps_per_epoch
        self.evaluated_tokens = self.data.evaluated_tokens
        if options.samples and not options.tutorial:
            train, valid = self.evaluated
            self.evaluated_tokens = count_predictions(train if valid is None else valid)
        self.evaluates_first = options.tutorial or (options.init_from is not None and self.has_held_out)
        self.measures_training_data = options.tutorial or not self.has_held_out

    @property
    def _network_settings(self) -> dict[str, Any]:
        settings = self.options.architecture(len(self.corpus.vocabulary)).settings()
        return {**settings, "bptt_truncate": self.options.bptt_truncate}

    def _new_optimizer(self) -> Optimizer:
        settings = optimizer_settings(self.options)
        if not self.options.samples:
            return Optimizer(self.network, **settings)
        frequencies = np.exp(log_frequencies(self.corpus, [self.corpus.vocabulary.start]))
        sampler = CandidateSampler(frequencies, int(self.options.samples))
        return SampledOptimizer(self.network, sampler, **settings)

    def _evaluated_texts(self) -> tuple[Ids, Ids | None]:
        """The training text and the held-out text, or parts of them where the exact softmax takes too long for all."""
        train, valid, options = self.corpus.train, self.corpus.valid, self.options
        if not options.samples:
            return train, valid
        per_step = math.ceil(self.data.tokens_per_step) * (2 if options.tied else 1)
        learned = options.evaluate_every * self.data.tokens_per_epoch
        tokens = tokens_to_evaluate(self.network.architecture, int(options.samples) + per_step, learned)
        parts = (part_of(text, tokens, options.continuous, options.seed) for text in (train, valid) if text is not None)
        return next(parts), next(parts, None)

    def about_samples(self, option_name: Callable[[str], str]) -> str:
        """Return a line that says what the losses of a run with sampled softmax are."""
        line = (
            f"sampled softmax with {self.options.samples:,} words per step ({option_name('samples')} 0: exact softmax)"
            "; the training loss is the cross-entropy over these candidates, evaluations are exact"
        )
        (train, valid), (train_part, valid_part) = (self.corpus.train, self.corpus.valid), self.evaluated
        name, text, part = ("held-out", valid, valid_part) if valid is not None else ("training", train, train_part)
        assert text is not None and part is not None
        if part is text:
            return line
        tokens = f"{count_predictions(part):,} of {count_predictions(text):,} {name} tokens"
        return f"{line} and use {tokens}" + ("; the end of the run uses all" if valid is not None else "")

    # A step

    def minibatches(self, epoch: int) -> Iterator[Batch]:
        """Yield the minibatches of an epoch."""
        return self.data.minibatches(epoch)

    def start_epoch(self) -> None:
        """Start the text from its beginning, with hidden states of zero."""
        self.stream_states = None

    def step(self, batch: Batch, learning_rate: float, place: tuple[int, int]) -> Any:
        """Update the parameters once.

        With dropout, the loss is that of the network with some values at zero. The seed and the place alone decide
        which, so that a resumed run draws the same masks. The tutorial's step is plain SGD on one sentence.
        """
        if self.options.tutorial:
            return self.network.sgd_step(*_sentence(batch), learning_rate)
        mask = self._dropout_mask(batch.x.shape[1], place)
        arguments = learning_rate, self.stream_states, self.data.tokens_per_step, mask
        if isinstance(self.optimizer, SampledOptimizer):
            generator = np.random.default_rng([self.options.seed, CANDIDATE_SEED, *place])
            words = self.optimizer.draw(batch, generator)
            loss, states = self.optimizer.step_on_candidates(batch, words, *arguments)
        else:
            loss, states = self.optimizer.step(batch, *arguments)
        if self.options.continuous:
            self.stream_states = states
        return loss

    def _dropout_mask(self, batch_size: int, place: tuple[int, int]) -> np.ndarray | None:
        if not self.network.dropout:
            return None
        generator = np.random.default_rng([self.options.seed, DROPOUT_SEED, *place])
        return draw_dropout_mask(self.network.architecture, batch_size, generator)

    def gradient_norm(self, batch: Batch) -> float | None:
        """Compute the norm of one sentence's gradients, which the tutorial's step does not have as a whole."""
        if not self.options.tutorial:
            return None
        return math.hypot(*map(np.linalg.norm, self.network.bptt(*_sentence(batch))))

    # An evaluation

    def train_loss(self) -> float:
        """Measure the loss on the training text, or on a part of it, in nats per token."""
        return text_loss(self.network, self.evaluated[0], self.options.continuous)

    def held_out_loss(self) -> float:
        """Measure the loss on the held-out text, or on a part of it, in nats per token."""
        assert self.evaluated[1] is not None
        return text_loss(self.network, self.evaluated[1], self.options.continuous)

    def whole_held_out_loss(self, parameters: Mapping[str, np.ndarray]) -> float | None:
        """Measure the loss on all held-out text, if evaluations measure a part of it; else return None."""
        if self.evaluated[1] is self.corpus.valid:
            return None
        assert self.corpus.valid is not None
        return text_loss(self._with_parameters(parameters).rnn, self.corpus.valid, self.options.continuous)

    def baselines(self) -> Baselines | None:
        """Measure n-gram models of the training text on all held-out text."""
        valid, continuous = self.corpus.valid, self.options.continuous
        return None if valid is None else ngram_baselines(self.corpus, valid, continuous)

    def figures(self, loss: float) -> dict[str, float]:
        """Return the perplexity, and at character level the bits per character."""
        return figures(loss, self.options.level)

    def measure_best(self, state: TrainingState, best: Mapping[str, np.ndarray]) -> None:
        """Measure the loss of the best parameters on the training text, which version 0.1 at first did not."""
        record = best_evaluation(state.history, tutorial=False) or state.history[0]
        for one in state.history:
            one["train_loss"] = None
        current = self.network.get_values()
        self.network.set_values(best)
        state.best_loss = text_loss(self.network, self.corpus.train)  # version 0.1 read no continuous words
        self.network.set_values(current)
        record |= {"train_loss": state.best_loss, **self.figures(state.best_loss)}

    # Files

    def _with_parameters(self, parameters: Mapping[str, np.ndarray]) -> LanguageModel:
        """The language model of the run. It is compiled once, and given the parameters to save or to sample from."""
        if self._language_model is None:
            rnn = RNN(**self._network_settings, seed=0)
            self._language_model = LanguageModel(rnn, self.corpus.vocabulary, self.corpus.tokenizer)
        self._language_model.rnn.set_values(parameters)
        return self._language_model

    def model(self, parameters: Mapping[str, np.ndarray], history: Sequence[dict[str, Any]]) -> LanguageModel:
        """Return the model with these parameters and with what is recorded of its training."""
        lm = self._with_parameters(parameters)
        lm.training = {
            "options": self.options.to_model_configuration(),
            "history": list(history),
            "coverage": self.corpus.coverage.to_configuration(),
        }
        return lm

    def sample(self, parameters: Mapping[str, np.ndarray], seed: int) -> str | None:
        """Generate a text with these parameters; return None if the options ask for no samples."""
        if self.options.sample_every == 0:
            return None
        lm = self._with_parameters(parameters)
        return lm.generate(1, max_words=40 if self.options.level == "word" else 100, seed=seed)[0]

    def description(self) -> dict[str, Any]:
        """Return vocabulary and tokenizer if they are those of the model to start from."""
        if self.options.init_from is None:
            return {}
        return {
            "vocabulary": self.corpus.vocabulary.to_configuration(),
            "tokenizer": self.corpus.tokenizer.to_configuration(),
        }

    def state(self) -> dict[str, np.ndarray]:
        """Return the states that the next minibatch of a continuous text starts from."""
        if self.stream_states is None:
            return {}
        return {"stream_states": gathered(self.stream_states)[: self.options.batch_size]}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Continue from what `state` returned."""
        self.stream_states = arrays.get("stream_states")
        if self.stream_states is not None:
            assert self.options.batch_size is not None
            check_shapes(arrays, {"stream_states": (self.options.batch_size, self.network.architecture.state_dim)})


def _sentence(batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y of a minibatch of one sentence, without padding."""
    return batch.x[: batch.tokens, 0], batch.y[: batch.tokens, 0]


# Starting from another model


def inherited_settings(lm: LanguageModel) -> dict[str, Any]:
    """Return the options that a run inherits from the model that it starts from."""
    level = lm.tokenizer.level
    return {
        "level": level,
        "keep_case": level == "word" and not lm.tokenizer.lowercase,
        "tokenized": lm.tokenizer.tokenized,
        "lines": lm.tokenizer.lines,
        "vocabulary_size": len(lm.vocabulary),
        **{name: value for name, value in lm.rnn.architecture.settings().items() if name not in OWN_SETTINGS},
    }


def with_inherited_settings(lm: LanguageModel, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a run together with those that it inherits.

    Parameters
    ----------
    lm : LanguageModel
        The model that the run starts from.
    settings : dict
        The options that were given, ``init_from`` among them.

    Raises
    ------
    OptionError
        If an inherited option was given another value.
    """
    inherited = inherited_settings(lm)
    for name, value in inherited.items():
        if settings.get(name, value) != value:
            raise OptionError(f"{name}: the model to start from has {value!r}, got {settings[name]!r}; leave it out")
    if settings.get("min_count", 1) != 1:
        raise OptionError(f"min_count: the vocabulary is that of {settings['init_from']}; leave it out")
    return {"dropout": lm.rnn.dropout, "continuous": lm.continuous, **settings, **inherited}


def unknown_share(corpus: Corpus) -> float:
    """Return the share of UNKNOWN_TOKEN among the tokens of the training text, from 0 to 1."""
    train = corpus.train
    ids = train if isinstance(train, np.ndarray) else train.ids
    starts = range(0, len(ids), BLOCK_SIZE)
    unknown = sum(np.count_nonzero(ids[start : start + BLOCK_SIZE] == corpus.vocabulary.unknown) for start in starts)
    return float(unknown / count_predictions(train))
