"""Generates texts: converts prompts to ids, draws or searches for continuations, and converts ids back to text."""

import functools
from collections.abc import Iterator
from typing import Literal, overload

import numpy as np

from theano_rnn.continuations import passages
from theano_rnn.continuations.passage_prompts import PassagePrompt
from theano_rnn.continuations.passages import GeneratedText, Passage
from theano_rnn.continuations.prompts import Prompt
from theano_rnn.errors import ArgumentValueError
from theano_rnn.generation import beam_search, text_groups
from theano_rnn.generation.beam_expansion import BeamExpander
from theano_rnn.generation.passage_groups import PassageGroup, passage_groups
from theano_rnn.generation.passage_sampling import PassageSampler
from theano_rnn.generation.sampling import Sampler
from theano_rnn.generation.text_groups import SamplingOptions, TextGroup
from theano_rnn.language_models import scoring
from theano_rnn.language_models.text_model import TextModel
from theano_rnn.text.vocabulary import SENTENCE_END


class TextGenerator(TextModel):
    """Generates texts: draws them at random or searches for the most probable ones."""

    def generate(
        self,
        n: int = 10,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        prompt: str = "",
        min_words: int = 1,
        max_words: int = 100,
        seed: int | None = None,
        no_repeat_ngram: int | None = None,
        length: int | None = None,
        stop: str | None = None,
    ) -> list[str]:
        """Draw texts at random: one sentence each, or passages. They never contain UNKNOWN_TOKEN or SENTENCE_START.

        Parameters
        ----------
        n : int
            Number of texts.
        temperature : float
            Above 0. Values below 1 make probable words more likely, values above 1 improbable ones.
        top_k : int, optional
            Draw only from the k most probable words.
        top_p : float, optional
            Draw only from the smallest set of most probable words whose probabilities add up to at least this.
        prompt : str
            The beginning of every text. It is kept unchanged, including unknown words and trailing whitespace, after
            which no other space precedes the first generated word.
        min_words, max_words : int
            Length of each text including the prompt, in whitespace-separated words (in characters at character level).
        seed : int, optional
            The same seed gives the same texts.
        no_repeat_ngram : int, optional
            No sequence of this many tokens, punctuation included, occurs twice in a text including its prompt. Tokens
            that would repeat a sequence are excluded before `top_k` and `top_p` apply. If no token is left, the text
            ends, even before `min_words`. In a passage, a sequence lies within one sentence or line.
        length : int, optional
            Write passages of this many tokens (characters at character level) after the prompt, which run on through
            the ends of sentences and lines. Each end of a sentence or line counts as a token. The state is carried over
            it if the model is `continuous`; otherwise each sentence begins from a zero state. Sentences of words are
            separated by what mostly separates those of the training text: a space, a line end, or a blank line. The
            prompt may contain line ends. `min_words` and `max_words` must have their defaults.
        stop : str, optional
            With `length`: a passage ends before the first place after the prompt where this text appears, even if it
            has fewer tokens.

        Returns
        -------
        list of str

        Raises
        ------
        TypeError, ValueError
            If an argument is out of range; the message names it.
        """
        options = SamplingOptions(
            n, temperature, top_k, top_p, min_words, max_words, seed, no_repeat_ngram, length, stop
        )
        return list(self._generated(prompt, options))

    @overload
    def generated(
        self,
        n: int = ...,
        temperature: float = ...,
        top_k: int | None = ...,
        top_p: float | None = ...,
        prompt: str = ...,
        min_words: int = ...,
        max_words: int = ...,
        seed: int | None = ...,
        no_repeat_ngram: int | None = ...,
        with_scores: Literal[False] = ...,
        length: int | None = ...,
        stop: str | None = ...,
    ) -> Iterator[str]: ...
    @overload
    def generated(
        self,
        n: int = ...,
        temperature: float = ...,
        top_k: int | None = ...,
        top_p: float | None = ...,
        prompt: str = ...,
        min_words: int = ...,
        max_words: int = ...,
        seed: int | None = ...,
        no_repeat_ngram: int | None = ...,
        *,
        with_scores: Literal[True],
        length: int | None = ...,
        stop: str | None = ...,
    ) -> Iterator[tuple[str, float]]: ...
    def generated(
        self,
        n: int = 10,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        prompt: str = "",
        min_words: int = 1,
        max_words: int = 100,
        seed: int | None = None,
        no_repeat_ngram: int | None = None,
        with_scores: bool = False,
        length: int | None = None,
        stop: str | None = None,
    ) -> Iterator[str] | Iterator[tuple[str, float]]:
        """Draw texts like `generate`, and yield each as soon as it is drawn. Arguments are checked immediately.

        Parameters
        ----------
        n, temperature, top_k, top_p, prompt, min_words, max_words, seed, no_repeat_ngram, length, stop
            As in `generate`.
        with_scores : bool
            Whether to yield the log-probability of each text too; not for passages.

        Returns
        -------
        iterator of str, or of (str, float)
            Texts, or pairs (text, ln P(text)) if `with_scores` is set. ln P(text) is the `score` of the tokens drawn,
            including the prompt and SENTENCE_END, even if the text was cut off at `max_words`. It is the probability
            under the model itself, regardless of `temperature`, `top_k` and `top_p`.
        """
        options = SamplingOptions(
            n, temperature, top_k, top_p, min_words, max_words, seed, no_repeat_ngram, length, stop
        )
        if not with_scores:
            return self._generated(prompt, options)
        if length is not None:
            raise ArgumentValueError("with_scores: is for texts of one sentence; use `generated_tokens` for passages")
        checked_prompt = self._prompt(prompt, max_words)
        return self._scored_texts(checked_prompt, self._text_groups(checked_prompt, options))

    def generated_tokens(
        self,
        n: int = 10,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        prompt: str = "",
        min_words: int = 1,
        max_words: int = 100,
        seed: int | None = None,
        no_repeat_ngram: int | None = None,
        length: int | None = None,
        stop: str | None = None,
    ) -> Iterator[GeneratedText]:
        """Draw texts like `generate`, and yield each with its tokens and their log-probabilities.

        Parameters
        ----------
        n, temperature, top_k, top_p, prompt, min_words, max_words, seed, no_repeat_ngram, length, stop
            As in `generate`. The texts are the same.

        Returns
        -------
        iterator of GeneratedText
            The log-probabilities are those of the model itself, regardless of `temperature`, `top_k` and `top_p`. The
            tokens are those after the prompt. They include SENTENCE_END unless the text was cut off, and in a passage
            those of `stop`, although the text ends before it.
        """
        options = SamplingOptions(
            n, temperature, top_k, top_p, min_words, max_words, seed, no_repeat_ngram, length, stop
        )
        if length is not None:
            return passages.passages_with_tokens(self._passage_groups(prompt, options, scored=True))
        checked_prompt = self._prompt(prompt, max_words)
        return self._texts_with_tokens(checked_prompt, self._text_groups(checked_prompt, options, scored=True))

    def stream(
        self,
        n: int = 10,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        prompt: str = "",
        min_words: int = 1,
        max_words: int = 100,
        seed: int | None = None,
        no_repeat_ngram: int | None = None,
        length: int | None = None,
        stop: str | None = None,
    ) -> Iterator[Iterator[str]]:
        """Draw texts like `generate`, and yield the words and punctuation of each text as they are drawn.

        A piece that later words can change is held back until they are drawn: an opening bracket until the next word, a
        single quote until the closing quote or the end of the text.

        Parameters
        ----------
        n, temperature, top_k, top_p, prompt, min_words, max_words, seed, no_repeat_ngram, length, stop
            As in `generate`.

        Returns
        -------
        iterator of iterators of str
            The pieces of each text. Joined, they are the text that `generate` returns for the same arguments.
        """
        options = SamplingOptions(
            n, temperature, top_k, top_p, min_words, max_words, seed, no_repeat_ngram, length, stop
        )
        if length is not None:
            return passages.streamed_passages(self._passage_groups(prompt, options, streamed=True))
        checked_prompt = self._prompt(prompt, max_words)
        groups = self._text_groups(checked_prompt, options, streamed=True)
        return (self._pieces(checked_prompt, group, column) for group in groups for column in range(group.wanted))

    def beam_search(
        self,
        beam: int = 10,
        n: int | None = None,
        prompt: str = "",
        min_words: int = 1,
        max_words: int = 100,
        no_repeat_ngram: int | None = None,
    ) -> list[tuple[str, float]]:
        """Search for the most probable texts.

        The search is exact if the beam is at least as wide as the number of possible texts.

        Parameters
        ----------
        beam : int
            Width of the beam: the number of unfinished texts kept at each step.
        n : int, optional
            Largest number of texts to return, at most `beam`. The default is the smaller of `beam` and 10.
        prompt, min_words, max_words, no_repeat_ngram
            As in `generate`, but texts are not cut off: a text of `max_words` words can only end or continue with
            punctuation.

        Returns
        -------
        list of (text, ln P(text))
            Distinct texts, most probable first, each with the `score` of its tokens, including the prompt and
            SENTENCE_END. There are fewer than `n` if the search finds no more.

        Raises
        ------
        TypeError, ValueError
            If an argument is out of range; the message names it.
        """
        n = text_groups.check_beam_arguments(beam, n, min_words, max_words, no_repeat_ngram)
        checked_prompt = self._prompt(prompt, max_words)
        if n == 0:
            return []
        framed = np.append(checked_prompt.ids, self.vocabulary.end)
        (prompt_scores,) = scoring.token_log_probabilities(self.rnn, [framed])
        return beam_search.most_probable_texts(
            self._beam_expander,
            checked_prompt.ids,
            beam,
            n,
            lambda ids: checked_prompt.continued(self.vocabulary.decode(ids)),
            words=checked_prompt.words,
            min_words=min_words,
            max_words=max_words,
            log_probability=float(prompt_scores[:-1].sum()),
            seen=None if no_repeat_ngram is None else checked_prompt.seen_ngrams(no_repeat_ngram),
        )

    def check_prompt(self, prompt: str, max_words: int = 100) -> None:
        """Check that a text of at most `max_words` words can begin with a prompt.

        Raises
        ------
        TypeError
            If the prompt is not a str.
        ValueError
            If the prompt is too long.
        """
        self._prompt(prompt, max_words)

    def _prompt(self, text: str, max_words: int) -> Prompt:
        prompt = Prompt(text, self.tokenizer, self.vocabulary, self.start)
        prompt.check_length(max_words)
        return prompt

    @functools.cached_property
    def _words_added(self) -> list[int]:
        """The number of words that each vocabulary entry adds to the length of a text."""
        return [self.tokenizer.words_added(token) for token in self.vocabulary.index_to_word]

    @functools.cached_property
    def _sampler(self) -> Sampler:
        return Sampler(self.rnn, self.vocabulary.end, self._never_generated, self._words_added)

    @functools.cached_property
    def _passage_sampler(self) -> PassageSampler:
        start = self.start if self.start != self.vocabulary.end else None
        return PassageSampler(self.rnn, self.vocabulary.end, self._never_generated, start, self.continuous)

    @functools.cached_property
    def _beam_expander(self) -> BeamExpander:
        return BeamExpander(self.rnn, self.vocabulary.end, self._never_generated, self._words_added)

    @property
    def _never_generated(self) -> list[int]:
        return [self.vocabulary.start, self.vocabulary.unknown]

    def _generated(self, prompt: str, options: SamplingOptions) -> Iterator[str]:
        if options.length is not None:
            return passages.whole_passages(self._passage_groups(prompt, options))
        checked_prompt = self._prompt(prompt, options.max_words)
        return self._texts(checked_prompt, self._text_groups(checked_prompt, options))

    # Texts of one sentence

    def _text_groups(
        self, prompt: Prompt, options: SamplingOptions, streamed: bool = False, scored: bool = False
    ) -> Iterator[TextGroup]:
        seen = None if options.no_repeat_ngram is None else prompt.seen_ngrams(options.no_repeat_ngram)
        return text_groups.text_groups(
            self._sampler, prompt.ids, prompt.words, options, seen=seen, streamed=streamed, scored=scored
        )

    def _texts(self, prompt: Prompt, groups: Iterator[TextGroup]) -> Iterator[str]:
        for group in groups:
            for ids in group.draw():
                yield prompt.continued(self.vocabulary.decode(ids))

    def _texts_with_tokens(self, prompt: Prompt, groups: Iterator[TextGroup]) -> Iterator[GeneratedText]:
        for group in groups:
            for ids, values in zip(group.draw(), group.log_probabilities, strict=False):
                tokens = self.vocabulary.decode(ids)
                end = [SENTENCE_END] * (len(values) - len(tokens))
                yield GeneratedText(prompt.continued(tokens), tokens + end, np.array(values, np.float64))

    def _scored_texts(self, prompt: Prompt, groups: Iterator[TextGroup]) -> Iterator[tuple[str, float]]:
        """(text, ln P of prompt, text and SENTENCE_END) of each text."""
        for group in groups:
            texts = group.draw()
            framed = [np.array([*prompt.ids, *ids, self.vocabulary.end], np.int32) for ids in texts]
            scores = scoring.token_log_probabilities(self.rnn, framed)
            for ids, values in zip(texts, scores, strict=True):
                yield prompt.continued(self.vocabulary.decode(ids)), float(values.sum())

    def _pieces(self, prompt: Prompt, group: TextGroup, column: int) -> Iterator[str]:
        shown = 0
        while True:
            ended = group.ended[column]
            new, shown = prompt.pieces(self.vocabulary.decode(group.texts[column]), ended, shown)
            yield from filter(None, new)
            if ended:
                return
            group.advance()

    # Passages

    def _passage_groups(
        self, text: str, options: SamplingOptions, streamed: bool = False, scored: bool = False
    ) -> Iterator[PassageGroup[Passage]]:
        prompt = PassagePrompt(text, self.tokenizer, self.vocabulary, self.continuous)
        seen = None if options.no_repeat_ngram is None else prompt.seen_ngrams(options.no_repeat_ngram)
        return passage_groups(
            self._passage_sampler,
            prompt.ids,
            options,
            lambda: Passage(prompt, self.tokenizer, self.vocabulary, options.stop, streamed),
            seen=seen,
            streamed=streamed,
            scored=scored,
        )
