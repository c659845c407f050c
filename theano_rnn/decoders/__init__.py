"""Networks that write: a source is read to its end, then a target is written word by word.

They must not know where sources and targets come from, what their ids mean, or how a training run proceeds.
"""
