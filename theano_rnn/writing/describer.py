"""Descriptions of images: `Describer`, the model, and the task that a training run learns."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from theano_rnn.decoders.pairs import Pairs
from theano_rnn.decoders.writer import Writer
from theano_rnn.decoders.writer_settings import WriterSettings
from theano_rnn.errors import ArgumentValueError, CorpusError, OptionError
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.large_vocabularies.candidates import sampler_for
from theano_rnn.large_vocabularies.memory_need import check_memory
from theano_rnn.tasks.task import PredictionOptions
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.writing.description_page import DescribedImage, write_description_page
from theano_rnn.writing.description_report import WITHOUT_PLOT, DescriptionReport
from theano_rnn.writing.image_files import (
    Caption,
    ImageFeatures,
    check_images,
    read_captions,
    read_features,
    split_paths,
)
from theano_rnn.writing.text_side import TextSide
from theano_rnn.writing.translation_report import TranslationReport
from theano_rnn.writing.writer_model import Hypothesis, Search, WriterModel
from theano_rnn.writing.writing_task import WritingTask, measured_loss, start_output_bias

DESCRIBE = "describe"
MAX_LENGTH = 40  # tokens of a description
SMALLEST_DEVIATION = 1e-6  # of a feature that is always the same


class Describer(WriterModel):
    """A network that describes an image, given as a vector of features.

    Parameters
    ----------
    writer : Writer
    target : TextSide
        How sentences become ids.
    mean, deviation : sequences of float (n,)
        Of each feature in the training part. Features are normalized with them.
    training : dict, optional
        See `theano_rnn.writing.writer_model.WriterModel`.

    Raises
    ------
    ValueError
        If the network has another number of words or features.

    Examples
    --------
    >>> side = TextSide.of(["a red ball", "a cube"], Tokenizer(lines=True), 10, 1)
    >>> settings = WriterSettings(words=7, feature_dim=2, attention=False, hidden_dim=4, embedding_dim=3)
    >>> describer = Describer(Writer(settings, seed=1), side, [0.0, 0.0], [1.0, 1.0])
    >>> len(describer.describe([[0.1, 0.2], [0.3, 0.4]]))
    2
    """

    task = DESCRIBE
    evaluation_without_plot = WITHOUT_PLOT

    def __init__(
        self,
        writer: Writer,
        target: TextSide,
        mean: Sequence[float],
        deviation: Sequence[float],
        training: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(writer, target, training)
        self.mean: npt.NDArray[np.float64] = np.asarray(mean, np.float64)
        self.deviation: npt.NDArray[np.float64] = np.asarray(deviation, np.float64)
        expected = (writer.settings.feature_dim,)
        for name, values in (("mean", self.mean), ("deviation", self.deviation)):
            if values.shape != expected or not np.isfinite(values).all():
                raise ArgumentValueError(f"{name}: expected finite numbers of shape {expected}, got {values.shape}")
        if not (self.deviation > 0).all():
            raise ArgumentValueError("deviation: expected numbers above 0")

    def describe(
        self, features: npt.ArrayLike, beam: int = 5, length_penalty: float = 1.0, max_length: int = MAX_LENGTH
    ) -> list[str]:
        """Describe images.

        Parameters
        ----------
        features : array (images, n)
        beam : int
            Width of the beam; 1 is greedy search.
        length_penalty : float
            See `theano_rnn.writing.writer_model.Search`.
        max_length : int
            The number of tokens that a description has at most.

        Returns
        -------
        list of str

        Raises
        ------
        TypeError, ValueError
            If an argument is not valid, such as features of another width.
        """
        found = self.hypotheses(features, Search(beam, length_penalty, max_length))
        return [one[0].text for one in found]

    predict = describe

    def hypotheses(self, features: npt.ArrayLike, chosen: Search | None = None) -> list[list[Hypothesis]]:
        """The best descriptions of each image, the best first."""
        rows = self.normalized(features)
        chosen = Search() if chosen is None else chosen
        settings = self._beam_settings(chosen, chosen.keep_unknown)
        longest = [chosen.max_length or MAX_LENGTH] * len(rows)
        found = []
        for written in self._search(range(len(rows)), longest, settings, rows) if len(rows) else []:
            tokens = [self.target.vocabulary.decode(one.ids) for one in written]
            found.append(
                [
                    Hypothesis(self.target.text(words), words, one.log_probability, one.score)
                    for words, one in zip(tokens, written, strict=True)
                ]
            )
        return found

    def normalized(self, features: npt.ArrayLike) -> npt.NDArray[Any]:
        """Features (images, n) with mean 0 and deviation 1, as far as they are like those of training.

        Raises
        ------
        ValueError
            If they are not finite numbers of this width.
        """
        values = np.asarray(features)
        if values.ndim != 2 or values.shape[1] != len(self.mean) or values.dtype.kind not in "iuf":
            raise ArgumentValueError(
                f"features: expected numbers (images, {len(self.mean)}), got {values.dtype} of shape {values.shape}"
            )
        if not np.isfinite(values).all():
            raise ArgumentValueError("features: expected finite numbers, got NaN or infinite ones")
        found: npt.NDArray[Any] = ((values - self.mean) / self.deviation).astype(self.writer.dtype)
        return found

    def score(self, features: npt.ArrayLike, sentences: Sequence[str]) -> npt.NDArray[np.float64]:
        """ln P(sentence | image) in nats: one sentence for each image, its end counted.

        Raises
        ------
        ValueError
            If there are not as many sentences as images, or the features do not fit.
        """
        rows = self.normalized(features)
        if len(rows) != len(sentences):
            raise ArgumentValueError(f"sentences: expected {len(rows)}, one for each image, got {len(sentences)}")
        pairs = Pairs(range(len(rows)), [self.target.target_ids(one) for one in sentences], rows)
        return self.pair_scores(pairs)

    # What predict.py shows

    def open_inputs(
        self, paths: Sequence[str], standard_input: BinaryIO | None = None, column: str | None = None
    ) -> Iterator[Any]:
        """Yield the features in all files.

        Raises
        ------
        OptionError
            If there are no files, because features cannot come from standard input, or a column is given.
        CorpusError
            If a file cannot be read, or its features are not those that the model reads.
        """
        if column is not None:
            raise self.no_effect("column")
        features, others = split_paths(paths)
        if others:
            raise OptionError(f"files: the features of images are read from .npz files, got {others[0]}")
        yield read_features(features, self.writer.settings.feature_dim)

    def result_columns(self, options: PredictionOptions) -> list[str]:
        """The image and the sentence; with scores or several sentences, the rank and the scores too."""
        if options.probabilities:
            raise self.no_effect("probabilities")
        rank = ["rank"] if options.nbest is not None else []
        scores = ["score", "log_probability"] if options.scores or options.nbest is not None else []
        return ["image", *rank, *scores, "sentence"]

    def results(self, reader: Any, options: PredictionOptions) -> Iterator[Sequence[Any]]:
        """Yield one row for each image, or with `nbest` several."""
        columns = self.result_columns(options)
        for image, found in zip(reader.names, self.hypotheses(reader.features, Search.chosen(options)), strict=True):
            for rank, one in enumerate(found[: options.nbest or 1], start=1):
                values = {"image": image, "rank": rank, "score": one.score, "log_probability": one.log_probability}
                yield [*(values[name] for name in columns[:-1]), one.text]

    def write_page(
        self,
        path: str | os.PathLike[str],
        readers: Iterable[Any],
        about: Mapping[str, str],
        options: PredictionOptions | None = None,
    ) -> None:
        """Write a page that shows each image beside its sentences. `options.images` is the folder of the images."""
        options = options or PredictionOptions()

        def described() -> Iterator[DescribedImage]:
            for reader in readers:
                found = self.hypotheses(reader.features, Search.chosen(options))
                for image, sentences in zip(reader.names, found, strict=True):
                    best = [(one.text, one.log_probability) for one in sentences[: options.nbest or 1]]
                    yield DescribedImage(image, best)

        write_description_page(path, about, described(), options.images)

    def evaluate(
        self,
        paths: Sequence[str],
        column: str | None = None,
        standard_input: BinaryIO | None = None,
        options: PredictionOptions | None = None,
    ) -> DescriptionReport:
        """Compare descriptions with given ones, and measure the perplexity of the given ones.

        Parameters
        ----------
        paths : sequence of paths
            .npz files of features, and tables of sentences. Only images with sentences are described.

        Raises
        ------
        CorpusError
            If there are no sentences, or a file cannot be read. The message names the file and the line.
        OptionError
            If the library sacrebleu is not installed, or a column is given.
        """
        if column is not None:
            raise self.no_effect("column")
        TranslationReport.require_library()
        images, captions = self._read(paths, self.writer.settings.feature_dim)
        rows = images.rows
        sentences: dict[str, list[str]] = {}
        for caption in captions:
            sentences.setdefault(caption.image, []).append(" ".join(self.target.tokens(caption.sentence)))
        chosen = self.hypotheses(
            images.features[[rows[name] for name in sentences]], Search.chosen(options or PredictionOptions())
        )
        pairs = caption_pairs(captions, images, self.normalized(images.features), self.target)
        found = [" ".join(one[0].tokens) for one in chosen]
        return DescriptionReport(found, list(sentences.values()), measured_loss(self.writer, pairs), pairs.predictions)

    @staticmethod
    def _read(paths: Sequence[str | os.PathLike[str]], width: int | None) -> tuple[ImageFeatures, list[Caption]]:
        """The features and the sentences in files, each image with features."""
        feature_paths, tables = split_paths(paths)
        if not tables:
            raise OptionError("data: there is no table of sentences; name one beside the .npz")
        if not feature_paths:
            raise OptionError("data: there are no features of images; name the .npz beside the table")
        captions = list(read_captions(tables))
        if not captions:
            raise CorpusError(f"{', '.join(map(str, tables))}: there are no sentences")
        images = read_features(feature_paths, width)
        check_images(captions, images.rows, images.place)
        return images, captions

    # Files

    def more_configuration(self) -> dict[str, Any]:
        """Means and deviations of the features."""
        return {"mean": self.mean.tolist(), "deviation": self.deviation.tolist()}

    @classmethod
    def more_arguments(cls, configuration: Mapping[str, Any]) -> dict[str, Any]:
        """Means and deviations of the features."""
        return {name: configuration[name] for name in ("mean", "deviation")}

    # Training

    @classmethod
    def training_task(
        cls,
        paths: Sequence[str],
        options: Any,
        note: Callable[[str], None],
        start: LanguageModel | None = None,
        saved: Mapping[str, Any] | None = None,
    ) -> WritingTask:
        """Read sentences and features, and make the task of a training run.

        Parameters
        ----------
        paths : sequence of paths
            .npz files of features, and tables of sentences.
        options : theano_rnn.training.options.TrainingOptions
            The held-out images of `valid`, a table, have features in the same files.
        note : callable
            Is told, in one line, what is learned.
        start : LanguageModel, optional
            Its vocabulary, embeddings and layers are those that the decoder starts from.
        saved : dict, optional
            What a checkpoint holds of the task, in a resumed run.

        Raises
        ------
        CorpusError, OptionError
            If a file cannot be used, or is missing.
        """
        images, captions = cls._read(paths, None)
        held_out = None if options.valid is None else list(read_captions([Path(options.valid)]))
        check_images(held_out or [], images.rows, images.place)
        target = sentence_side(captions, options, start, saved)
        pairs = caption_pairs(captions, images, images.features, target)
        if held_out is None:
            train, valid = pairs.split(options.held_out_share(pairs.predictions), options.seed)
        else:
            train, valid = pairs, caption_pairs(held_out, images, images.features, target)
        of_training = images.features[sorted(set(train.sources))]
        mean, deviation = of_training.mean(axis=0), of_training.std(axis=0)
        deviation[deviation < SMALLEST_DEVIATION] = 1.0
        normalized = (images.features - mean) / deviation
        train = Pairs(train.sources, train.targets, normalized)
        valid = None if valid is None else Pairs(valid.sources, valid.targets, normalized)
        names = ("hidden_dim", "cell", "activation", "layers", "dropout", "tied")
        settings = WriterSettings(
            words=len(target.vocabulary),
            feature_dim=normalized.shape[1],
            attention=False,
            embedding_dim=options.embedding_dim or options.hidden_dim,
            bias=bool(options.bias),
            **{name: getattr(options, name) for name in names},
        )
        options = options.fitted_to(len(train)).with_samples_for(settings.words)
        check_memory(settings, options.optimizer, settings.words, int(options.devices))
        writer = Writer(settings, seed=options.seed)
        log_frequencies = target.log_frequencies(train.targets)
        start_output_bias(writer, log_frequencies)
        counts = "" if valid is None else f", {len(valid):,} held out"
        note(
            f"{len(train):,} sentences of {len(set(train.sources)):,} images{counts}; "
            f"{settings.feature_dim} features; vocabulary of {settings.words:,} tokens"
        )
        if start is not None:
            note(start_decoder(writer, start))
        description = {"target": target.to_configuration()} if start is not None or saved else {}

        def make_model(parameters: Mapping[str, np.ndarray], history: Sequence[dict[str, Any]]) -> Describer:
            training = {"options": options.to_model_configuration(), "history": list(history)}
            writer = Writer.from_values(settings, parameters)
            return cls(writer, target, mean.tolist(), deviation.tolist(), training)

        sampler = sampler_for(options.samples, log_frequencies)
        return WritingTask(writer, train, valid, options, make_model, description, sampler=sampler)


def sentence_side(
    captions: Sequence[Caption], options: Any, start: LanguageModel | None, saved: Mapping[str, Any] | None
) -> TextSide:
    """The vocabulary of a run: that of the language model to start from, or of the sentences."""
    if start is not None:
        return TextSide(start.vocabulary, start.tokenizer)
    if saved is not None and "target" in saved:
        return TextSide.from_configuration(saved["target"])
    tokenizer = Tokenizer(lowercase=not options.keep_case, tokenized=options.tokenized, lines=True)
    texts = [caption.sentence for caption in captions]
    return TextSide.of(texts, tokenizer, options.vocabulary_size, options.min_count, options.subwords)


def caption_pairs(
    captions: Sequence[Caption], images: ImageFeatures, normalized: npt.NDArray[Any], target: TextSide
) -> Pairs:
    """Sentences as ids, with the rows of their images."""
    rows = images.rows
    targets = [target.target_ids(caption.sentence) for caption in captions]
    return Pairs([rows[caption.image] for caption in captions], targets, normalized.astype(np.float32))


def start_decoder(writer: Writer, lm: LanguageModel) -> str:
    """Set the parameters of a decoder that a language model has in the same shape; return a line that names them."""
    values, of_lm = writer.get_values(), lm.rnn.get_values()
    given = {name: value for name, value in of_lm.items() if name not in ("V", "c", "E")}
    given["V" if writer.settings.tied else "E"] = of_lm["V" if lm.rnn.tied else "E"]
    taken = {name: value for name, value in given.items() if name in values and values[name].shape == value.shape}
    writer.set_values({**values, **taken})
    return f"starting from the language model's {', '.join(taken)}"
