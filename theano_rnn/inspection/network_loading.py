"""Load a network from a file of either kind: a language model, or a bare network (U, V, W) without a vocabulary."""

import os

from theano_rnn.files.archive import read_archive
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN


def load_network(path: str | os.PathLike[str]) -> tuple[RNN, LanguageModel | None]:
    """Load the network in a file, and its language model if there is one.

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
        If the file is missing or damaged, or holds something else.
    """
    if "vocabulary" not in read_archive(path):
        return RNN.load(path), None
    lm = LanguageModel.load(path)
    return lm.rnn, lm
