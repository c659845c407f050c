"""Benchmarks of theano_rnn on this machine, compared with PyTorch, the original Theano and bare matrix products.

`workloads` is the table of workloads to time. Must not know training runs. No other package may depend on this one.
"""
