"""Training with large vocabularies: each step compares the next words with a sample of all words.

They must not know how a training run proceeds.
"""
