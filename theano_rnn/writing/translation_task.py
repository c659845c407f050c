"""What a translator learns from: pairs of sentences as ids, and the task of a training run."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from theano_rnn.decoders.pairs import Pairs
from theano_rnn.decoders.writer import Writer
from theano_rnn.decoders.writer_settings import WriterSettings
from theano_rnn.errors import CorpusError
from theano_rnn.large_vocabularies.candidates import sampler_for
from theano_rnn.large_vocabularies.memory_need import check_memory
from theano_rnn.tasks.task import Model
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.writing.pair_files import TextPair
from theano_rnn.writing.text_side import TextSide
from theano_rnn.writing.writing_task import WritingTask, start_output_bias

LONGEST_TEXT = 1000  # tokens of a source or a target


class Translating(Model, Protocol):
    """A model that translates."""

    def translate(self, texts: Sequence[str], beam: int = ...) -> list[str]: ...


class Sides(NamedTuple):
    """How the sentences of both sides become ids."""

    source: TextSide
    target: TextSide


def both_sides(pairs: Sequence[TextPair], options: Any) -> Sides:
    """The vocabularies of a run."""
    tokenizer = Tokenizer(lowercase=not options.keep_case, tokenized=options.tokenized, lines=True)
    sizes = (options.vocabulary_size, options.min_count, options.subwords)
    texts = [pair.source for pair in pairs], [pair.target for pair in pairs]
    if options.shared_vocabulary:
        side = TextSide.of([*texts[0], *texts[1]], tokenizer, *sizes)
        return Sides(side, side)
    return Sides(*(TextSide.of(one, tokenizer, *sizes) for one in texts))


def encoded_pairs(pairs: Sequence[TextPair], source: TextSide, target: TextSide) -> Pairs:
    """Convert pairs to ids. Raises CorpusError if a text is longer than 1,000 tokens."""
    sources, targets = (
        [source.source_ids(pair.source) for pair in pairs],
        [target.target_ids(pair.target) for pair in pairs],
    )
    for pair, *sides in zip(pairs, sources, targets, strict=True):
        for ids in sides:
            if len(ids) > LONGEST_TEXT + 2:
                found = f"a sentence has {len(ids):,} tokens"
                raise CorpusError(f"{pair.place}: {found}, and the most is {LONGEST_TEXT:,}; split the pair")
    return Pairs(sources, targets)


def new_task(
    make_translator: Callable[[Writer, dict[str, Any]], Translating],
    train: Pairs,
    valid: Pairs | None,
    sides: Sides,
    options: Any,
    note: Callable[[str], None],
) -> WritingTask:
    """Make the network and the task of a run; `make_translator` takes a network and how it was trained."""
    names = ("attention", "hidden_dim", "cell", "activation", "layers", "bidirectional", "dropout", "tied")
    settings = WriterSettings(
        words=len(sides.target.vocabulary),
        source_words=len(sides.source.vocabulary),
        embedding_dim=options.embedding_dim or options.hidden_dim,
        bias=bool(options.bias),
        shared=options.shared_vocabulary,
        repeats_z=options.repeat_source,
        **{name: getattr(options, name) for name in names},
    )
    options = options.fitted_to(len(train)).with_samples_for(settings.words)
    check_memory(settings, options.optimizer, settings.words, int(options.devices))
    writer = Writer(settings, seed=options.seed)
    log_frequencies = sides.target.log_frequencies(train.targets)
    start_output_bias(writer, log_frequencies)
    unknown = [np.concatenate(ids) for ids in (train.sources, train.targets)]
    shares = [np.mean(ids == side.vocabulary.unknown) for ids, side in zip(unknown, sides, strict=True)]
    note(
        f"{len(train):,} pairs{'' if valid is None else f', {len(valid):,} held out'}; vocabularies of "
        f"{settings.source_words:,} and {settings.words:,} tokens; unknown: {shares[0]:.1%} and {shares[1]:.1%}"
    )

    def make_model(parameters: Mapping[str, np.ndarray], history: Sequence[dict[str, Any]]) -> Translating:
        training = {"options": options.to_model_configuration(), "history": list(history)}
        return make_translator(Writer.from_values(settings, parameters), training)

    translators: list[tuple[Writer, Translating]] = []  # one whose functions are compiled once

    def show(parameters: Mapping[str, np.ndarray], seed: int) -> str:
        if not translators:
            network = Writer.from_values(settings, parameters)
            translators.append((network, make_translator(network, {})))
        network, translator = translators[0]
        network.set_values(parameters)
        shown = valid or train
        ids = shown.sources[int(np.random.default_rng(seed).integers(len(shown)))]
        text = sides.source.text(sides.source.vocabulary.decode(ids[:-1]))
        return f"{text} → {translator.translate([text], beam=1)[0]}"

    sampler = sampler_for(options.samples, log_frequencies)
    return WritingTask(writer, train, valid, options, make_model, show=show, sampler=sampler)
