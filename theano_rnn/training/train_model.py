"""Training a language model: from texts and settings, or a checkpoint, to a run and the model that comes of it."""

import contextlib
import os
from pathlib import Path

from theano_rnn.engines.engine import select_device
from theano_rnn.errors import ModelFileError, OptionError
from theano_rnn.files.archive import one_line
from theano_rnn.files.corpus_formats import check_column
from theano_rnn.language_models.language_model import load
from theano_rnn.networks.cells import CELLS
from theano_rnn.networks.parameters import check_shapes, parameter_shapes
from theano_rnn.networks.rnn import RNN
from theano_rnn.results.pictures import check_can_draw
from theano_rnn.text.corpus import read_corpus
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary
from theano_rnn.training.corpus_cache import CorpusCache
from theano_rnn.training.fine_tuning import unknown_share, with_settings_of
from theano_rnn.training.options import TrainingOptions
from theano_rnn.training.progress import ProgressReporter
from theano_rnn.training.reporter import Reporter
from theano_rnn.training.run_files import RunFiles
from theano_rnn.training.timing import TimeLimit
from theano_rnn.training.trainer import Trainer


def train(
    data,
    *,
    model="models/rnn.npz",
    resume=False,
    overwrite=False,
    log=None,
    plot=None,
    max_minutes=None,
    progress=False,
    reporter=None,
    **settings,
):
    """Train a language model on text files and keep the best one in a file.

    Parameters
    ----------
    data : path or sequence of paths
        Plain text, or CSV (``.csv`` or ``.tsv``), of which the setting ``column`` names the column to read (default
        ``body``, else ``text``, else the only one); each also gzipped. May be None on resuming.
    model : path
        Where the model is written after each evaluation; the state of the run stands beside it
        (``rnn.checkpoint.npz``), and the encoded text (``rnn.corpus.npz``), with which the next run on the same text
        begins at once. What another run has left there is kept as ``rnn.previous.npz`` and
        ``rnn.previous.checkpoint.npz``, the next one as ``rnn.previous-2.npz`` and so on; no kept file is ever
        replaced. While a run goes on, a lock (``rnn.lock``) protects it from a second one.
    resume : bool
        Go on from the checkpoint, with the numbers of an unbroken run. Settings that are not given are those of the
        interrupted run.
    overwrite : bool
        Replace what another run has left there instead of keeping it.
    log : path, optional
        Gets one JSON object a line for each evaluation.
    plot : path, optional
        A PNG picture of losses, learning rate and gradient norm, drawn anew while the run goes on.
    max_minutes : float, optional
        This call ends after so many minutes, the reading of the text and a last evaluation included as far as they can
        be foreseen, though the run may not have ended: `resume` goes on with it. If what it has learnt since the
        last evaluation makes a better model, that is what the file has until the run goes on; nothing else of that
        last evaluation is kept, so that in the end the run has the numbers of one that was never stopped.
    progress : bool
        Show the progress of the run on standard error. Whether or not it is shown, the logger ``theano_rnn`` gets one
        record of level INFO for each evaluation, and for each epoch that ends without one.
    reporter : Reporter, optional
        Receives what happens instead: see `theano_rnn.training.reporter.Reporter`.
    **settings
        The fields of `theano_rnn.training.options.TrainingOptions`, among them ``patience``, ``init_from`` and
        ``sample_every``.
        A run that ``init_from`` lets start from another model begins with an evaluation, if text is held out. Words
        that the vocabulary lacks are UNKNOWN_TOKEN. On resuming that model is not needed any more.

    Returns
    -------
    LanguageModel
        The best one found, as in the file.

    Raises
    ------
    CorpusError, OptionError, ModelFileError
        For texts, settings and files that cannot be used; nothing has been overwritten then.
    OutputFileError
        If the picture cannot be written before the run begins; later that is only told.
    DivergenceError
        When the loss becomes NaN or infinite; the best model so far is in the file.
    TrainingInterrupted
        On SIGINT, SIGTERM or SIGHUP, and where the reporter finds its pipe closed, after the run's state was saved.
    """
    reporter = reporter or (ProgressReporter() if progress else Reporter())
    time_limit = TimeLimit(max_minutes)
    log, plot = (None if path is None else Path(path) for path in (log, plot))
    files = RunFiles(Path(model), log, plot, overwrite, reporter.note)
    if plot is not None:
        check_can_draw(plot)
    if resume and overwrite:
        raise OptionError("overwrite: a run that goes on replaces no other run's files; leave it out")
    if resume:
        files.require_checkpoint()
        with contextlib.closing(reporter), files.alone():
            return resumed_run(files, data, settings, reporter, time_limit).run()
    start = None
    if settings.get("init_from") is not None:
        start = load(settings["init_from"])
        settings = with_settings_of(start, settings)
    options = TrainingOptions.from_settings(settings)
    paths = text_paths(data)
    select_device(options.device)
    check_texts(files, paths, options)
    with contextlib.closing(reporter), files.alone():
        given = {} if start is None else {"vocabulary": start.vocabulary, "tokenizer": start.tokenizer}
        corpus = prepare_corpus(files, paths, options, reporter, **given)
        if start is not None:
            reporter.note(f"{unknown_share(corpus):.1%} of the tokens are unknown to the model to start from")
        return Trainer(corpus, options, files, reporter, paths, start and start.rnn.get_values(), time_limit).run()


def text_paths(data):
    """The paths of the training text, as strings."""
    if not data:
        raise OptionError("data: expected at least one text file, got none")
    return [os.fspath(path) for path in ([data] if isinstance(data, (str, os.PathLike)) else data)]


def check_texts(files, paths, options):
    """Refuse texts that would be overwritten, and a column where nothing has columns."""
    check_column(options.column, paths if options.valid is None else [*paths, options.valid])
    files.check(paths, options)


def resumed_run(files, data, settings, reporter, time_limit=None):
    """The run that a checkpoint describes, at the point where it was saved."""
    saved = files.read_checkpoint()
    try:
        options, fingerprint = TrainingOptions(**saved.configuration["options"]), saved.configuration["fingerprint"]
        recorded = list(map(os.fspath, saved.configuration["data"]))
        given = {}
        if options.init_from is not None:
            given["vocabulary"] = Vocabulary.from_configuration(saved.configuration["vocabulary"])
            if "tokenizer" in saved.configuration:  # which older runs do not keep
                given["tokenizer"] = Tokenizer.from_configuration(saved.configuration["tokenizer"])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"{saved.path}: damaged or inconsistent: {one_line(error)}") from error
    options, paths = options.resumed(settings), text_paths(data or recorded)
    select_device(options.device)
    check_texts(files, paths, options)
    corpus = prepare_corpus(files, paths, options, reporter, fingerprint, **given)
    try:
        cell = CELLS[RNN.cell](options.activation)
        check_shapes(saved.arrays, parameter_shapes(cell, len(corpus.vocabulary), options.hidden_dim))
    except ValueError as error:
        raise ModelFileError(f"{saved.path}: damaged or inconsistent: {one_line(error)}") from error
    run = Trainer(corpus, options, files, reporter, paths, time_limit=time_limit)
    run.restore(saved)
    return run


def prepare_corpus(files, paths, options, reporter, fingerprint=None, vocabulary=None, tokenizer=None):
    """Read the encoded text from the cache, or else encode it and keep it there."""
    given = {"vocabulary": vocabulary, "tokenizer": tokenizer}
    reporter.reading([*paths, *([] if options.valid is None else [options.valid])])
    cache = CorpusCache(files.corpus, paths, options, **given)
    corpus = cache.read(fingerprint)
    if corpus is None:
        folder = files.corpus.resolve().parent
        corpus = read_corpus(paths, options, reporter.note, reporter.encoding, **given, folder=folder)
    else:
        reporter.note(f"text as encoded before ({cache.path})")
        reporter.note(corpus.summary)
    reporter.note(corpus.coverage.summary("characters" if options.level == "char" else "words"))
    hints = corpus.profile.hints(corpus.tokenizer.splits_sentences, reporter.option_name)
    for warning in (*hints, corpus.coverage.warning(options, reporter.option_name)):
        if warning is not None:
            reporter.warn(warning)
    if fingerprint not in (None, corpus.fingerprint) and options.level == "char":
        # Runs of older versions did not end a last line that the file leaves open.
        corpus = read_corpus(paths, options, **given, folder=files.corpus.resolve().parent, ends_last_line=False)
    if fingerprint not in (None, corpus.fingerprint):
        raise OptionError(
            "data: the text, or how this version splits it into sentences, has changed since the interrupted run; "
            "start a new run, or start from its model with `init_from`"
        )
    cache.write(corpus)
    return corpus
