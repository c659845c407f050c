"""Passages as they are drawn."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from theano_rnn.continuations.passage_prompts import PassagePrompt
from theano_rnn.continuations.passage_writer import PassageWriter, TextBeforeStop
from theano_rnn.generation.passage_groups import PassageGroup
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import SENTENCE_END, Vocabulary


@dataclass(frozen=True)
class GeneratedText:
    """A generated text with its tokens.

    Attributes
    ----------
    text : str
        With the prompt.
    tokens : list of str
        The n tokens that were generated. SENTENCE_END is among them where it was drawn; at character level it is a
        newline inside a passage.
    log_probabilities : float64 array (n,)
        ln P(token | tokens before it) in nats.
    """

    text: str
    tokens: list[str]
    log_probabilities: npt.NDArray[np.float64]


class Passage:
    """A passage as it is drawn: a receiver of `theano_rnn.generation.passage_groups`.

    Parameters
    ----------
    prompt : PassagePrompt
    tokenizer : Tokenizer
    vocabulary : Vocabulary
    stop : str, optional
        The passage ends before this text.
    streamed : bool
        Whether pieces are taken before the passage is complete.

    Attributes
    ----------
    tokens : list of str
        If log-probabilities are received, the tokens so far, to the one that completes the stop text. The end of a
        sentence is SENTENCE_END, or a newline at character level.
    log_probabilities : list of float
        ln P of each.
    """

    tokens: list[str]

    def __init__(
        self,
        prompt: PassagePrompt,
        tokenizer: Tokenizer,
        vocabulary: Vocabulary,
        stop: str | None = None,
        streamed: bool = False,
    ) -> None:
        self._vocabulary = vocabulary
        self._is_written_at_once = stop is None and not streamed  # which takes less time
        self._new_ids: list[int] = []
        self._writer = PassageWriter(tokenizer, prompt)
        self._before_stop = TextBeforeStop(stop)
        self._pieces: list[str] = [prompt.text]
        self._unwritten: deque[str] = deque()
        self._values: list[float] = []
        self.tokens = []

    @property
    def log_probabilities(self) -> list[float]:
        """ln P of each token."""
        return self._values[: len(self.tokens)]

    def receive(self, ids: Sequence[int], log_probabilities: Sequence[float], is_complete: bool) -> bool:
        """Take the next ids: see `theano_rnn.generation.passage_groups.Receiver`."""
        self._new_ids += ids
        self._values += log_probabilities
        if self._is_written_at_once and not is_complete:
            return False
        tokens = self._vocabulary.decode(self._new_ids)
        self._new_ids = []
        if self._vocabulary.newline_ends_sentence:
            tokens = ["\n" if token == SENTENCE_END else token for token in tokens]
        if self._values:
            self._unwritten += tokens
        for piece in self._writer.write(tokens, is_complete):
            if self._values:
                self.tokens.append(self._unwritten.popleft())
            self._pieces.append(self._before_stop.add(piece))
            if self._before_stop.is_stopped:
                return True
        if is_complete:
            self._pieces.append(self._before_stop.rest())
        return is_complete

    def take_pieces(self) -> list[str]:
        """Return the pieces of text, prompt first, that were not taken before. Later tokens do not change them."""
        pieces, self._pieces = self._pieces, []
        return [piece for piece in pieces if piece]


Groups = Iterator[PassageGroup[Passage]]


def whole_passages(groups: Groups) -> Iterator[str]:
    """Yield the text of each passage once all of its group are drawn."""
    for group in groups:
        group.finish()
        for passage in group.receivers:
            yield "".join(passage.take_pieces())


def passages_with_tokens(groups: Groups) -> Iterator[GeneratedText]:
    """Yield the text, the tokens and their log-probabilities of each passage of groups that are scored."""
    for group in groups:
        group.finish()
        for passage in group.receivers:
            values = np.array(passage.log_probabilities, np.float64)
            yield GeneratedText("".join(passage.take_pieces()), passage.tokens, values)


def streamed_passages(groups: Groups) -> Iterator[Iterator[str]]:
    """Yield each passage as an iterator of its pieces, which are drawn when they are asked for."""
    return (_streamed_pieces(group, column) for group in groups for column in range(group.wanted))


def _streamed_pieces(group: PassageGroup[Passage], column: int) -> Iterator[str]:
    while True:
        ended = group.ended[column]
        yield from group.receivers[column].take_pieces()
        if ended:
            return
        group.advance()
