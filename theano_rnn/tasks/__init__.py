"""Tasks beside language modeling: a label for a text. Must not know the training loop, only offer what it asks for.

`encoder`, `heads` and `reader_graph` have the formulas of networks that read, and `reader` the class that compiles
them. `task` says what training asks of a task; `reader_task` answers for all tasks whose network is a reader.
"""
