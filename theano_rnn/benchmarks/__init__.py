"""Time theano_rnn on this machine, beside PyTorch, the original Theano and the bare matrix products.

`workloads` is the table of what is timed. Must not know training runs; no other package may need this one.
"""
