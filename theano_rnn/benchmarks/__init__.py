"""Timing the package beside PyTorch, the original Theano and the bare matrix products.

Must not be needed by anything else in the package.
"""
