"""Finds the optional packages that write the formats of other programs."""

import importlib.util

from theano_rnn.errors import OptionError


def require_package(name: str, option: str) -> None:
    """Check that a package is installed. The extra of this package that installs it has the same name.

    Parameters
    ----------
    name : {"onnx", "safetensors", "tensorboard"}
    option : str
        The option that needs it.

    Raises
    ------
    OptionError
        If it is not installed.
    """
    if importlib.util.find_spec(name) is None:
        raise OptionError(f'{option}: needs the package {name}, which is not installed; run pip install ".[{name}]"')
