"""Networks that read a whole sequence, in one or both directions, and predict labels from their states.

They must not know where the sequences come from, what the labels mean, or how a training run proceeds.
"""
