"""Update rules: pure symbolic functions from gradients to new parameter values.

Each rule takes (parameter, gradient, accumulators, learning_rate, step_number) and returns the parameter's new value
and the new accumulators, which have the parameter's shape and start at zero. `step_number` counts from 1.
"""

from theano_rnn.engines.engine import T

MOMENTUM = 0.9
RMSPROP_DECAY = 0.9
ADAM_BETA1, ADAM_BETA2 = 0.9, 0.999
EPSILON = 1e-8


def sgd(parameter, gradient, accumulators, learning_rate, step_number):
    """θ ← θ - η g (tutorial part 2)."""
    return parameter - learning_rate * gradient, []


def momentum(parameter, gradient, accumulators, learning_rate, step_number):
    """v ← 0.9 v - η g, θ ← θ + v (Polyak 1964; in the form of Sutskever et al. 2013)."""
    (velocity,) = accumulators
    velocity = MOMENTUM * velocity - learning_rate * gradient
    return parameter + velocity, [velocity]


def adagrad(parameter, gradient, accumulators, learning_rate, step_number):
    """r ← r + g², θ ← θ - η g / (√r + ε) (Duchi et al. 2011)."""
    (squares,) = accumulators
    squares = squares + gradient**2
    return parameter - learning_rate * gradient / (T.sqrt(squares) + EPSILON), [squares]


def rmsprop(parameter, gradient, accumulators, learning_rate, step_number):
    """r ← 0.9 r + 0.1 g², θ ← θ - η g / (√r + ε) (Tieleman and Hinton 2012)."""
    (squares,) = accumulators
    squares = RMSPROP_DECAY * squares + (1 - RMSPROP_DECAY) * gradient**2
    return parameter - learning_rate * gradient / (T.sqrt(squares) + EPSILON), [squares]


def adam(parameter, gradient, accumulators, learning_rate, step_number):
    """m ← β₁ m + (1-β₁) g, r ← β₂ r + (1-β₂) g², θ ← θ - η m̂ / (√r̂ + ε), m̂ = m/(1-β₁ᵗ), r̂ = r/(1-β₂ᵗ)

    (Kingma and Ba 2015, algorithm 1).
    """
    mean, squares = accumulators
    mean = ADAM_BETA1 * mean + (1 - ADAM_BETA1) * gradient
    squares = ADAM_BETA2 * squares + (1 - ADAM_BETA2) * gradient**2
    mean_hat = mean / (1 - ADAM_BETA1**step_number)
    squares_hat = squares / (1 - ADAM_BETA2**step_number)
    return parameter - learning_rate * mean_hat / (T.sqrt(squares_hat) + EPSILON), [mean, squares]


# rule, names of its accumulators, a learning rate that suits gradients of the mean loss per token
UPDATE_RULES = {
    "sgd": (sgd, (), 1.0),
    "momentum": (momentum, ("velocity",), 0.2),
    "adagrad": (adagrad, ("squares",), 0.05),
    "rmsprop": (rmsprop, ("squares",), 0.001),
    "adam": (adam, ("mean", "squares"), 0.004),
}


def common_norm(gradients):
    """The Euclidean norm of all gradients together."""
    return T.sqrt(sum(T.sum(gradient**2, acc_dtype=gradient.dtype) for gradient in gradients))


def clip_by_norm(gradients, threshold, norm=None):
    """All gradients scaled by one factor so that their common Euclidean norm is at most `threshold` (Pascanu 2013)."""
    norm = common_norm(gradients) if norm is None else norm
    factor = T.switch(norm > threshold, threshold / norm, T.ones_like(norm))
    return [gradient * factor for gradient in gradients]
