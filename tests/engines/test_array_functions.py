"""Functions of arrays give NumPy arrays the value that a compiled graph gives."""

import numpy as np
import pytest

from theano_rnn.engines.array_functions import concatenate, exp, log, positive_part, repeated, row_sums, tanh
from theano_rnn.engines.engine import compile_function, typed_tensor

FORMULAS = {
    "tanh": tanh,
    "exp": exp,
    "log": lambda z: log(z * z + 1),
    "positive part": positive_part,
    "row sums": row_sums,
    "concatenation": lambda z: concatenate([z, 2 * z], axis=-1),
    "one repeated value": lambda z: repeated((0.5,), 3, like=z),
    "several repeated values": lambda z: repeated((0.5, 1, 0.5), 2, like=z),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_value_of_a_numpy_array_is_that_of_the_graph(dtype):
    z = np.array([[-2.0, 0.0, 0.5], [3.0, -0.25, 1.0]], dtype)

    def build():
        variable = typed_tensor("z", dtype, z.shape)
        return [variable], [formula(variable) for formula in FORMULAS.values()], None

    for name, expected in zip(FORMULAS, compile_function(build, dtype)(z), strict=True):
        found = FORMULAS[name](z)
        assert isinstance(found, np.ndarray) and found.dtype == dtype, name
        np.testing.assert_allclose(found, np.asarray(expected), rtol=1e-6, err_msg=name)


def test_repeated_values_keep_the_type():
    assert repeated((0.5, 1), 2, like=np.zeros(1, "float32")).tolist() == [0.5, 0.5, 1, 1]
