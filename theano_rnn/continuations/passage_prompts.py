"""The prompt of passages, which may consist of several sentences or lines."""

from array import array
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from theano_rnn.continuations.prompts import check_prompt_text
from theano_rnn.generation.repetition import SeenNgrams
from theano_rnn.text.sentences import ASCII_WHITESPACE
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary


class PassagePrompt:
    r"""The text with which passages begin. It is kept unchanged, and may consist of several sentences or lines.

    It is split into sentences as the training text was. The passage continues the last one, unless the prompt ends it:
    by a line end if each line is a sentence, by a blank line if text was split into sentences.

    Parameters
    ----------
    text : str
    tokenizer : Tokenizer
    vocabulary : Vocabulary
    carries_state : bool
        Whether the network carries its state over the ends of sentences. If not, it reads only the last sentence.

    Attributes
    ----------
    text : str
    ids : int32 array
        What the network reads before the passage.
    last_sentence : list of str
        The tokens of the sentence that the passage continues; empty if it begins a new one, and for characters.

    Raises
    ------
    TypeError
        If `text` is not a str.

    Examples
    --------
    >>> vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", "he", "she", "came", "."])
    >>> prompt = PassagePrompt("He came. She", Tokenizer(), vocabulary, carries_state=True)
    >>> prompt.ids.tolist(), prompt.last_sentence
    ([0, 3, 5, 6, 1, 0, 4], ['she'])
    """

    text: str
    ids: npt.NDArray[np.int32]
    last_sentence: list[str]

    def __init__(self, text: str, tokenizer: Tokenizer, vocabulary: Vocabulary, carries_state: bool) -> None:
        self.text = check_prompt_text(text)
        self._written = text.replace("\r\n", "\n").replace("\r", "\n")  # as the training text was read
        self._tokenizer = tokenizer
        self._vocabulary = vocabulary
        self.last_sentence = []
        if tokenizer.level == "char":
            self.ids = np.append(np.int32(vocabulary.end), vocabulary.encode_text(self._written))
            return
        ids = array("i")
        for tokens in self._sentences():
            if not carries_state:
                del ids[:]
            ids.extend([vocabulary.start, *vocabulary.encode(tokens).tolist(), vocabulary.end])
            self.last_sentence = tokens
        self.ids = np.array(ids[:-1], np.int32)

    def _sentences(self) -> Iterator[list[str]]:
        """The tokens of each sentence. The passage continues the last one, which may be empty."""
        if self._tokenizer.level == "char":
            yield from map(list, self._written.split("\n"))
            return
        is_blank = True
        for sentence in self._tokenizer.iterate_sentences([self._written]):
            is_blank = False
            yield self._tokenizer.tokenize(sentence)
        if is_blank or _ends_sentence(self._written, self._tokenizer):
            yield []

    def seen_ngrams(self, n: int) -> SeenNgrams:
        """Return the n-grams of the prompt's sentences. Distinct unknown words count as distinct tokens."""
        seen = SeenNgrams(n)
        for tokens in self._sentences():
            seen.end_sentence()
            for token in tokens:
                seen.add(self._vocabulary.find(token) if token in self._vocabulary else token)
        return seen


def _ends_sentence(text: str, tokenizer: Tokenizer) -> bool:
    """Whether the whitespace at the end of a text of words ends its last sentence."""
    whitespace = text[len(text.rstrip(ASCII_WHITESPACE if tokenizer.tokenized else None)) :]
    return whitespace.count("\n") > (0 if tokenizer.lines else 1)
