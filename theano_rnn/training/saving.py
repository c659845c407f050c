"""What a checkpoint holds of a training run: taken from the run, and given back to one that goes on."""

import os

import numpy as np

from theano_rnn.errors import ModelFileError
from theano_rnn.files.archive import one_line
from theano_rnn.networks.parameters import check_shapes
from theano_rnn.training.live_plot import TrainingCurves
from theano_rnn.training.training_state import TrainingState

CURVES = "curves"
MEASURED = "losses_are_measured"  # older versions compared losses that were averaged while learning


def contents(run):
    """What decides how a run goes on, and its curves: arrays by name, and the rest as a dict."""
    arrays = {**run.rnn.get_values(), **run.optimizer.get_state()}
    arrays |= {f"best.{name}": value for name, value in run.best.items()}
    if run.stream_states is not None:
        arrays["stream_states"] = np.asarray(run.stream_states)
    if len(run.picture.curves):
        arrays[CURVES] = run.picture.curves.to_array()
    configuration = {
        "options": run.options.to_configuration(),
        "data": [os.path.abspath(path) for path in run.paths],
        "fingerprint": run.corpus.fingerprint,
        "state": run.state.to_configuration(),
        MEASURED: True,
    }
    if run.options.init_from is not None:  # the text does not tell it
        configuration["vocabulary"] = run.corpus.vocabulary.to_configuration()
        configuration["tokenizer"] = run.corpus.tokenizer.to_configuration()
    return arrays, configuration


def restore(run, saved):
    """Take up the state of a checkpoint.

    Raises
    ------
    ModelFileError
        If its parts do not fit together, or to the run.
    """
    arrays = saved.arrays
    try:
        for name, array in arrays.items():
            if name != CURVES and array.dtype.kind == "f" and not np.isfinite(array).all():
                raise ValueError(f"{name} holds values that are not finite")
        run.state = TrainingState.from_configuration(saved.configuration["state"])
        run.rnn.set_values(arrays)
        run.best = {name: arrays[f"best.{name}"] for name in run.rnn.parameter_names}
        check_shapes(run.best, run.rnn.parameter_shapes)
        run.optimizer.set_state(arrays, run.state.step_number)
        if CURVES in arrays:
            run.picture.curves = TrainingCurves.from_array(arrays[CURVES])
        run.stream_states = arrays.get("stream_states")
        if run.stream_states is not None:
            check_shapes(arrays, {"stream_states": (run.options.batch_size, run.options.hidden_dim)})
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"{saved.path}: damaged or inconsistent: {one_line(error)}") from error
    run.model_is_stale = run.files.model_is_ours = run.state.has_begun
