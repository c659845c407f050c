"""Where XLA computes: which cores, GPUs and processes, where arrays are kept, and how a call is split over devices.

Of several processes, read `roll_call` first: how they meet; then `process_group`: what they tell each other. Modules
that import JAX are only for `theano_rnn.engines.pytensor_engine`. Must not know any Theano, graphs or networks.
"""
