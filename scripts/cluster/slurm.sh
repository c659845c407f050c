#!/usr/bin/env bash
#SBATCH --job-name=theano-rnn
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --time=04:00:00
#SBATCH --signal=TERM@120
#SBATCH --requeue
#SBATCH --open-mode=append

# Trains one model on all tasks of a Slurm job:
#
#     sbatch scripts/cluster/slurm.sh MODEL [OPTIONS OF train.py ...]
#
# Run it in the folder of the text and the model, which every machine must see, with the virtual environment active in
# which theano_rnn is installed. JAX takes the coordinator, the number of processes and the number of each process from
# Slurm's environment. Two minutes before the time limit, training saves its work. The same command submitted again, or
# Slurm after a failure of a machine, continues the run.
set -euo pipefail

if [ $# -eq 0 ] || [ "${1#-}" != "$1" ]; then
    echo "usage: sbatch slurm.sh MODEL [OPTIONS OF train.py ...]" >&2
    exit 2
fi
model=$1
shift
if [ -f "${model%.npz}.checkpoint.npz" ]; then
    set -- --resume "$@"
fi

# srun does not take --cpus-per-task from the job by itself.
srun --kill-on-bad-exit=1 --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" \
    python -m theano_rnn train --model "$model" "$@"
