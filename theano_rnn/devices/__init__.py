"""Where XLA computes: which CPU cores or GPUs, where arrays are kept, and how a call is split over several devices.

`jax_devices` and `jitted_function` import JAX and are only for `theano_rnn.engines.pytensor_engine`. Must not know any
Theano, graphs or networks.
"""
