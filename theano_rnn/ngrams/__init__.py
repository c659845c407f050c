"""N-gram models: counts, interpolated modified Kneser–Ney smoothing, baselines for a network.

NumPy only. Must not know networks or training.
"""
