"""A language model: a network together with its vocabulary and with how text becomes tokens."""

import functools
import itertools
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from theano_rnn.checks import check_base, check_count
from theano_rnn.errors import ArgumentTypeError, ArgumentValueError, ModelFileError
from theano_rnn.files.archive import one_line, read_archive, read_document, write_archive
from theano_rnn.language_models import scoring
from theano_rnn.language_models.continuous_text import continuous_cross_entropy
from theano_rnn.language_models.one_token import one_token
from theano_rnn.language_models.text_generation import TextGenerator
from theano_rnn.language_models.unknown_words import TOO_MANY, warning_of
from theano_rnn.networks.rnn import PARAMETERS, RNN
from theano_rnn.text.coverage import Coverage
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import SENTENCE_END, SENTENCE_START, UNKNOWN_TOKEN, Vocabulary

# What decoders call the special tokens, as KenLM and SRILM do.
ALIASES = {"</s>": SENTENCE_END, "<unk>": UNKNOWN_TOKEN}
_FEWEST_WORDS_TO_WARN_OF = 100  # of a single unknown word its score tells enough


@dataclass(frozen=True)
class ScoredSentence:
    """A sentence with the scores of its tokens.

    Attributes
    ----------
    text : str
    tokens : list of str
        SENTENCE_END the last.
    values : float64 array
        ln P(token | tokens before it) of each.
    known : array of bool
        Whether the vocabulary has each.
    """

    text: str
    tokens: list[str]
    values: np.ndarray
    known: np.ndarray


class LanguageModel:
    """Scores and generates sentences.

    At character level a line of text is the sentence: a newline is SENTENCE_END, and a sentence begins where the line
    before it has ended.

    Parameters
    ----------
    rnn : RNN
    vocabulary : Vocabulary
    tokenizer : Tokenizer
    training : dict, optional
        How the model was trained; kept in its file.
    """

    def __init__(self, rnn, vocabulary, tokenizer, training=None):
        if rnn.word_dim != len(vocabulary):
            raise ArgumentValueError(f"vocabulary: expected {rnn.word_dim} entries (word_dim), got {len(vocabulary)}")
        self.rnn = rnn
        self.vocabulary = vocabulary
        self.tokenizer = tokenizer
        self.training = training or {}

    def __getstate__(self):
        """For pickle and copy: what is compiled, and what is made from the rest, is made anew where it is used."""
        return {name: getattr(self, name) for name in ("rnn", "vocabulary", "tokenizer", "training")}

    # Files

    def save(self, path):
        """Write the model as one .npz, atomically. Raises ModelFileError if that is impossible."""
        write_archive(path, self.rnn.get_values(), self.documents())

    def documents(self):
        """What describes the model beside its parameters, as JSON-able dicts by name."""
        configuration = {
            "network": {
                "hidden_dim": self.rnn.hidden_dim,
                "word_dim": self.rnn.word_dim,
                "bptt_truncate": self.rnn.bptt_truncate,
                "activation": self.rnn.activation,
            },
            "tokenizer": self.tokenizer.to_configuration(),
            "training": self.training,
        }
        return {"configuration": configuration, "vocabulary": self.vocabulary.to_configuration()}

    @classmethod
    def load(cls, path):
        """Read a model that `save` wrote.

        Raises
        ------
        ModelFileError
            For a file that is missing, damaged, inconsistent or of a newer format.
        """
        entries = read_archive(path)
        configuration = read_document(path, entries, "configuration")
        vocabulary = read_document(path, entries, "vocabulary")
        unexpected = entries.keys() - {*PARAMETERS, "configuration", "vocabulary"}
        if unexpected:
            raise ModelFileError(f"{path}: holds entries that no model has: {', '.join(sorted(unexpected))}")
        try:
            network = configuration["network"]
            rnn = RNN.from_entries(path, entries, network["bptt_truncate"], network["activation"])
            for name in ("hidden_dim", "word_dim"):
                if network[name] != getattr(rnn, name):
                    raise ArgumentValueError(
                        f"{name}: the configuration has {network[name]}, U is for {getattr(rnn, name)}"
                    )
            return cls(
                rnn,
                Vocabulary.from_configuration(vocabulary),
                Tokenizer.from_configuration(configuration["tokenizer"]),
                check_training(configuration["training"]),
            )
        except ModelFileError:
            raise
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(f"{path}: damaged or inconsistent: {one_line(error)}") from error

    # Text to ids

    def tokenize(self, sentence):
        """The tokens of one sentence, as the model was trained to see them."""
        if not isinstance(sentence, str):
            raise ArgumentTypeError(f"sentence: expected a str, got {type(sentence).__name__}")
        return self.tokenizer.tokenize(sentence)

    @property
    def unknown_in_training(self) -> float:
        """Share of the words of the training text that were unknown, from 0 to 1; 0 if not recorded."""
        try:
            return Coverage.from_configuration(self.training.get("coverage")).unknown_share
        except (TypeError, ValueError):
            return 0.0

    @property
    def start(self):
        """The id that stands before a sentence's first token."""
        vocabulary = self.vocabulary
        return vocabulary.end if vocabulary.newline_ends_sentence else vocabulary.start

    def encode(self, sentence):
        """Ids of a sentence from its start marker to its end marker: int32 array."""
        return self.frame(self.vocabulary.encode(self.tokenize(sentence)))

    def frame(self, ids):
        framed = np.empty(len(ids) + 2, np.int32)
        framed[0], framed[1:-1], framed[-1] = self.start, ids, self.vocabulary.end
        return framed

    # Scoring

    def score(self, sentences, base="e", split: bool | None = None):
        """log P(text), the ends of its sentences included.

        Parameters
        ----------
        sentences : str or sequence of str
            Each a sentence, or a text of several. A word that the vocabulary lacks is scored as UNKNOWN_TOKEN. If more
            than half of at least 100 words are unknown, a warning with the likely reason is logged.
        base : "e" or float
            Of the logarithm: the natural one unless told otherwise; 2 gives bits, 10 what KenLM and SRILM print.
        split : bool, optional
            Whether a text is split into sentences, whose log-probabilities are summed. Default: as the training text
            was, so not for a model that was trained with `lines` or `tokenized`, or at character level. False scores
            each text as one sentence.

        Returns
        -------
        float for one text, float64 array for several
        """
        unit = check_base(base)
        if isinstance(sentences, str):
            return float(self.token_scores([sentences], split)[0].sum()) / unit
        if not isinstance(sentences, Iterable):
            raise ArgumentTypeError(f"sentences: expected a str or several, got {type(sentences).__name__}")
        return np.array([values.sum() for values in self.token_scores(sentences, split)], dtype=np.float64) / unit

    def token_scores(self, texts, split: bool | None = None):
        """ln P(token | tokens before it) for each token and the end of each sentence: a float64 array for each text."""
        parts = [self.split(text, split) for text in texts]
        sentences = [sentence for part in parts for sentence in part]
        encoded = [self.encode(sentence) for sentence in sentences]
        self._warn_of_unknown_words(sentences, encoded)
        values = scoring.token_log_probabilities(self.rnn, encoded)
        if len(sentences) == len(parts):
            return values
        values = iter(values)
        return [np.concatenate(list(itertools.islice(values, len(part)))) for part in parts]

    def _warn_of_unknown_words(self, sentences, encoded):
        """Log it if most words of a text are unknown, so that few differences between its sentences count."""
        words = sum(map(len, encoded)) - 2 * len(encoded)
        if words < _FEWEST_WORDS_TO_WARN_OF:
            return
        unknown = int(np.count_nonzero(np.concatenate(encoded) == self.vocabulary.unknown))
        if unknown > TOO_MANY * words:
            warning = warning_of(
                self.vocabulary, self.tokenizer, map(self.tokenize, sentences), self.unknown_in_training
            )
            logging.getLogger(__name__).warning("%s", warning)

    def word_scores(self, sentence, base="e", split: bool | None = None):
        """A list of (token, log P(token | tokens before it), known).

        SENTENCE_END stands after the tokens of each sentence. The parameters are those of `score`.
        """
        unit = check_base(base)
        return [(token, value / unit, known) for token, value, known in self.words_scores([sentence], split)[0]]

    def words_scores(self, texts, split: bool | None = None):
        """`word_scores` of several texts, scored together: a list of such lists."""
        return [
            [row for one in sentences for row in zip(one.tokens, one.values.tolist(), one.known.tolist(), strict=True)]
            for sentences in self.scored_sentences(texts, split)
        ]

    def scored_tokens(self, sentences):
        """What `word_scores` gives of single sentences, as columns, which take less memory.

        Parameters
        ----------
        sentences : sequence of str

        Returns
        -------
        list of (list of str, float64 array, array of bool)
            For each sentence its tokens, ln P of each, and whether it is known.
        """
        return [(one.tokens, one.values, one.known) for [one] in self.scored_sentences(sentences, split=False)]

    def scored_sentences(self, texts, split: bool | None = None) -> list[list[ScoredSentence]]:
        """The sentences of each text with the scores of their tokens; the parameters are those of `score`."""
        parts = [self.split(text, split) for text in texts]
        token_lists = [self.tokenize(sentence) for part in parts for sentence in part]
        encoded = [self.frame(self.vocabulary.encode(tokens)) for tokens in token_lists]
        scores = scoring.token_log_probabilities(self.rnn, encoded)
        columns = zip(token_lists, scores, encoded, strict=True)
        unknown = self.vocabulary.unknown
        return [
            [
                ScoredSentence(sentence, [*tokens, SENTENCE_END], values, ids[1:] != unknown)
                for sentence, (tokens, values, ids) in zip(part, itertools.islice(columns, len(part)), strict=True)
            ]
            for part in parts
        ]

    def split(self, text, split: bool | None = None) -> list[str]:
        """The sentences that a text is scored as: at least one, which is empty for a blank text.

        Parameters
        ----------
        text : str
        split : bool, optional
            See `score`.
        """
        if not isinstance(text, str):
            raise ArgumentTypeError(f"sentence: expected a str, got {type(text).__name__}")
        if split is not None and not isinstance(split, (bool, np.bool_)):
            raise ArgumentTypeError(f"split: expected True, False or None, got {split!r}")
        if split and not self.tokenizer.splits_sentences:
            raise ArgumentValueError(
                "split: this model reads each line as one sentence, as its training text was read; leave split out"
            )
        return [text] if split is not None and not split else self.tokenizer.split(text)

    def perplexity(self, sentences, split: bool | None = None):
        """exp(-mean ln P per token) over all tokens of the sentences, each SENTENCE_END counted.

        Parameters
        ----------
        sentences : str or sequence of str
        split : bool, optional
            See `score`.

        Raises
        ------
        ValueError
            If there are no sentences.
        """
        values = self.token_scores([sentences] if isinstance(sentences, str) else sentences, split)
        if not values:
            raise ArgumentValueError("sentences: expected at least one, got none")
        values = np.concatenate(values)
        return scoring.perplexity(values.sum(), len(values))

    def text_loss(self, text, batch_size=10, sequence_length=50):
        """Mean cross-entropy of a text in nats per token, as training measures it.

        Words: the mean over its sentences' tokens, sentence ends counted. Characters: one continuous text, the hidden
        state carried from each line to the next; the last line ends too, as in training.

        Parameters
        ----------
        text : str
        batch_size, sequence_length : int
            At character level, how much is computed at once; the result does not depend on them.

        Raises
        ------
        ValueError
            If the text has no token.
        """
        if self.tokenizer.level == "char":
            ended = text if not text or text.endswith("\n") else text + "\n"
            ids = np.concatenate([[self.start], self.vocabulary.encode_text(ended)]).astype(np.int32)
            total, tokens = 0.0, 0
            if len(ids) > 1:
                total, tokens = continuous_cross_entropy(self.rnn, ids, batch_size, sequence_length)
        else:
            encoded = [self.encode(sentence) for sentence in self.tokenizer.sentences([text])]
            total, tokens = scoring.sentences_cross_entropy(self.rnn, encoded, 32)
        if not tokens:
            raise ArgumentValueError("text: expected at least one token, got none")
        return total / tokens

    def next_words(self, beginning, k=10):
        """The k most probable next tokens after the beginning of a sentence: list of (token, probability)."""
        k = check_count("k", k)
        o = self.rnn.forward_propagation(self.encode(beginning)[:-1])[-1]
        best = np.argsort(-o, kind="stable")[:k]
        return list(zip(self.vocabulary.decode(best), o[best].tolist(), strict=True))

    # Scoring word by word, as decoders do

    def state(self):
        """The state at the beginning of a sentence, for `advance`."""
        return State(self.start, self.rnn.zero_states(1))

    def advance(self, state, word, base="e"):
        """Go on by one word: what a decoder does with each of its hypotheses, in place of scoring them whole.

        Parameters
        ----------
        state : State
            From `state` or `advance`; it stays as it is, and may be advanced by other words too.
        word : str
            Exactly one token, as `tokenize` gives them (capitals are lowered as there). A token that the vocabulary
            lacks counts as UNKNOWN_TOKEN. SENTENCE_END, or its alias ``</s>``, ends the sentence, at character level
            so does a newline. UNKNOWN_TOKEN, or ``<unk>``, is the special token itself. If the vocabulary of a model
            of tokenized text has a word spelled ``</s>``, ``<s>`` or ``<unk>``, that word is meant.
        base : "e" or float
            As `score`.

        Returns
        -------
        State, float
            The state after the word, and log P(word | words before it). The latter, summed over the tokens of a
            sentence and SENTENCE_END, is `score`. After SENTENCE_END the state is that at the beginning of a sentence.

        Raises
        ------
        TypeError, ValueError
            For a word that is not a str, or not exactly one token: ``"the game"``, ``" the"``, ``""``, ``"don't"`` in
            plain text, where it is two, or SENTENCE_START and ``<s>``, which no token can follow.
        """
        unit = check_base(base)
        if not isinstance(state, State):
            raise ArgumentTypeError(f"state: expected what `state` or `advance` gave, got {type(state).__name__}")
        index = self._index(word)
        value = float(self.next_log_probabilities(state)[index]) / unit
        if index == self.vocabulary.end:
            return self.state(), value
        return State(index, state.s_t), value

    def next_log_probabilities(self, state):
        """ln P of each entry of the vocabulary as the next token: array (word_dim,), computed once for a state."""
        if state.log_probabilities is None:
            values, state.s_t = self.rnn.next_log_probabilities(np.array([state.word], np.int32), state.s_prev)
            state.log_probabilities = values[0]
        return state.log_probabilities

    def _index(self, word):
        """The id of one token of a text, or of a special token that may stand in its place."""
        if not isinstance(word, str):
            raise ArgumentTypeError(f"word: expected a str, got {type(word).__name__}")
        vocabulary, tokenizer = self.vocabulary, self.tokenizer
        if word == SENTENCE_END:
            return vocabulary.end
        if word == UNKNOWN_TOKEN:
            return vocabulary.unknown
        is_lowered = tokenizer.level == "word" and tokenizer.lowercase and not tokenizer.tokenized
        written = word.lower() if is_lowered else word
        if written in vocabulary:  # before the aliases: tokenized text may have a word "</s>"
            return vocabulary.find(written)
        if word in ALIASES:
            return vocabulary.word_to_index[ALIASES[word]]
        if word in (SENTENCE_START, "<s>"):
            raise ArgumentValueError(
                f"word: expected one word or SENTENCE_END, got {word!r}; `state` gives the beginning of a sentence"
            )
        return vocabulary.find(one_token(tokenizer, word))

    # Generating

    @functools.cached_property
    def _text_generator(self):
        return TextGenerator(self.rnn, self.vocabulary, self.tokenizer, self.start)

    def generate(
        self,
        n=10,
        temperature=1.0,
        top_k=None,
        top_p=None,
        prompt="",
        min_words=1,
        max_words=100,
        seed=None,
        no_repeat_ngram=None,
    ):
        """Draw texts from the model, one sentence each, never with UNKNOWN_TOKEN or SENTENCE_START.

        Parameters
        ----------
        n : int
        temperature : float
            Below 1: more probable words more often; above: more surprises.
        top_k : int, optional
            Draw only from the k most probable words.
        top_p : float, optional
            Draw only from the most probable words that together have this probability.
        prompt : str
            How every text begins, to the letter, blanks at its end too; the first word follows without a blank of its
            own if there is one. Words that the vocabulary lacks are kept as they are.
        min_words, max_words : int
            Length of each text, the prompt included, in words divided by blanks (at character level in characters).
        seed : int, optional
            The same seed gives the same texts.
        no_repeat_ngram : int, optional
            No sequence of so many tokens, marks among them, occurs twice in a text, the prompt included: what would
            complete one is not drawn, and `top_k` and `top_p` choose from the rest. Where nothing is left the text
            ends, even before `min_words`.

        Returns
        -------
        list of str

        Raises
        ------
        TypeError, ValueError
            For demands that cannot be met; the message names the argument.
        """
        return list(self.generated(n, temperature, top_k, top_p, prompt, min_words, max_words, seed, no_repeat_ngram))

    def generated(
        self,
        n=10,
        temperature=1.0,
        top_k=None,
        top_p=None,
        prompt="",
        min_words=1,
        max_words=100,
        seed=None,
        no_repeat_ngram=None,
        with_scores=False,
    ):
        """The texts of `generate` one after the other, as they are drawn; demands are checked at once.

        With scores they come as (text, ln P(text)), what `score` gives for the tokens drawn: under the model itself,
        whatever the temperature and the cuts, prompt and SENTENCE_END included. The end counts even where a text was
        cut at `max_words`.
        """
        return self._text_generator.draw(
            n=n,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            prompt=prompt,
            min_words=min_words,
            max_words=max_words,
            seed=seed,
            no_repeat_ngram=no_repeat_ngram,
            with_scores=with_scores,
        )

    def stream(
        self,
        n=10,
        temperature=1.0,
        top_k=None,
        top_p=None,
        prompt="",
        min_words=1,
        max_words=100,
        seed=None,
        no_repeat_ngram=None,
    ):
        """The texts of `generate`, each as an iterator of its pieces: words and marks as they are made.

        The pieces of a text, joined, are the text that `generate` gives for the same arguments. What later words could
        change is held back until they are there: an opening bracket until the word that it leans on, a single quote
        until its partner or the end of the text.
        """
        return self._text_generator.stream(
            n=n,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            prompt=prompt,
            min_words=min_words,
            max_words=max_words,
            seed=seed,
            no_repeat_ngram=no_repeat_ngram,
        )

    def check_prompt(self, prompt, max_words=100):
        """Raise TypeError or ValueError for a prompt that no text of at most `max_words` words can begin with."""
        self._text_generator.prompt(prompt, max_words)

    def beam_search(self, beam=10, n=None, prompt="", min_words=1, max_words=100, no_repeat_ngram=None):
        """The most probable texts, as far as a beam finds them; with a beam as wide as there are texts, exactly these.

        Parameters
        ----------
        beam : int
            How many texts that have not ended are followed at a time.
        n : int, optional
            How many texts, at most `beam`; default as many as the beam is wide, at most 10.
        prompt, min_words, max_words, no_repeat_ngram
            As for `generate`. All texts end by themselves: one of `max_words` words is not cut, but can only end.

        Returns
        -------
        list of (str, float)
            Different texts and ln P(text), what `score` gives for the tokens found, prompt and SENTENCE_END included;
            the most probable first. Fewer than n if there are no more.

        Raises
        ------
        TypeError, ValueError
            For demands that cannot be met; the message names the argument.
        """
        return self._text_generator.search(beam, n, prompt, min_words, max_words, no_repeat_ngram)


@dataclass(eq=False)
class State:
    """What a language model remembers of the beginning of a sentence; see `LanguageModel.advance`.

    Attributes
    ----------
    word : int
        The id of the last word, which is not yet part of
    s_prev : array (1, hidden_dim)
        the hidden state s_{t-1}.
    s_t : array (1, hidden_dim) or None
    log_probabilities : array (word_dim,) or None
        ln o_t; both are computed from word and s_prev when they are first needed.
    """

    word: int
    s_prev: np.ndarray
    s_t: np.ndarray | None = field(default=None, repr=False)
    log_probabilities: np.ndarray | None = field(default=None, repr=False)


def check_training(training):
    if not isinstance(training, dict):
        raise ArgumentValueError(f"training: expected a dict, got {type(training).__name__}")
    return training


def load(path):
    """Read a language model from a file that `LanguageModel.save` or training wrote."""
    return LanguageModel.load(os.fspath(path))


def score(path, sentences, base="e", split: bool | None = None):
    """Load a language model and score sentences: see `LanguageModel.score`."""
    return load(path).score(sentences, base, split)
