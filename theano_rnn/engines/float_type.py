"""Which floating-point type networks get. Knows of each Theano only its setting `floatX`."""


class FloatSetting:
    """Tells a `floatX` that the user has set from the default of Theano, which is float64; ours is float32.

    Parameters
    ----------
    parameter : ConfigParam
        What holds `floatX` in Theano's configuration.
    imported_before : bool
        Whether the program had imported Theano before us. Then it may have set `floatX` to the default value, which
        nothing shows, so the value counts as set.
    """

    def __init__(self, parameter, imported_before):
        self.parameter = parameter
        self.unset = None
        if parameter.is_default and parameter.val == parameter.default and not imported_before:
            # An equal string that is another object: a value that is set later can be told from it.
            parameter.val = self.unset = "".join(parameter.default)

    def float_type(self):
        """What the user has set, else "float32"."""
        return "float32" if self.parameter.val is self.unset else self.parameter.val
