"""The mathematics of the tutorial, the class `RNN`, and training steps. Works with word ids and must not know text.

To read the mathematics, start with `simple_cell`, and go on with `forward`, `softmax`, `bptt`, `updates` and
`gradient_check`. `rnn` has the tutorial's class, and `cells` explains how to add a cell. The mechanics are elsewhere:
`parameters` (shapes and storage), `padding`, `network_graphs` (what is compiled), `network_file`, `optimizer`, and the
package `engines`.
"""
