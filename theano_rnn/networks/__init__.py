"""The mathematics of the tutorial, the class `RNN`, and training steps. Works with word ids and must not know text.

To read the mathematics, start with `simple_cell`, the tutorial's formula, and `forward`, the loop over the words. Go
on with `softmax`, `bptt`, `updates` and `gradient_check`. What goes beyond the tutorial is in `gated_cells` (GRU and
LSTM), `cells` (how to add a cell) and `architecture` (layers, embeddings, biases, and the names of all parameters).

`rnn` has the tutorial's class. The rest is mechanics: `parameters` (initial values and storage), `network_graphs`
(what is compiled), `network_file`, `torch_exchange`, `optimizer`, and the package `engines`.
"""
