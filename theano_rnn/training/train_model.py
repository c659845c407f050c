"""Training a language model: `train`, which makes or resumes a training run and carries it out."""

import contextlib
import inspect
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from theano_rnn.deployment.event_log import check_event_folder
from theano_rnn.devices.process_group import JOIN_TIMEOUT, ProcessGroup, place_in_group
from theano_rnn.devices.shared_files import copy_of_leader, shared_data, temporary_folder
from theano_rnn.engines.engine import (
    check_process_count,
    cluster_place,
    connected,
    exchange,
    first_sum,
    select_device,
    useful_devices,
    versions,
)
from theano_rnn.errors import ArgumentTypeError, ModelFileError, OptionError
from theano_rnn.files.archive import one_line, read_archive, read_document
from theano_rnn.files.corpus_formats import check_column
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.language_models.model_files import LANGUAGE_MODEL, class_of_task
from theano_rnn.large_vocabularies.memory_need import check_memory
from theano_rnn.networks.network_file import RUN_ENTRY
from theano_rnn.networks.parameters import check_shapes
from theano_rnn.results.pictures import check_can_draw
from theano_rnn.speech.input_files import files_in
from theano_rnn.tasks.task import Task
from theano_rnn.tasks.task_options import FRAME_TASKS, check_data, with_frame_task, with_settings_of
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary
from theano_rnn.training.corpus_cache import CHANGED_DATA, prepare_corpus
from theano_rnn.training.language_model_task import LanguageModelTask, unknown_share, with_inherited_settings
from theano_rnn.training.options import AUTO, TrainingOptions, check_option_names
from theano_rnn.training.progress import ProgressReporter
from theano_rnn.training.reporter import Reporter
from theano_rnn.training.run_files import Checkpoint, NoFiles, RunFiles
from theano_rnn.training.timing import TimeLimit
from theano_rnn.training.trainer import Trainer
from theano_rnn.training.training_data import text_length

DATA_OPTIONS = ("valid", "target")  # the names of more files with data, which may differ between processes
OWN_PATHS = (*DATA_OPTIONS, "init_from")


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
    coordinator: str | None = None,
    processes: int | None = None,
    process: int | None = None,
    join_timeout: float = JOIN_TIMEOUT,
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
    coordinator : str, optional
        HOST:PORT of process 0, if several processes, perhaps on several machines, train the network together. JAX must
        not have computed anything in any of them. Default: what Slurm, Open MPI or Kubernetes says, else one process.
    processes, process : int, optional
        The number of processes, and the number of this one, from 0. Process 0 writes the files and shows the progress.
        `data` must have the same contents in all processes; each reads a part of it.
    join_timeout : float
        How many seconds to wait for the other processes.
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
    place = place_in_group(coordinator, processes, process, cluster_place)
    check_process_count(place.count)
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
    if resume and place.index == 0:
        files.require_checkpoint()
    paths = None if resume and not data else text_paths(data)
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.closing(reporter))
        group = ProcessGroup.of_run(place, facts_of_run(settings, resume, paths), join_timeout, reporter.note)
        stack.enter_context(group.ending_together())
        stack.enter_context(connected(group))
        if not group.leads:
            files = NoFiles(files.model, Path(stack.enter_context(temporary_folder())))
            reporter = Follower(reporter)
        run = Run(files, reporter, time_limit, group)
        if resume:
            stack.enter_context(files.locked())
            return run.resumed(paths, settings).run()
        return run.new(paths or [], settings, stack).run()


def facts_of_run(settings: Mapping[str, Any], resume: bool, paths: Sequence[str] | None) -> dict[str, Any]:
    """Return what must be the same in all processes of a run, as JSON has it, except for the contents of its files."""
    own = {name: value for name, value in settings.items() if name not in OWN_PATHS}
    number = None if paths is None else f"{len(paths)} file{'s' * (len(paths) != 1)}"
    version = sys.modules[__name__.partition(".")[0]].__version__  # nothing imports the package root
    facts = {"version": f"theano_rnn {version}, {versions()}", "resume": resume, "data": number, **own}
    found: dict[str, Any] = json.loads(json.dumps(facts, default=plain))
    return found


def plain(value: Any) -> Any:
    """Return a value as JSON can represent it: a number of NumPy as the number, all else as its description."""
    return value.item() if isinstance(value, np.generic) else repr(value)


def with_devices(options: TrainingOptions, reporter: Reporter, group: ProcessGroup) -> TrainingOptions:
    """Choose the devices of a run, and return the options with their number in place of "auto"."""
    if options.tutorial and group.count > 1:
        raise OptionError("processes: `tutorial` trains on one sentence at a time, which cannot be split; leave it out")
    if options.devices == AUTO:
        most = options.most_useful_devices if group.count == 1 else 1
        options = replace(options, devices=min(most, useful_devices(options.device)) if most > 1 else 1)
        reporter.note(f"{reporter.option_name('devices')} auto: {options.devices}")
    select_device(options.device, int(options.devices))
    return options


class Follower(Reporter):
    """What a process says beside process 0, which shows the progress: nothing, but errors name options as there."""

    def __init__(self, reporter: Reporter) -> None:
        self.option_name = reporter.option_name  # type: ignore[method-assign]


class Run(NamedTuple):
    """What a training run needs beside its data and its options."""

    files: RunFiles
    reporter: Reporter
    time_limit: TimeLimit
    group: ProcessGroup

    def new(self, paths: list[str], settings: dict[str, Any], stack: contextlib.ExitStack) -> Trainer:
        """Make the trainer of a new run, and keep other runs away from its files until the end of the block."""
        self._select_devices(settings)
        settings = with_frame_task(settings, paths)
        start = settings.get("init_from")
        if start is None or settings.get("task") in FRAME_TASKS.values():
            return self._begun(paths, settings, None, stack)
        with copy_of_leader(self.group, exchange, start) as path:
            model = LanguageModel.load(path)
        is_language_model = settings.get("task", LANGUAGE_MODEL) == LANGUAGE_MODEL
        settings = (with_inherited_settings if is_language_model else with_settings_of)(model, settings)
        return self._begun(paths, settings, model, stack)

    def _begun(
        self, paths: list[str], settings: dict[str, Any], start: LanguageModel | None, stack: contextlib.ExitStack
    ) -> Trainer:
        options = with_devices(TrainingOptions.from_settings(settings), self.reporter, self.group)
        check_paths(self.files, paths, options)
        stack.enter_context(self.files.locked())
        task = self._task(paths, options, start)
        return Trainer(task, self.files, self.reporter, paths, self.time_limit, self.group)

    def _task(
        self,
        paths: list[str],
        options: TrainingOptions,
        start: LanguageModel | None = None,
        saved: Mapping[str, Any] | None = None,
    ) -> Task:
        """Read the data of the run and make its task; see `prepare_task`."""
        self.reporter.reading([*paths, *([] if options.valid is None else [options.valid])])
        if self.group.count == 1:
            return prepare_task(self.files, paths, options, self.reporter, start, saved)
        others = {name: getattr(options, name) for name in DATA_OPTIONS if getattr(options, name) is not None}
        with shared_data(self.group, exchange, [*paths, *others.values()]) as copies:
            places: dict[str, Any] = dict(zip(others, copies[len(paths) :], strict=True))
            copied = replace(options, **places)
            task = prepare_task(self.files, copies[: len(paths)], copied, self.reporter, start, saved)
            task.options = replace(task.options, **{name: getattr(options, name) for name in places})
            return task

    def resumed(self, data: list[str] | None, settings: dict[str, Any]) -> Trainer:
        """Make the trainer of an interrupted run, in the state that its checkpoint describes."""
        checkpoint = self._checkpoint(settings)
        saved = checkpoint.configuration
        try:
            options = TrainingOptions(**{"samples": 0, **saved["options"]})  # version 0.1 had only the exact softmax
            recorded_paths = list(map(os.fspath, saved["data"]))
            check_saved(saved, options)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(f"{checkpoint.path}: damaged or inconsistent: {one_line(error)}") from error
        paths = data or text_paths(recorded_paths)
        options = with_devices(options.resumed(with_frame_task(settings, paths)), self.reporter, self.group)
        check_paths(self.files, paths, options)
        task = self._task(paths, options, saved=saved)
        try:
            check_shapes(checkpoint.arrays, task.network.parameter_shapes)
        except ValueError as error:
            raise ModelFileError(f"{checkpoint.path}: damaged or inconsistent: {one_line(error)}") from error
        trainer = Trainer(task, self.files, self.reporter, paths, self.time_limit, self.group)
        trainer.restore(checkpoint)
        return trainer

    def _select_devices(self, settings: Mapping[str, Any]) -> None:
        """Choose the devices of several processes, which exchange files before all options are known."""
        if self.group.count > 1:
            devices = TrainingOptions.from_settings({"devices": settings.get("devices", 1)}).devices
            number = 1 if devices == AUTO else int(devices)
            select_device(settings.get("device", "auto"), number)
            first_sum(number)

    def _checkpoint(self, settings: Mapping[str, Any]) -> Checkpoint:
        """Read the checkpoint; in the other processes, as process 0 has it."""
        saved: Mapping[str, Any] | None = None
        if self.group.leads:
            checkpoint = self.files.read_checkpoint()
            configuration: Any = checkpoint.configuration  # a damaged one can be anything
            options = configuration.get("options") if isinstance(configuration, dict) else None
            known = options if isinstance(options, dict) else {}
            saved = {name: known[name] for name in ("device", "devices") if name in known}
        self._select_devices({**self.group.broadcast(saved), **settings})
        with copy_of_leader(self.group, exchange, self.files.checkpoint) as path:
            if not self.group.leads:
                arrays = read_archive(path)
                checkpoint = Checkpoint(self.files.checkpoint, arrays, read_document(path, arrays, RUN_ENTRY))
        return checkpoint


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


def check_saved(saved: Mapping[str, Any], options: TrainingOptions) -> None:
    """Raise KeyError, TypeError or ValueError if a checkpoint lacks what its run needs beside the data."""
    if not isinstance(saved["fingerprint"], str):
        raise TypeError("fingerprint: expected a str")
    if options.init_from is not None:
        Vocabulary.from_configuration(saved["vocabulary"])
        if "tokenizer" in saved:
            Tokenizer.from_configuration(saved["tokenizer"])
