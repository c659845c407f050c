"""The weight with which two models predict a text best. Must not know models or files."""

import numpy as np
import numpy.typing as npt

_STEPS = 40  # bisections; the error of the result is at most 2^-40


def best_weight(values: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """Return the λ from 0 to 1 with the largest sum of ln(λ P + (1 - λ) P_other).

    The sum is a concave function of λ. So its derivative, Σ (P - P_other) / (λ P + (1 - λ) P_other), decreases, and its
    root is found by bisection.

    Parameters
    ----------
    values, other : array_like (n,)
        ln P and ln P_other of each token. Tokens that both models consider impossible are left out, because no λ makes
        them possible.

    Returns
    -------
    float
        0.5 if all λ are equally good.

    Examples
    --------
    >>> round(best_weight(np.log([0.5, 0.1]), np.log([0.1, 0.3])), 6)
    0.625
    """
    ours, theirs = np.asarray(values, np.float64), np.asarray(other, np.float64)
    possible = ~(np.isneginf(ours) & np.isneginf(theirs))
    differences = theirs[possible] - ours[possible]
    if not differences.any():
        return 0.5
    # With d = ln(P_other / P), each term of the derivative is divided by the larger of both probabilities.
    ratios = np.exp(-np.abs(differences))
    theirs_is_larger = differences > 0
    numerators = np.where(theirs_is_larger, ratios - 1, 1 - ratios)

    def derivative(weight: float) -> float:
        shares = np.where(theirs_is_larger, weight * ratios + (1 - weight), weight + (1 - weight) * ratios)
        with np.errstate(divide="ignore"):
            return float(np.sum(numerators / shares))

    if derivative(0.0) <= 0:
        return 0.0
    if derivative(1.0) >= 0:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if derivative(middle) > 0 else (low, middle)
    return (low + high) / 2
