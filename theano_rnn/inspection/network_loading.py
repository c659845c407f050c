"""Loads a network from the file of a language model or of a bare network, which has no vocabulary."""

import os

from theano_rnn.files.archive import read_archive
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN


def load_network(path: str | os.PathLike[str]) -> tuple[RNN, LanguageModel | None]:
    """Load the network in a file, and the language model if the file has one.

    Parameters
    ----------
    path : str or os.PathLike

    Returns
    -------
    rnn : RNN
    lm : LanguageModel or None
        ``lm.rnn`` is `rnn`. None for a bare network.

    Raises
    ------
    ModelFileError
        If the file is missing, damaged or not a model.
    """
    if "vocabulary" not in read_archive(path):
        return RNN.load(path), None
    lm = LanguageModel.load(path)
    return lm.rnn, lm
