"""Training a language model: `train`, which makes or resumes a training run and carries it out."""

import contextlib
import inspect
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from theano_rnn.deployment.event_log import check_event_folder
from theano_rnn.engines.engine import select_device, useful_devices
from theano_rnn.errors import ArgumentTypeError, ModelFileError, OptionError
from theano_rnn.files.archive import one_line
from theano_rnn.files.corpus_formats import check_column
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.language_models.model_files import LANGUAGE_MODEL, class_of_task
from theano_rnn.large_vocabularies.memory_need import check_memory
from theano_rnn.networks.parameters import check_shapes
from theano_rnn.results.pictures import check_can_draw
from theano_rnn.speech.input_files import files_in
from theano_rnn.tasks.task import Task
from theano_rnn.tasks.task_options import FRAME_TASKS, check_data, with_frame_task, with_settings_of
from theano_rnn.text.corpus import Corpus, read_corpus
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary
from theano_rnn.training.corpus_cache import CorpusCache
from theano_rnn.training.language_model_task import LanguageModelTask, unknown_share, with_inherited_settings
from theano_rnn.training.options import AUTO, TrainingOptions, check_option_names
from theano_rnn.training.progress import ProgressReporter
from theano_rnn.training.reporter import Reporter
from theano_rnn.training.run_files import RunFiles
from theano_rnn.training.timing import TimeLimit
from theano_rnn.training.trainer import Trainer
from theano_rnn.training.training_data import text_length

CHANGED_DATA = (
    "data: the text, or how this version splits it into sentences, has changed since the interrupted run; "
    "start a new run, or start from its model with `init_from`"
)


def train(
    data: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None,
    *,
    model: str | os.PathLike[str] = "models/rnn.npz",
    resume: bool = False,
    overwrite: bool = False,
    log: str | os.PathLike[str] | None = None,
    plot: str | os.PathLike[str] | None = None,
    tensorboard: str | os.PathLike[str] | None = None,
    max_minutes: float | None = None,
    progress: bool = False,
    reporter: Reporter | None = None,
    **settings: Any,
) -> LanguageModel:
    """Train a language model on text files and save the best one.

    Parameters
    ----------
    data : path or iterable of paths
        Plain text, CSV (``.csv``) or TSV (``.tsv``), each also gzipped (``.gz``). May be None if `resume` is True.
    model : path
        The file of the model, which is written after each evaluation. Next to it are the state of the run
        (``rnn.checkpoint.npz``) and the encoded text (``rnn.corpus.npz``), with which the next run on the same text
        starts faster. A lock (``rnn.lock``) keeps a second run away. The files of an earlier run are kept as
        ``rnn.previous.npz`` and ``rnn.previous.checkpoint.npz``, those of the next one as ``rnn.previous-2.npz`` and so
        on. Kept files are never replaced.
    resume : bool
        Continue from the checkpoint. The results are those of an uninterrupted run. Settings that are not given are
        those of the interrupted run.
    overwrite : bool
        Replace the files of an earlier run instead of keeping them.
    log : path, optional
        A file for the results of the evaluations, one JSON object per line.
    plot : path, optional
        A PNG file for a plot of losses, learning rate and gradient norm, which is updated during the run.
    tensorboard : path, optional
        A folder for event files, with which TensorBoard shows losses, learning rate, gradient norm and samples.
    max_minutes : float, optional
        The time limit of this call, in minutes, including the time to read the text and for a final evaluation. Use
        `resume` to continue the run. If the final evaluation finds a better model, the model file holds it until the
        run continues. Nothing else of that evaluation is kept, so that the whole run has the results of one that was
        never stopped.
    progress : bool
        Show the progress of the run on standard error, and after its last epoch how good simple models are on the same
        held-out data. Whether or not it is shown, the logger ``theano_rnn`` gets one
        record of level INFO for each evaluation, and for each epoch that ends without one.
    reporter : Reporter, optional
        Receives what happens instead: see `theano_rnn.training.reporter.Reporter`.
    **settings
        The options of the run, by name; see Other Parameters.

    Other Parameters
    ----------------
    level : {"word", "char"}
        Whether tokens are words or characters.
    column : str
        The column of CSV and TSV files that holds the texts. Default: ``body``, else ``text``, else the only column.
    lines, tokenized, keep_case : bool
        Each line is one sentence; the text is tokenized already; words keep their capitals.
    vocabulary_size, min_count : int
        The maximum number of entries in the vocabulary, and the minimum count of a word in it.
    valid : path
        A file of held-out text.
    valid_fraction : float
        The share of the text to hold out if there is no such file.
    init_from : path
        A model to start from, with its parameters, vocabulary, tokenizer and sizes. If text is held out, the run begins
        with an evaluation. The model is not needed to resume the run.
    cell : {"simple", "gru", "lstm"}
        The recurrent cell; "simple" is the tutorial's.
    layers, hidden_dim, embedding_dim, bptt_truncate : int
        See `theano_rnn.RNN`.
    activation : {"tanh", "relu"}
        The activation function of the simple cell.
    bias, tied : bool
        Whether the network has biases, and whether the rows of V are also the embeddings. By default, only GRU and LSTM
        have biases, and only the tasks "fill", "translate" and "describe" have tied weights. Output biases start from
        the frequencies of the words.
    dropout : float
        The share of values that each training step sets to zero.
    continuous : bool
        Read the sentences as one stream: the state is carried over their ends and from minibatch to minibatch.
    epochs, batch_size : int
        The number of passes over the text, and of sentences (or parallel streams) per minibatch.
    sequence_length : int
        The number of tokens per step in each stream, for `continuous` texts and characters.
    optimizer : {"sgd", "momentum", "adagrad", "rmsprop", "adam"}
        The update rule.
    learning_rate, rate_decay, clip : float
        The learning rate in epoch e is ``learning_rate / (1 + rate_decay * e)``; `clip` limits the gradient norm.
    rate_schedule : {"inverse", "linear"}
        "linear": the learning rate falls from step to step instead, to 0 at the end of the last epoch.
    samples : int or "auto"
        The number of words drawn at random that each step compares the next words with, instead of the whole
        vocabulary; 0: exact softmax. "auto": 500 if the vocabulary has at least 5,000 entries.
    tutorial : bool
        Train exactly as the tutorial does.
    evaluate_every, save_every, sample_every : int, float, int
        In epochs, minutes and steps.
    patience : int
        Stop after this many evaluations in a row without an improvement.
    features : {"log-mel", "mfcc"}
        The acoustic features to compute from .wav files.
    tier : str
        The tier of TextGrids that holds the labels. Default: the only one.
    attention, repeat_source, shared_vocabulary, subwords, target
        Options of translation; see `theano_rnn.training.options.TrainingOptions`.
    seed : int
        The seed of initial parameters, held-out sentences and the order of sentences.
    device : {"auto", "cpu", "gpu"}
        Where to compute.
    devices : int or "auto"
        The number of cores, or of GPUs, that each minibatch is split over. "auto": more than one where this is faster.

    Returns
    -------
    LanguageModel, or the model of another task
        The best model of the run, as saved.

    Raises
    ------
    CorpusError, OptionError, ArgumentTypeError, ModelFileError
        If a text, an option or a file cannot be used. No file has been overwritten.
    OutputFileError
        If the plot or the event files cannot be written before the run begins. Later failures are only reported.
    DivergenceError
        If the loss becomes NaN or infinite. The best model so far is saved.
    TrainingInterrupted
        On SIGINT (as from a notebook's stop button), SIGTERM or SIGHUP, and if the reporter finds its pipe closed. The
        best model so far is in the file, and the state of the run is saved.

    See Also
    --------
    theano_rnn.training.options.TrainingOptions : The options in detail, with their defaults.

    Examples
    --------
    >>> from pathlib import Path
    >>> _ = Path("text.txt").write_text("The dog sees the cat. The cat sees the bird. " * 20, encoding="utf-8")
    >>> lm = train("text.txt", model="small.npz", hidden_dim=5, epochs=2)
    >>> lm.vocabulary
    Vocabulary(9 tokens, word level)
    """
    check_option_names(settings, inspect.signature(train).parameters)
    reporter = reporter or (ProgressReporter() if progress else Reporter())
    time_limit = TimeLimit(max_minutes)
    log, plot, events = (None if path is None else Path(path) for path in (log, plot, tensorboard))
    files = RunFiles(Path(model), log, plot, overwrite, reporter.note, events)
    if plot is not None:
        check_can_draw(plot)
    if tensorboard is not None:
        check_event_folder(tensorboard)
    if resume and overwrite:
        raise OptionError("overwrite: a resumed run replaces no files of other runs; leave it out")
    if resume:
        files.require_checkpoint()
        with contextlib.closing(reporter), files.locked():
            return resumed_run(files, data, settings, reporter, time_limit).run()
    paths = text_paths(data)
    settings, start = with_frame_task(settings, paths), None
    if settings.get("init_from") is not None and settings.get("task") not in FRAME_TASKS.values():
        start = LanguageModel.load(settings["init_from"])
        is_language_model = settings.get("task", LANGUAGE_MODEL) == LANGUAGE_MODEL
        settings = (with_inherited_settings if is_language_model else with_settings_of)(start, settings)
    options = with_devices(TrainingOptions.from_settings(settings), reporter)
    check_paths(files, paths, options)
    with contextlib.closing(reporter), files.locked():
        task = prepare_task(files, paths, options, reporter, start)
        return Trainer(task, files, reporter, paths, time_limit).run()


def with_devices(options: TrainingOptions, reporter: Reporter) -> TrainingOptions:
    """Choose the devices of a run, and return the options with their number in place of "auto"."""
    if options.devices == AUTO:
        most = options.most_useful_devices
        options = replace(options, devices=min(most, useful_devices(options.device)) if most > 1 else 1)
        reporter.note(f"{reporter.option_name('devices')} auto: {options.devices}")
    select_device(options.device, int(options.devices))
    return options


def prepare_task(
    files: RunFiles,
    paths: list[str],
    options: TrainingOptions,
    reporter: Reporter,
    start: LanguageModel | None = None,
    saved: Mapping[str, Any] | None = None,
) -> Task:
    """Read the data of a run and make its task.

    Parameters
    ----------
    files : RunFiles
    paths : list of str
    options : TrainingOptions
    reporter : Reporter
    start : LanguageModel, optional
        The model to start from.
    saved : dict, optional
        The configuration of the checkpoint of a run that is resumed.
    """
    if options.task != LANGUAGE_MODEL:
        reporter.reading([*paths, *([] if options.valid is None else [options.valid])])
        task: Task = class_of_task(options.task).training_task(paths, options, reporter.note, start, saved)
        if saved is not None and task.fingerprint != saved["fingerprint"]:
            raise OptionError(CHANGED_DATA)
        return task
    vocabulary = tokenizer = None
    if start is not None:
        vocabulary, tokenizer = start.vocabulary, start.tokenizer
    elif saved is not None and options.init_from is not None:
        vocabulary = Vocabulary.from_configuration(saved["vocabulary"])
        if "tokenizer" in saved:  # missing in checkpoints of older versions
            tokenizer = Tokenizer.from_configuration(saved["tokenizer"])
    fingerprint = None if saved is None else saved["fingerprint"]
    corpus = prepare_corpus(files, paths, options, reporter, fingerprint, vocabulary, tokenizer)
    if start is not None:
        reporter.note(f"{unknown_share(corpus):.1%} of the tokens are unknown to the model to start from")
    if options.too_many_samples_for(len(corpus.vocabulary)):
        reporter.note(
            f"{reporter.option_name('samples')}: {options.samples:,} is not less than the size of the vocabulary, "
            f"{len(corpus.vocabulary):,}; training with the exact softmax"
        )
    options = options.fitted_to(text_length(corpus.train, options))
    words = len(corpus.vocabulary)
    check_memory(options.architecture(words), options.optimizer, words, int(options.devices))
    task = LanguageModelTask(corpus, options, None if start is None else start.rnn.get_values())
    if task.options.samples:
        reporter.note(task.about_samples(reporter.option_name))
    return task


def text_paths(data: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None) -> list[str]:
    """Return the paths of the training text as a list of str.

    Examples
    --------
    >>> text_paths("a.txt"), text_paths([Path("a.txt"), "b.csv"])
    (['a.txt'], ['a.txt', 'b.csv'])
    """
    if data is None or (isinstance(data, str) and not data):
        raise OptionError("data: expected at least one text file, got none")
    if isinstance(data, (bytes, bytearray)) or not isinstance(data, (str, os.PathLike, Iterable)):
        raise ArgumentTypeError(f"data: expected a path or several paths, got {type(data).__name__}")
    paths = [data] if isinstance(data, (str, os.PathLike)) else list(data)
    if not paths:
        raise OptionError("data: expected at least one text file, got none")
    for path in paths:
        if not isinstance(path, (str, os.PathLike)):
            raise ArgumentTypeError(f"data: expected a path or several paths, got {type(path).__name__} among them")
    return [os.fspath(path) for path in paths]


def check_paths(files: RunFiles, paths: list[str], options: TrainingOptions) -> None:
    """Raise an error if the run would overwrite its data, cannot read it, or has no table for the column."""
    everything = paths if options.valid is None else [*paths, options.valid]
    check_column(options.column, everything)
    files.check([*map(os.fspath, files_in(everything))], options)
    check_data(options.task, everything)


def resumed_run(
    files: RunFiles,
    data: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None,
    settings: dict[str, Any],
    reporter: Reporter,
    time_limit: TimeLimit | None = None,
) -> Trainer:
    """Make the trainer of an interrupted run, in the state that its checkpoint describes."""
    checkpoint = files.read_checkpoint()
    saved = checkpoint.configuration
    try:
        options = TrainingOptions(**{"samples": 0, **saved["options"]})  # version 0.1 had only the exact softmax
        recorded_paths = list(map(os.fspath, saved["data"]))
        check_saved(saved, options)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"{checkpoint.path}: damaged or inconsistent: {one_line(error)}") from error
    paths = text_paths(data or recorded_paths)
    options = with_devices(options.resumed(with_frame_task(settings, paths)), reporter)
    check_paths(files, paths, options)
    task = prepare_task(files, paths, options, reporter, saved=saved)
    try:
        check_shapes(checkpoint.arrays, task.network.parameter_shapes)
    except ValueError as error:
        raise ModelFileError(f"{checkpoint.path}: damaged or inconsistent: {one_line(error)}") from error
    trainer = Trainer(task, files, reporter, paths, time_limit)
    trainer.restore(checkpoint)
    return trainer


def check_saved(saved: Mapping[str, Any], options: TrainingOptions) -> None:
    """Raise KeyError, TypeError or ValueError if a checkpoint lacks what its run needs beside the data."""
    if not isinstance(saved["fingerprint"], str):
        raise TypeError("fingerprint: expected a str")
    if options.init_from is not None:
        Vocabulary.from_configuration(saved["vocabulary"])
        if "tokenizer" in saved:
            Tokenizer.from_configuration(saved["tokenizer"])


def prepare_corpus(
    files: RunFiles,
    paths: list[str],
    options: TrainingOptions,
    reporter: Reporter,
    fingerprint: str | None = None,
    vocabulary: Vocabulary | None = None,
    tokenizer: Tokenizer | None = None,
) -> Corpus:
    """Read the corpus from the cache, or else encode the text and write it to the cache.

    Parameters
    ----------
    files : RunFiles
    paths : list of str
        The files of the training text.
    options : TrainingOptions
    reporter : Reporter
    fingerprint : str, optional
        The fingerprint of the corpus of the interrupted run.
    vocabulary, tokenizer : optional
        Those of the model to start from.

    Raises
    ------
    OptionError
        If the corpus does not have this fingerprint.
    """
    reporter.reading([*paths, *([] if options.valid is None else [options.valid])])
    cache = CorpusCache(files.corpus, paths, options, vocabulary, tokenizer)
    folder = files.corpus.resolve().parent
    corpus = cache.read(fingerprint)
    if corpus is None:
        corpus = read_corpus(
            paths,
            options,
            reporter.note,
            reporter.encoding,
            vocabulary=vocabulary,
            tokenizer=tokenizer,
            folder=folder,
        )
    else:
        reporter.note(f"text as encoded before ({cache.path})")
        reporter.note(corpus.summary)
    report_coverage(corpus, options, reporter)
    if fingerprint not in (None, corpus.fingerprint) and options.level == "char":
        # Older versions did not add a line end to a text without one.
        corpus = read_corpus(
            paths, options, vocabulary=vocabulary, tokenizer=tokenizer, folder=folder, ends_last_line=False
        )
    if fingerprint not in (None, corpus.fingerprint):
        raise OptionError(CHANGED_DATA)
    cache.write(corpus)
    return corpus


def report_coverage(corpus: Corpus, options: TrainingOptions, reporter: Reporter) -> None:
    """Report how many words are unknown, and whether other options suit the text better."""
    reporter.note(corpus.coverage.summary("characters" if options.level == "char" else "words"))
    for hint in corpus.profile.hints(corpus.tokenizer.splits_sentences, reporter.option_name):
        reporter.warn(hint)
    warning = corpus.coverage.warning(options, reporter.option_name)
    if warning is not None:
        reporter.warn(warning)
