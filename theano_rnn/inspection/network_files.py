"""Model files of either kind, for what needs no vocabulary: language models, and bare networks (U, V, W)."""

from theano_rnn.files.archive import read_archive
from theano_rnn.language_models.language_model import load
from theano_rnn.networks.rnn import RNN


def open_network(path):
    """The network in a file, with its language model if it has one.

    Returns
    -------
    RNN, LanguageModel or None

    Raises
    ------
    ModelFileError
        For a file that is missing, damaged or holds something else.
    """
    if "vocabulary" not in read_archive(path):
        return RNN.load(path), None
    lm = load(path)
    return lm.rnn, lm
