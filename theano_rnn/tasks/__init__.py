"""Tasks beside language modeling: labels of texts, tags of words, missing words.

Must not know the training loop, only offer what it asks for. `task` says what training asks of a task; `minibatch_task`
answers for all tasks whose network is a reader. Each task has a model (`classifier`, `tagger`, `missing_words`) and a
report of how well it predicts. The formulas of the networks are in the package `encoders`.
"""
