"""JAX's coordination service in a process of its own: ``python -m theano_rnn.devices.coordination_service``.

XLA aborts a process whose connection to the service breaks. So the service outlives process 0 for a moment: long enough
for the other processes to notice that process 0 has ended, and to end with one line.

Only `jax_processes` starts it.
"""

import signal
import sys
import time

READY = "ready"
SECONDS_TO_OUTLIVE = 10
SECONDS_OF_SILENCE = 100
SECONDS_TO_END = 30


def main(arguments: list[str]) -> None:
    """Serve until standard input ends: at once if a line was read from it, else a moment later.

    Parameters
    ----------
    arguments : list of str
        The address to listen at, and the number of processes.
    """
    from jax._src.lib import _jax

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # they are for the run, which ends in its own way
    address, count = arguments
    service = _jax.get_distributed_runtime_service(
        address,
        int(count),
        heartbeat_timeout=SECONDS_OF_SILENCE,
        shutdown_timeout=SECONDS_TO_END,
        recoverable=True,
    )
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
    if not sys.stdin.readline():
        time.sleep(SECONDS_TO_OUTLIVE)
    service.shutdown()


if __name__ == "__main__":
    main(sys.argv[1:])
