"""The mathematics of the tutorial: cells, the graph, softmax and loss, update rules, and the class `RNN`.

Works with word ids and must not know text. Start with `cells`, `graph` and `updates`.
"""
