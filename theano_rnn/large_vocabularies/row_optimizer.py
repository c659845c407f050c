"""Steps that read and change few rows of large parameters, and nothing else of them. Symbolic expressions only.

The accumulators of all other rows, such as Adam's means, stay as they are until a step reads the rows again.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from theano_rnn.engines.engine import T
from theano_rnn.engines.tensor_types import SharedVariable, TensorVariable
from theano_rnn.large_vocabularies.candidates import CandidateSampler
from theano_rnn.large_vocabularies.table_rows import padded_numbers, rows_of, with_rows
from theano_rnn.large_vocabularies.word_places import Ids
from theano_rnn.networks.optimizer import MinibatchOptimizer
from theano_rnn.networks.parameters import ParameterStore

NEVER = 1e9  # -ln π of padding, which gets the probability 0


class RowOptimizer(MinibatchOptimizer):
    """Minimizes the mean cross-entropy over candidates, one minibatch at a time. Subclasses define the network.

    Parameters
    ----------
    network : ParameterStore
        None of its functions may have been compiled yet.
    sampler : CandidateSampler
        Draws the candidates.
    rule, clip, measures_norm, devices
        See `MinibatchOptimizer`.
    """

    def __init__(
        self,
        network: Any,
        sampler: CandidateSampler,
        rule: str = "adam",
        clip: float | None = None,
        measures_norm: bool = False,
        devices: int = 1,
    ) -> None:
        network.store_rows_of("V")
        super().__init__(network, rule, clip, measures_norm, devices)
        self.sampler: CandidateSampler = sampler
        self._numbers: Mapping[str, TensorVariable] = {}

    # Symbolic

    def few_rows(
        self, parameters: Mapping[str, TensorVariable], numbers: Mapping[str, TensorVariable]
    ) -> dict[str, TensorVariable]:
        """The parameters of a network that has only the rows that a step reads.

        Parameters
        ----------
        parameters : dict of str to tensor
        numbers : dict of str to vector of int
            The rows to read, by the name of the parameter: `outputs` for "V" and "c".
        """
        self._numbers = {name: rows for name, rows in numbers.items() if name in parameters}
        in_layout = self.network.in_storage_layout
        few = {name: in_layout(name, self._current(name, parameters[name])) for name in self._numbers}
        # Without an output bias, the logits are V s - ln π.
        few["c"] = few["c"] - self.log_expected if "c" in few else -self.log_expected
        return {**parameters, **few}

    def symbolic_candidates(self) -> list[TensorVariable]:
        """The inputs of a step that `candidates` gives: the candidates, and ln π of each."""
        self.log_expected: TensorVariable = T.vector("log_expected", dtype=self.network.dtype)
        return [T.ivector("outputs"), self.log_expected]

    def _current(self, name: str, array: SharedVariable) -> TensorVariable:
        current = super()._current(name, array)
        return rows_of(current, self._numbers[name]) if name in self._numbers else current

    def _changed(self, name: str, array: SharedVariable, value: TensorVariable) -> TensorVariable:
        if name not in self._numbers:
            return super()._changed(name, array, value)
        layout = self.network.in_storage_layout
        return layout(name, with_rows(layout(name, array), self._numbers[name], value))

    # Arrays

    def candidates(
        self, words: Ids, places: int, generator: np.random.Generator
    ) -> tuple[Ids, npt.NDArray[np.int32], npt.NDArray[Any]]:
        """Draw the candidates of a minibatch.

        Parameters
        ----------
        words : int array (n,)
            Words of the minibatch that must be among them.
        places : int
            The number of places for such words in minibatches of this shape, with padding.
        generator : numpy.random.Generator

        Returns
        -------
        words : int array
            The candidates, ascending.
        outputs : int32 array
            The same with padding.
        log_expected : array of the length of `outputs`
            ln π.
        """
        found, log_expected = self.sampler.draw(words, generator)
        length = self.sampler.usual_count(places)
        if len(found) > length:
            length = min(places + self.sampler.samples, self.sampler.word_dim)
        outputs = padded_numbers(found, length, self.sampler.word_dim)
        expected = np.full(len(outputs), NEVER, self.network.dtype)
        expected[: len(found)] = log_expected
        return found, outputs, expected

    def rows(self, words: Ids, places: int, parameter: str) -> tuple[Ids, npt.NDArray[np.int32]]:
        """The distinct words among some, ascending, without padding and with it.

        Parameters
        ----------
        words : int array (n,)
        places : int
            As for `candidates`.
        parameter : str
            The parameter that has a row, or a column, for each word of the vocabulary.
        """
        size = rows_in(self.network, parameter)
        found = np.unique(words)
        return found, padded_numbers(found, min(places, size), size)


def rows_in(network: ParameterStore, parameter: str) -> int:
    """The number of words that a parameter has rows for, or columns in U."""
    shape = network.parameter_shapes[parameter]
    return shape[1] if parameter == "U" else shape[0]
