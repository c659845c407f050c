"""Which floating-point type new networks get. Of Theano, this module knows only the setting `floatX`."""

from typing import Any


class FloatXSetting:
    """Distinguishes a `floatX` that the user has set from Theano's default, float64. This package defaults to float32.

    Parameters
    ----------
    parameter : ConfigParam
        What holds `floatX` in Theano's configuration.
    imported_before : bool
        Whether the program had imported Theano before this package. The program may then have set `floatX` to its
        default value, which leaves no trace, so the value counts as set.
    """

    def __init__(self, parameter: Any, imported_before: bool) -> None:
        self.parameter: Any = parameter
        self.unset: str | None = None
        if parameter.is_default and parameter.val == parameter.default and not imported_before:
            # An equal string that is another object, so that a value that is set later can be distinguished from it.
            parameter.val = self.unset = "".join(parameter.default)

    def float_type(self) -> str:
        """Return the type that the user has set, else "float32"."""
        return "float32" if self.parameter.val is self.unset else self.parameter.val
