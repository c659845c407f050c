"""Training runs: options, the loop, evaluation, early stopping, checkpoints, resuming and fine-tuning.

Must not print: a `Reporter` is told what happens. Offers `train`.
"""
