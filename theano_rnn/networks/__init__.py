"""The mathematics of the tutorial, the class `RNN`, and training steps. Works with word ids and must not know text.

To read the mathematics, start with `simple_cell`, the tutorial's formula, and `forward`, the loop over the words. Then
read `softmax`, `bptt`, `updates` and `gradient_check`. Extensions of the tutorial are in `gated_cells` (GRU and LSTM),
`cells` (how to add a cell) and `architecture` (layers, embeddings, biases, and the names of all parameters).

`rnn` has the tutorial's class. The other modules are mechanics: `parameters` (initial values and storage),
`network_graphs` (the compiled functions), `network_file`, `torch_exchange` and `optimizer`. The mechanics of the
engines are in the package `engines`.
"""
