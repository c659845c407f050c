"""Tokens of a passage as text: sentences are joined as in the training text, and a stop text ends it."""

from collections.abc import Sequence

from theano_rnn.continuations.passage_prompts import PassagePrompt
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import SENTENCE_END

# Tokens of a sentence that are considered together to place spaces and quotes. Without this limit, the time would grow
# with the square of the length of a sentence that never ends.
LONGEST_CONTEXT = 1000


class PassageWriter:
    r"""Writes the tokens of a passage as text, a few at a time.

    Sentences are separated as most of those in the training text. The text does not depend on how many tokens come at a
    time.

    Parameters
    ----------
    tokenizer : Tokenizer
    prompt : PassagePrompt
        The text before the passage.

    Examples
    --------
    >>> from theano_rnn.text.vocabulary import Vocabulary
    >>> vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "he", "she", "came", "."])
    >>> writer = PassageWriter(Tokenizer(), PassagePrompt("He", Tokenizer(), vocabulary, carries_state=True))
    >>> writer.write(["came", ".", "SENTENCE_END", "she"])
    [' came', '.', '', ' she']
    """

    def __init__(self, tokenizer: Tokenizer, prompt: PassagePrompt) -> None:
        self._tokenizer = tokenizer
        self._line_end = "\n" if tokenizer.lines else ""
        self._separator = "" if tokenizer.lines else tokenizer.separator or " "
        self._sentence = prompt.last_sentence[-LONGEST_CONTEXT:]
        self._written = len(self._sentence)  # tokens of this sentence
        self._gap = ""  # what separates the next token from the sentence before it
        self._space_before = prompt.text[len(prompt.text.rstrip()) :].replace("\r\n", "\n").replace("\r", "\n")

    def write(self, tokens: Sequence[str], is_complete: bool = False) -> list[str]:
        """Add tokens and return what they, and those before them, add to the text.

        Parameters
        ----------
        tokens : sequence of str
            Words with SENTENCE_END between sentences, or characters.
        is_complete : bool
            Whether no more tokens follow.

        Returns
        -------
        list of str
            One for each token, in order. A token that later ones can change is left for a later call.
        """
        if self._tokenizer.level == "char":
            return list(tokens)
        pieces: list[str] = []
        for token in tokens:
            if token == SENTENCE_END:
                pieces += [*self._rest_of_sentence(), self._line_end]
                self._gap = self._separator
            else:
                if self._is_long_enough_before(token):
                    pieces += self._rest_of_sentence()
                    self._gap = " "
                self._sentence.append(token)
        if is_complete:
            pieces += self._rest_of_sentence()
        else:
            pieces += self._settled(*self._tokenizer.written_tokens(self._sentence))
        return self._without_second_space(pieces)

    def _is_long_enough_before(self, token: str) -> bool:
        """Whether what follows can be written without the sentence so far, because a space separates two words."""
        starts_word = self._tokenizer.starts_word
        return len(self._sentence) >= LONGEST_CONTEXT and starts_word(self._sentence[-1]) and starts_word(token)

    def _rest_of_sentence(self) -> list[str]:
        written, _ = self._tokenizer.written_tokens(self._sentence)
        pieces = self._settled(written, len(written))
        self._sentence, self._written = [], 0
        return pieces

    def _settled(self, written: list[str], settled: int) -> list[str]:
        pieces = written[self._written : settled]
        self._written = max(self._written, settled)
        if pieces:
            pieces[0], self._gap = self._gap + pieces[0], ""
        return pieces

    def _without_second_space(self, pieces: list[str]) -> list[str]:
        """The pieces without the space, or the line ends, at the very beginning that the prompt ends with already."""
        for position, piece in enumerate(pieces):
            if not self._space_before:
                break
            if piece:
                given = min(len(piece) - len(piece.lstrip("\n")), self._space_before.count("\n"))
                pieces[position] = piece[given:] if piece[0] == "\n" else piece.removeprefix(" ")
                self._space_before = ""
        return pieces


class TextBeforeStop:
    """The part of a growing text before the first occurrence of a stop text.

    Parameters
    ----------
    stop : str, optional
        The default is none, so that the whole text is kept.

    Attributes
    ----------
    is_stopped : bool
        Whether the stop text has occurred.

    Examples
    --------
    >>> text = TextBeforeStop("END")
    >>> text.add("the EN"), text.add("DED ENDE")
    ('the ', '')
    """

    is_stopped: bool

    def __init__(self, stop: str | None) -> None:
        self._stop = stop
        self._held = ""  # the end of the text that may be the beginning of the stop text
        self.is_stopped = False

    def add(self, text: str) -> str:
        """Add to the text, and return what is now known to come before the stop text."""
        if self._stop is None:
            return text
        text = self._held + text
        place = text.find(self._stop)
        if place >= 0:
            self.is_stopped, self._held = True, ""
            return text[:place]
        longest = min(len(self._stop) - 1, len(text))
        held = next(length for length in range(longest, -1, -1) if text.endswith(self._stop[:length]))
        self._held = text[len(text) - held :]
        return text[: len(text) - held]

    def rest(self) -> str:
        """Return the end of the text, which no stop text follows."""
        rest, self._held = self._held, ""
        return rest
