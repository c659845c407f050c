"""Which Theano compiles the graphs, and how: PyTensor through XLA, or the original Theano.

Other packages take everything from `theano_rnn.engines.engine`, and names for annotations from `tensor_types`. Must not
know networks, text or training.
"""
