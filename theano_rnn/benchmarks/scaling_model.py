"""A model of training on several machines: how much of the time is left for computing while they sum gradients.

Each of N machines computes the gradients of a minibatch, and a ring all-reduce sums them: in each of 2 (N - 1) rounds,
every machine sends 1/N of its gradients to the next one (Patarasuk and Yuan 2009, "Bandwidth optimal all-reduce
algorithms for clusters of workstations"). With B bytes of gradients, a bandwidth of b bytes per second, a latency of l
seconds per round and a time of t seconds in which a machine computes a step,

    t_comm = 2 (N - 1) (B / (N b) + l),   efficiency = t / (t + t_comm)

Nothing overlaps: the package sums all gradients in one operation when all of them are computed. Machines are equally
fast. Must know neither Theano nor workloads.
"""

MACHINES = (4, 16, 64)
GIGABITS = (10, 100)
LATENCY = 50e-6
"""Seconds per round, an assumption: a short message over TCP in one data center."""


def sent_bytes(summed_bytes: int, machines: int) -> float:
    """Return how many bytes each machine sends for one sum of so many bytes.

    Examples
    --------
    >>> [sent_bytes(1000, machines) for machines in (1, 4, 16)]
    [0.0, 1500.0, 1875.0]
    """
    return 2 * (machines - 1) / machines * summed_bytes


def summing_seconds(summed_bytes: int, machines: int, gigabits: float, latency: float = LATENCY) -> float:
    """Return the time of one sum over machines in seconds.

    Parameters
    ----------
    summed_bytes : int
        The size of what each machine adds.
    machines : int
    gigabits : float
        Bandwidth of each machine's network, in 10⁹ bits per second in each direction.
    latency : float
        Seconds per round.

    Examples
    --------
    >>> summing_seconds(10**9, machines=4, gigabits=12, latency=0.0)
    1.0
    """
    return sent_bytes(summed_bytes, machines) / (gigabits * 1e9 / 8) + 2 * (machines - 1) * latency


def efficiency(
    step_seconds: float, summed_bytes: int, machines: int, gigabits: float, latency: float = LATENCY
) -> float:
    """Return the share of the time in which a machine computes: N machines are N times this share as fast as one.

    Parameters
    ----------
    step_seconds : float
        The time in which each machine computes its part of a step.
    summed_bytes, machines, gigabits, latency
        As for `summing_seconds`.

    Examples
    --------
    >>> efficiency(3.0, 10**9, machines=4, gigabits=12, latency=0.0)
    0.75
    """
    return step_seconds / (step_seconds + summing_seconds(summed_bytes, machines, gigabits, latency))
