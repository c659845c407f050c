#!/usr/bin/env bash
# Trains one model on all processes that mpirun starts, also by Open MPI 5, under which JAX does not find them:
#
#     mpirun --host first,second -n 2 scripts/cluster/openmpi.sh first:12345 [OPTIONS OF train.py ...]
#
# The first argument is the machine of process 0 and a free port on it.
set -euo pipefail

if [ $# -eq 0 ] || [ "${1#-}" != "$1" ] || [ -z "${OMPI_COMM_WORLD_RANK:-}" ]; then
    echo "usage: mpirun --host FIRST,SECOND -n 2 openmpi.sh FIRST:PORT [OPTIONS OF train.py ...]" >&2
    exit 2
fi
coordinator=$1
shift
exec python -m theano_rnn train --coordinator "$coordinator" \
    --processes "$OMPI_COMM_WORLD_SIZE" --process "$OMPI_COMM_WORLD_RANK" "$@"
