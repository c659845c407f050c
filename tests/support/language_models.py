"""Small language models with random parameters."""

from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import SENTENCE_END, SENTENCE_START, UNKNOWN_TOKEN, Vocabulary

SPECIAL = [SENTENCE_START, SENTENCE_END, UNKNOWN_TOKEN]
WORDS = ["the", "dog", "sees", "."]


def make(words, level="word", hidden_dim=5, **tokenizer):
    vocabulary = Vocabulary([*SPECIAL, *words], newline_ends_sentence=level == "char")
    rnn = RNN(len(vocabulary), hidden_dim, seed=3)
    rnn.set_values({name: 3 * value for name, value in rnn.get_values().items()})
    return LanguageModel(rnn, vocabulary, Tokenizer(level=level, **tokenizer), {"history": [{"epoch": 1}]})
