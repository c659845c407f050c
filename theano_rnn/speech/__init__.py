"""Recordings as acoustic frames, and their labels as segments: sounds, features, TextGrids, tables.

Must not know networks or training: it works on files and NumPy arrays. The tasks on frames use it.
"""
