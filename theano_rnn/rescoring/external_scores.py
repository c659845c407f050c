"""Reads another model's log10 probabilities of tokens: the output of KenLM and SRILM, and plain numbers.

Files are read as bytes, one sentence at a time, and may be pipes. Must not know texts.
"""

import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Literal, TypeAlias

from theano_rnn.errors import CorpusError
from theano_rnn.files.text_files import normalized_bytes

_CHUNK = 2**20  # bytes; the format is recognized from the first chunk
_ROUNDING = 1e-6  # rounding can make a sum of single-precision logarithms exceed 0 by this much
_NUMBER = re.compile(rb"[+-]?((\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|inf(inity)?|nan|1\.#(inf|ind|qnan)\w*)", re.IGNORECASE)
_NO_PROBABILITY = re.compile(rb"-(inf(inity)?|1\.#inf\w*)", re.IGNORECASE)
_KENLM_TOKEN = re.compile(rb"(.+)=\d+ \d+ (\S+)", re.DOTALL)
_KENLM_FIGURES = (b"Total: ", b"Perplexity including OOVs:")
_KENLM_TOTAL = re.compile(rb"(^|[\t\n])Total: \S+ OOV: \d")
# The leading whitespace distinguishes a token from the sentence, which SRILM prints before its tokens.
_SRILM_TOKEN = re.compile(rb"\s+p\( (\S+) \| .*\[ (\S+) \]")
_SRILM_FIGURES = re.compile(rb"(file .*: )?[\d.e+]+ sentences, [\d.e+]+ words, [\d.e+]+ OOVs")
_END = b"</s>"
_OWN_END = b"SENTENCE_END"
_OWN_MARKS = ([b"known"], [b"unknown"])
_NAMED: Literal["named"] = "named"
# Whether a token is a sentence end: True, False, `_NAMED` if only its spelling suggests it, or None if unknown.
EndMark: TypeAlias = bool | Literal["named"] | None
# (end mark, number, line of the file); None for a separator between sentences.
Token: TypeAlias = tuple[EndMark, bytes, int]


@dataclass
class SentenceScores:
    """The log10 probabilities of the tokens of one sentence, including its end.

    Attributes
    ----------
    values : list of float
        At most as many as requested.
    number : int
        Number of tokens of the sentence in the file.
    line : int
        The line of the file where the sentence ends.
    ended : bool
        False if the last token is known not to be a sentence end.
    """

    values: list[float]
    number: int
    line: int
    ended: bool = True


class TokenScoreFile:
    """Reads the sentences of a file and recognizes its format from its beginning.

    The formats are the output of KenLM's ``query`` (without ``-v``, or with ``-v word``); the output of SRILM's
    ``ngram -ppl TEXT -debug 2``; one token per line, with the number in the first column and, if there are more
    columns, the token in the last; and one sentence of numbers per line.

    A word can be spelled like a sentence end. The two are distinguished by KenLM's "Total:", by SRILM's figures after
    each sentence, and by the column "known" of this package's own output. In other files, the words of the text decide;
    see `read`.

    Parameters
    ----------
    path : str or path-like

    Attributes
    ----------
    path : str or path-like
    has_blank_lines : bool
        Whether a blank line counts as a sentence that consists of a sentence end. SRILM leaves out blank lines.

    Raises
    ------
    CorpusError
        If the file cannot be read or contains no log10 probabilities of tokens.
    """

    path: str | os.PathLike[str]
    has_blank_lines: bool

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path
        self._line = 0  # the line of the last piece that was read
        self._ends_line = True
        try:
            self._file: BinaryIO = open(path, "rb")
        except OSError as error:
            raise self._unreadable(error) from error
        try:
            self._head = self._read_chunk()
            self._format = self._recognized_format()
        except CorpusError:
            self.close()
            raise
        self.has_blank_lines = self._format != "srilm"
        self._rows: Iterator[list[bytes]] = (line.split() for line in self._pieces(b"\n") if line.strip())
        self._tokens: Iterator[Token | None] = {
            "kenlm": self._kenlm_tokens,
            "srilm": self._srilm_tokens,
            "columns": self._column_tokens,
            "rows": lambda: iter(()),
        }[self._format]()

    def read(self, number: int, words: Sequence[str] | None = None) -> SentenceScores | None:
        """Read the next sentence.

        Parameters
        ----------
        number : int
            The expected number of tokens, including the end. In a file that contains only numbers, it determines where
            the sentence ends.
        words : sequence of str, optional
            The expected tokens. If a token other than the last is spelled like a sentence end, it is read as a word.

        Returns
        -------
        SentenceScores or None
            None after the last sentence.

        Raises
        ------
        CorpusError
            If a value is not a log10 probability; the message names the line.
        """
        if self._format == "rows":
            row = next(self._rows, None)
            if row is None:
                return None
            return SentenceScores([self._value(value, self._line) for value in row[:number]], len(row), self._line)
        scores = SentenceScores([], 0, self._line)
        for token in self._tokens:
            if token is None:
                if scores.number:
                    break
                continue
            end_mark, value, scores.line = token
            if end_mark == _NAMED:
                end_mark = not (words and looks_like_end(words[:-1], scores.number))
            scores.number += 1
            if scores.number <= number:
                scores.values.append(self._value(value, scores.line))
            if end_mark or (end_mark is None and scores.number == number):
                return scores
        scores.ended = False
        return scores if scores.number else None

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> "TokenScoreFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _recognized_format(self) -> str:
        lines = [line for line in b"".join(normalized_bytes([self._head])).splitlines() if line.strip()] or [b""]
        columns = split_columns(lines[0])
        if any(map(_SRILM_TOKEN.match, lines)):
            return "srilm"
        if _KENLM_TOKEN.fullmatch(lines[0].split(b"\t")[0]):
            return "kenlm"
        if lines[0].startswith(_KENLM_FIGURES):
            raise CorpusError(f"{self.path}: contains no tokens; run KenLM's query without -v, or with -v word")
        if any(map(_SRILM_FIGURES.match, lines)):
            raise CorpusError(f"{self.path}: contains no tokens; run SRILM's ngram with -debug 2")
        if columns and not is_number(columns[0]):
            raise CorpusError(
                f"{self.path}: contains no log10 probabilities of tokens; create it with KenLM's query or with SRILM's "
                "ngram -debug 2, or write one token per line, number first"
            )
        # Words can be numbers too, but sentence ends cannot. A single number may be the score of a blank line.
        whole = lines[:-1] if len(self._head) == _CHUNK else lines
        last = [columns[-1] for columns in map(split_columns, whole) if len(columns) > 1]
        return "rows" if last and all(map(is_number, last)) else "columns"

    def _kenlm_tokens(self) -> Iterator[Token | None]:
        return self._printed_tokens(b"\t\n", _KENLM_TOKEN.fullmatch, bool(_KENLM_TOTAL.search(self._head)))

    def _srilm_tokens(self) -> Iterator[Token | None]:
        has_figures = any(map(_SRILM_FIGURES.match, self._head.splitlines()))
        return self._printed_tokens(b"\n", _SRILM_TOKEN.match, has_figures)

    def _printed_tokens(
        self, ends: bytes, match: Callable[[bytes], re.Match[bytes] | None], has_figures: bool
    ) -> Iterator[Token | None]:
        """Yield the tokens. If figures follow the tokens of each sentence, only the last one can be a sentence end."""
        last: tuple[re.Match[bytes], int] | None = None
        for piece in self._pieces(ends):
            token = match(piece)
            if not has_figures:
                yield (_NAMED if token[1] == _END else False, token[2], self._line) if token else None
                continue
            if last:
                yield not token and last[0][1] == _END, last[0][2], last[1]
            last = (token, self._line) if token else None
            if not token:
                yield None
        if last:
            yield last[0][1] == _END, last[0][2], last[1]

    def _column_tokens(self) -> Iterator[Token | None]:
        for line in self._pieces(b"\n"):
            columns = split_columns(line)
            yield (end_mark(columns), columns[0], self._line) if columns else None

    def _pieces(self, ends: bytes) -> Iterator[bytes]:
        """Split the file at each of the bytes `ends`, and count lines."""
        rest = b""
        for chunk in normalized_bytes(self._chunks()):
            pieces = re.split(b"([" + ends + b"])", rest + chunk)
            rest = pieces.pop()
            for piece, end in zip(pieces[::2], pieces[1::2], strict=True):
                self._count_line(end)
                yield piece
        if rest:
            self._count_line(b"")
            yield rest

    def _count_line(self, end: bytes) -> None:
        self._line += self._ends_line
        self._ends_line = end == b"\n"

    def _chunks(self) -> Iterator[bytes]:
        chunk, self._head = self._head, b""
        while chunk:
            yield chunk
            chunk = self._read_chunk()

    def _read_chunk(self) -> bytes:
        try:
            return self._file.read(_CHUNK)
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: OSError) -> CorpusError:
        return CorpusError(f"{self.path}: cannot be read: {error.strerror}; check its name")

    def _value(self, text: bytes, line: int) -> float:
        if _NO_PROBABILITY.fullmatch(text):
            return -math.inf
        value = float(text) if is_number(text) and b"#" not in text else math.nan
        if math.isnan(value) or value > _ROUNDING:
            shown = text.decode("utf-8", "replace")
            raise CorpusError(
                f"{self.path}, line {line}: {shown!r} is not a log10 probability, which is at most 0; use the "
                "output of KenLM or SRILM, or such numbers"
            )
        return min(value, 0.0)


def split_columns(line: bytes) -> list[bytes]:
    """Split a line at tabs if it has any, else at whitespace; a blank line has no columns."""
    if not line.strip():
        return []
    return line.split(b"\t") if b"\t" in line else line.split()


def end_mark(columns: Sequence[bytes]) -> EndMark:
    """Return whether a line is a sentence end. Its last column is the token, unless there is only one column."""
    if len(columns) < 2:
        return None
    if columns[1:-1] in _OWN_MARKS:
        # In this package's own output, a word "SENTENCE_END" of the text is unknown, and "</s>" is always a word.
        return columns[1:] == [b"known", _OWN_END]
    return _NAMED if columns[-1] in (_END, _OWN_END) else False


def looks_like_end(words: Sequence[str], index: int) -> bool:
    """Return whether the word at this index is spelled like a sentence end, in upper or lower case."""
    return index < len(words) and words[index].lower() in ("</s>", "sentence_end")


def is_number(text: bytes) -> bool:
    """Return whether bytes are a number as printed by C or Python."""
    return _NUMBER.fullmatch(text.strip()) is not None
