"""Tasks of networks that write: translation of sentences, descriptions of images.

Must not know the training loop, only offer what it asks for. Each task has a model (`translator`, `describer`) and a
report of how well it writes. The formulas of the networks and beam search are in the package `decoders`.
"""
