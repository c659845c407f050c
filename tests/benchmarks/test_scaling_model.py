"""The model of several machines, against a ring all-reduce that is simulated message by message."""

import pytest

from theano_rnn.benchmarks.scaling_model import efficiency, sent_bytes, summing_seconds


def ring(parts: list[list[float]], bandwidth: float, latency: float) -> tuple[list[list[float]], float, int]:
    """Sum lists of one number per machine around a ring; return all sums, seconds, and numbers sent by each machine.

    First each machine passes on the partial sum of one part after the other, then the complete sums. A part takes
    1/bandwidth seconds, and all machines send at the same time.
    """
    count, seconds, sent = len(parts), 0.0, 0
    for turn in range(2 * (count - 1)):
        messages = [((machine - turn) % count, parts[machine][(machine - turn) % count]) for machine in range(count)]
        for machine, (part, value) in enumerate(messages):
            to = parts[(machine + 1) % count]
            to[part] = to[part] + value if turn < count - 1 else value
        seconds, sent = seconds + latency + 1 / bandwidth, sent + 1
    return parts, seconds, sent


@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_a_sum_takes_the_time_of_a_ring_all_reduce(count: int) -> None:
    parts = [[float(10 * machine + part) for part in range(count)] for machine in range(count)]
    expected = [sum(column) for column in zip(*parts, strict=True)]
    bytes_of_part, latency = 500, 1e-3
    sums, seconds, sent = ring(parts, bandwidth=1e9 / 8 / bytes_of_part, latency=latency)
    assert sums == [expected] * count
    assert sent_bytes(count * bytes_of_part, count) == pytest.approx(sent * bytes_of_part)
    assert summing_seconds(count * bytes_of_part, count, 1, latency) == pytest.approx(seconds)


def test_efficiency_is_the_share_of_computing_and_falls_with_bytes_machines_and_slow_networks() -> None:
    assert efficiency(0.02, 10**6, 1, 10) == 1.0
    base = efficiency(0.02, 10**6, 4, 10)
    assert base == pytest.approx(0.02 / (0.02 + summing_seconds(10**6, 4, 10)))
    assert efficiency(0.02, 10**7, 4, 10) < base
    assert efficiency(0.02, 10**6, 16, 10) < base
    assert efficiency(0.02, 10**6, 4, 100) > base
    assert efficiency(0.02, 10**6, 4, 10, latency=0.0) > base
