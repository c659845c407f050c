"""Symbolic arrays that build an ONNX graph from the formulas of the networks.

A formula in `theano_rnn.networks` that is called with an `OnnxValue` adds its operations to an ONNX graph, in the same
way as it builds a Theano graph or computes with NumPy arrays. A cell therefore needs no ONNX formula of its own.
Operators and the NumPy functions that the formulas use are supported, through NumPy's protocols (NEP 13 and NEP 18).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

UFUNCS = {np.tanh: "Tanh", np.exp: "Exp", np.log: "Log"}


class OnnxGraph:
    """The nodes and constants of a graph. The body of a loop is a graph that shares the constants of the outer one.

    Parameters
    ----------
    dtype : str
        Type of the floating-point numbers, "float32" or "float64".
    outer : OnnxGraph, optional
        The graph that this one is the body of a loop in.

    Attributes
    ----------
    nodes : list of onnx.NodeProto
        In the order in which they are computed.
    constants : dict of str to array
        Constants of the model by name: parameters, and numbers in formulas.
    is_loop_body : bool
    """

    def __init__(self, dtype: str, outer: "OnnxGraph | None" = None) -> None:
        self.dtype = dtype
        self.nodes: list[Any] = []
        self.constants: dict[str, npt.NDArray[Any]] = {} if outer is None else outer.constants
        self.is_loop_body: bool = outer is not None
        self._count = 0

    def value(self, name: str, *shape: int | None) -> "OnnxValue":
        """Return the value of this name, such as an input. Lengths that depend on the data are None."""
        return OnnxValue(self, name, shape)

    def constant(self, value: npt.ArrayLike, name: str | None = None) -> str:
        """Add a constant to the model, unless it is there, and return its name. Floats get the type of the graph.

        Without a name, scalars and vectors that are equal share a constant.
        """
        array = np.asarray(value)
        if array.dtype.kind == "f":
            array = array.astype(self.dtype)
        if name is None:
            name = next((known for known, other in self.constants.items() if _are_same(array, other)), None)
        name = f"constant_{len(self.constants)}" if name is None else name
        self.constants.setdefault(name, np.asarray(array, order="C"))
        return name

    def apply(self, operation: str, *inputs: Any, output: str | None = None, **attributes: Any) -> str:
        """Add a node, and return the name of its output.

        Parameters
        ----------
        operation : str
            Name of an ONNX operator.
        *inputs : OnnxValue, str or array
            Values, names of values, or constants.
        output : str, optional
            Name of the output; by default a new one.
        **attributes
            Attributes of the operator.
        """
        from onnx import helper

        names = [self._name_of(value) for value in inputs]
        if output is None:
            self._count += 1
            output = f"{'loop_' if self.is_loop_body else ''}{operation.lower()}_{self._count}"
        self.nodes.append(helper.make_node(operation, names, [output], name=output, **attributes))
        return output

    def _name_of(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        return value.name if isinstance(value, OnnxValue) else self.constant(value)


class OnnxValue:
    """A symbolic array in an ONNX graph.

    Parameters
    ----------
    graph : OnnxGraph
    name : str
    shape : tuple of (int or None)
        Lengths that depend on the data are None.
    """

    def __init__(self, graph: OnnxGraph, name: str, shape: tuple[int | None, ...]) -> None:
        self.graph = graph
        self.name = name
        self.shape = shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the floating-point numbers."""
        return np.dtype(self.graph.dtype)

    @property
    def type(self) -> "OnnxValue":
        """The value itself, because PyTensor's symbolic arrays have their shape as ``array.type.shape``."""
        return self

    def _elementwise(self, operation: str, *inputs: Any) -> "OnnxValue":
        """Return an elementwise result, which has this value's shape: constants are scalars or vectors."""
        return OnnxValue(self.graph, self.graph.apply(operation, *map(self._operand, inputs)), self.shape)

    def _operand(self, value: Any) -> Any:
        return np.asarray(value, self.dtype) if isinstance(value, (int, float)) else value

    def __add__(self, other: Any) -> "OnnxValue":
        return self._elementwise("Add", self, other)

    def __radd__(self, other: Any) -> "OnnxValue":
        return self._elementwise("Add", other, self)

    def __sub__(self, other: Any) -> "OnnxValue":
        return self._elementwise("Sub", self, other)

    def __rsub__(self, other: Any) -> "OnnxValue":
        return self._elementwise("Sub", other, self)

    def __mul__(self, other: Any) -> "OnnxValue":
        return self._elementwise("Mul", self, other)

    def __rmul__(self, other: Any) -> "OnnxValue":
        return self._elementwise("Mul", other, self)

    def __gt__(self, other: Any) -> "OnnxValue":
        return self._elementwise("Greater", self, other)

    def __getitem__(self, index: Any) -> "OnnxValue":
        """Return columns: ``value[..., start:stop]`` or, of a matrix, ``value[:, start:stop]``."""
        columns = index[-1]
        start, stop, step = columns.indices(self.shape[-1])
        if step != 1 or any(part not in (Ellipsis, slice(None)) for part in index[:-1]):
            raise NotImplementedError(f"only columns can be taken of a value in an ONNX graph, not {index!r}")
        bounds = (np.array([bound]) for bound in (start, stop, self.ndim - 1))
        return OnnxValue(self.graph, self.graph.apply("Slice", self, *bounds), (*self.shape[:-1], stop - start))

    def dot(self, matrix: "TransposedParameter") -> "OnnxValue":
        """Return the product of this matrix with a transposed parameter."""
        # Gemm reads the parameter as it is stored.
        name = self.graph.apply("Gemm", self, self.graph.constant(matrix.array, matrix.name), transB=1)
        return OnnxValue(self.graph, name, (self.shape[0], matrix.shape[1]))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if ufunc in UFUNCS and method == "__call__" and not options:
            return self._elementwise(UFUNCS[ufunc], *inputs)
        operator = {np.add: "__radd__", np.subtract: "__rsub__", np.multiply: "__rmul__"}.get(ufunc)
        if operator is not None and inputs[1] is self and not options:  # an array before the operator, as in b + a
            return getattr(self, operator)(inputs[0])
        return NotImplemented

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        return FUNCTIONS[function](*arguments, **options) if function in FUNCTIONS else NotImplemented


class OnnxParameter:
    """A matrix of parameters in an ONNX graph, with what the formulas do with it: gather rows or columns, transpose.

    Parameters
    ----------
    name : str
    array : matrix
    """

    def __init__(self, name: str, array: npt.NDArray[Any]) -> None:
        self.name = name
        self.array = array

    @property
    def T(self) -> "TransposedParameter":
        """The transposed matrix."""
        return TransposedParameter(self.name, self.array)

    def __getitem__(self, index: OnnxValue) -> OnnxValue:
        """Return the rows with these indices: (n, columns) for a vector of n indices."""
        return _gathered(self.name, self.array, index)


class TransposedParameter:
    """A transposed matrix of parameters. `array` is the matrix before it is transposed."""

    def __init__(self, name: str, array: npt.NDArray[Any]) -> None:
        self.name = name
        self.array = array

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape after transposing."""
        return self.array.shape[::-1]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return 2

    @property
    def type(self) -> "TransposedParameter":
        """The matrix itself; see `OnnxValue.type`."""
        return self

    def __getitem__(self, index: OnnxValue) -> OnnxValue:
        """Return the columns of the parameter with these indices, as rows."""
        # Columns are stored as rows, from which they are gathered without touching the others.
        return _gathered(f"{self.name}_transposed", self.array.T, index)


def _gathered(name: str, array: npt.NDArray[Any], index: OnnxValue) -> OnnxValue:
    graph = index.graph
    found = graph.apply("Gather", graph.constant(array, name), index, axis=0)
    return OnnxValue(graph, found, (*index.shape, array.shape[1]))


def _concatenate(arrays: Sequence[OnnxValue], axis: int = 0) -> OnnxValue:
    first = arrays[0]
    if axis not in (-1, first.ndim - 1):
        raise NotImplementedError("values in an ONNX graph can only be joined along their last axis")
    width = sum(array.shape[-1] or 0 for array in arrays)
    name = first.graph.apply("Concat", *arrays, axis=first.ndim - 1)
    return OnnxValue(first.graph, name, (*first.shape[:-1], width))


def _where(condition: OnnxValue, chosen: OnnxValue, other: Any) -> OnnxValue:
    return chosen._elementwise("Where", condition, chosen, other)


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.concatenate: _concatenate,
    np.where: _where,
    np.zeros_like: lambda value: 0.0,
}
"""What NumPy's functions do with values in an ONNX graph."""


def _are_same(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> bool:
    return one.ndim < 2 and one.dtype == other.dtype and np.array_equal(one, other)
