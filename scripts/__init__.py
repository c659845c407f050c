"""The command-line scripts; installed as `theano_rnn.scripts`, so that the console commands find them."""
