"""Texts that a network draws or finds: prompts become ids, ids become text again, whole or as it is made."""

import functools

import numpy as np

from theano_rnn.errors import ArgumentTypeError, ArgumentValueError
from theano_rnn.language_models import beam_search, generation, scoring
from theano_rnn.language_models.beam_step import BeamStep
from theano_rnn.language_models.repetition import SeenNgrams
from theano_rnn.language_models.sampling import Sampler


class Prompt:
    """How texts begin, word for word.

    Parameters
    ----------
    text : str
    tokenizer : Tokenizer
    vocabulary : Vocabulary
    start : int
        The id that stands before a sentence's first token.

    Attributes
    ----------
    ids : int32 array
        The start marker and the ids of the prompt's tokens.
    words : int
        Its length.

    Raises
    ------
    TypeError
        If it is no str.
    """

    def __init__(self, text, tokenizer, vocabulary, start):
        if not isinstance(text, str):
            raise ArgumentTypeError(f"prompt: expected a str, got {type(text).__name__}")
        self.text = text
        self.tokenizer = tokenizer
        self.tokens = tokenizer.tokenize(text if tokenizer.level == "char" else text.rstrip())
        self.ids = np.array([start, *vocabulary.encode(self.tokens)], np.int32)
        self.words = sum(tokenizer.words_added(token) for token in self.tokens)
        self._vocabulary = vocabulary

    def check_length(self, max_words):
        if self.words > max_words:
            raise ArgumentValueError(f"prompt: expected at most max_words ({max_words}) words, got {self.words}")

    def seen(self, n):
        """Its n-grams, for texts in which none may occur twice. Different unknown words are different tokens."""
        ids = [
            index if token in self._vocabulary else token
            for token, index in zip(self.tokens, self.ids[1:].tolist(), strict=True)
        ]
        return SeenNgrams(n, ids)

    def continued(self, tokens):
        """The prompt as it was given, followed by tokens as readable text."""
        return "".join(self.pieces(tokens, True, 0)[0])

    def pieces(self, tokens, ended, shown):
        """What can be shown of a text that begins like this.

        Parameters
        ----------
        tokens : list of str
            Those after the prompt, so far.
        ended : bool
            Whether these are all.
        shown : int
            How many pieces, the prompt being the first, are shown already.

        Returns
        -------
        (list of str, int)
            The pieces to show next, which nothing that follows can change, and how many are then shown.
        """
        before = len(self.tokens)
        written, settled = self.tokenizer.written_tokens([*self.tokens, *tokens])
        written, settled = written[before:], len(tokens) if ended else max(settled - before, 0)
        if written and self.tokenizer.level == "word" and self.text[-1:].isspace():
            written[0] = written[0].removeprefix(" ")  # the prompt has the blank between them, or whatever it has
        return [self.text, *written][shown : settled + 1], max(shown, settled + 1)


class TextGenerator:
    """Generates texts: draws them, or finds the most probable ones.

    Parameters
    ----------
    rnn : RNN
    vocabulary : Vocabulary
    tokenizer : Tokenizer
    start : int
        The id that stands before a sentence's first token.
    """

    def __init__(self, rnn, vocabulary, tokenizer, start):
        self.rnn = rnn
        self.vocabulary = vocabulary
        self.tokenizer = tokenizer
        self.start = start

    @functools.cached_property
    def _drawing(self):
        """What `Sampler` and `BeamStep` want to know of a vocabulary."""
        vocabulary = self.vocabulary
        words_added = [self.tokenizer.words_added(word) for word in vocabulary.index_to_word]
        return vocabulary.end, [vocabulary.start, vocabulary.unknown], words_added

    @functools.cached_property
    def _sampler(self):
        return Sampler(self.rnn, *self._drawing)

    @functools.cached_property
    def _beam_step(self):
        return BeamStep(self.rnn, *self._drawing)

    def prompt(self, text, max_words):
        prompt = Prompt(text, self.tokenizer, self.vocabulary, self.start)
        prompt.check_length(max_words)
        return prompt

    def draw(self, *, with_scores, **demands):
        """The texts of `LanguageModel.generated` one after the other, drawn side by side in groups."""
        prompt, groups = self._groups(demands, streamed=False)

        def texts():
            for group in groups:
                ids = group.draw()
                written = [prompt.continued(self.vocabulary.decode(text)) for text in ids]
                yield from zip(written, self._log_probabilities(prompt, ids), strict=True) if with_scores else written

        return texts()

    def stream(self, **demands):
        """The texts of `draw`, each as an iterator of its pieces, which come as they are made."""
        prompt, groups = self._groups(demands, streamed=True)

        def pieces(group, column):
            shown = 0
            while True:
                ended = group.ended[column]
                new, shown = prompt.pieces(self.vocabulary.decode(group.texts[column]), ended, shown)
                yield from filter(None, new)
                if ended:
                    return
                group.advance()

        return (pieces(group, column) for group in groups for column in range(group.wanted))

    def _groups(self, demands, streamed):
        """The prompt, and the groups of texts to draw; demands that cannot be met are refused at once."""
        generation.check_demands(**{name: value for name, value in demands.items() if name != "prompt"})
        prompt = self.prompt(demands.pop("prompt"), demands["max_words"])
        n, seed, no_repeat_ngram = (demands.pop(name) for name in ("n", "seed", "no_repeat_ngram"))
        if demands["top_k"] is not None:
            demands["top_k"] = min(demands["top_k"], self.rnn.word_dim)
        return prompt, generation.text_groups(
            self._sampler,
            prompt.ids,
            n,
            np.random.default_rng(seed),
            words=prompt.words,
            seen=None if no_repeat_ngram is None else prompt.seen(no_repeat_ngram),
            streamed=streamed,
            **demands,
        )

    def _log_probabilities(self, prompt, texts):
        """ln P of each text, the prompt and the end of the sentence included."""
        framed = [np.array([*prompt.ids, *text, self.vocabulary.end], np.int32) for text in texts]
        return [float(values.sum()) for values in scoring.token_log_probabilities(self.rnn, framed)]

    def search(self, beam, n, prompt, min_words, max_words, no_repeat_ngram):
        """See `LanguageModel.beam_search`."""
        n = generation.check_beam(beam, n, min_words, max_words, no_repeat_ngram)
        prompt = self.prompt(prompt, max_words)
        if n == 0:
            return []
        (of_prompt,) = scoring.token_log_probabilities(self.rnn, [np.append(prompt.ids, self.vocabulary.end)])
        return beam_search.most_probable_texts(
            self._beam_step,
            prompt.ids,
            beam,
            n,
            lambda ids: prompt.continued(self.vocabulary.decode(ids)),
            words=prompt.words,
            min_words=min_words,
            max_words=max_words,
            log_probability=float(of_prompt[:-1].sum()),
            seen=None if no_repeat_ngram is None else prompt.seen(no_repeat_ngram),
        )
