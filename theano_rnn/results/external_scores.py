"""Files of another model's log10 probabilities, a token each: what KenLM and SRILM print, and plain numbers.

Nothing is known here of texts. Files are read as bytes, a sentence at a time, and may be pipes.
"""

import math
import re
from dataclasses import dataclass

from theano_rnn.errors import CorpusError
from theano_rnn.files.text_files import normalized_bytes

_CHUNK = 2**20  # bytes; the format is told by the first of them
_ROUNDING = 1e-6  # what sums of single-precision logarithms may exceed 0 by
_NUMBER = re.compile(rb"[+-]?((\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|inf(inity)?|nan|1\.#(inf|ind|qnan)\w*)", re.IGNORECASE)
_NO_PROBABILITY = re.compile(rb"-(inf(inity)?|1\.#inf\w*)", re.IGNORECASE)
_KENLM_TOKEN = re.compile(rb"(.+)=\d+ \d+ (\S+)", re.DOTALL)
_KENLM_FIGURES = (b"Total: ", b"Perplexity including OOVs:")
_KENLM_TOTAL = re.compile(rb"(^|[\t\n])Total: \S+ OOV: \d")
# The whitespace tells it from a sentence, which SRILM prints before its tokens.
_SRILM_TOKEN = re.compile(rb"\s+p\( (\S+) \| .*\[ (\S+) \]")
_SRILM_FIGURES = re.compile(rb"(file .*: )?[\d.e+]+ sentences, [\d.e+]+ words, [\d.e+]+ OOVs")
_END = b"</s>"
_OWN_END = b"SENTENCE_END"
_OWN_MARKS = ([b"known"], [b"unknown"])
_NAMED = "named"  # a sentence's end, unless the text has a word of this spelling there


@dataclass
class TokenScores:
    """The log10 probabilities of one sentence, its end the last.

    Attributes
    ----------
    values : list of float
        At most as many as were asked for.
    number : int
        How many there are in the file.
    line : int
        Of the file, where they end.
    ended : bool
        False if the last is known not to be a sentence end's.
    """

    values: list
    number: int
    line: int
    ended: bool = True


class TokenScoreFile:
    """Reads the sentences of a file, whose beginning tells its format.

    What ``query`` of KenLM prints (without ``-v``, or with ``-v word``); what ``ngram -ppl TEXT -debug 2`` of SRILM
    prints; a line a token, whose first column is the number and whose last one, where there are more, the token; a line
    a sentence of numbers.

    A word may be spelled like a sentence end. KenLM's "Total:", SRILM's figures after each sentence, and the column
    "known" of our own output tell the two apart. In files without them the words of the text do; see `read`.

    Parameters
    ----------
    path : path

    Attributes
    ----------
    path : path
    has_blank_lines : bool
        Whether blank lines are sentences, of their end alone. SRILM leaves them out.

    Raises
    ------
    CorpusError
        If it cannot be read, or holds no probabilities of tokens.
    """

    def __init__(self, path):
        self.path = path
        self._line = 0  # of the piece that was read last
        self._ends_line = True
        try:
            self._file = open(path, "rb")
        except OSError as error:
            raise self._unreadable(error) from error
        try:
            self._head = self._read_chunk()
            self._format = self._told_format()
        except CorpusError:
            self.close()
            raise
        self.has_blank_lines = self._format != "srilm"
        self._tokens = {
            "kenlm": self._kenlm_tokens,
            "srilm": self._srilm_tokens,
            "columns": self._column_tokens,
            "rows": lambda: (line.split() for line in self._pieces(b"\n") if line.strip()),
        }[self._format]()

    def read(self, number, words=None):
        """The next sentence.

        Parameters
        ----------
        number : int
            How many tokens it should have, its end counted; tells where it ends in a file of numbers alone.
        words : sequence of str, optional
            These tokens. Where one before the last is spelled like a sentence end, the token in the file is a word.

        Returns
        -------
        TokenScores, or None after the last

        Raises
        ------
        CorpusError
            For what is no log10 probability; the message names the line.
        """
        if self._format == "rows":
            row = next(self._tokens, None)
            return row and TokenScores([self._value(one, self._line) for one in row[:number]], len(row), self._line)
        scores = TokenScores([], 0, self._line)
        for found in self._tokens:
            if found is None:
                if scores.number:
                    break
                continue
            is_end, value, scores.line = found
            if is_end == _NAMED:
                is_end = not (words and looks_like_end(words[:-1], scores.number))
            scores.number += 1
            if scores.number <= number:
                scores.values.append(self._value(value, scores.line))
            if is_end or (is_end is None and scores.number == number):
                return scores
        scores.ended = False
        return scores if scores.number else None

    def close(self):
        """Close the file."""
        self._file.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def _told_format(self):
        lines = [line for line in b"".join(normalized_bytes([self._head])).splitlines() if line.strip()] or [b""]
        columns = split_columns(lines[0])
        if any(map(_SRILM_TOKEN.match, lines)):
            return "srilm"
        if _KENLM_TOKEN.fullmatch(lines[0].split(b"\t")[0]):
            return "kenlm"
        if lines[0].startswith(_KENLM_FIGURES):
            raise CorpusError(f"{self.path}: holds no tokens; run KenLM's query without -v, or with -v word")
        if any(map(_SRILM_FIGURES.match, lines)):
            raise CorpusError(f"{self.path}: holds no tokens; run SRILM's ngram with -debug 2")
        if columns and not is_number(columns[0]):
            raise CorpusError(
                f"{self.path}: holds no log10 probabilities of tokens; make it with KenLM's query or with SRILM's "
                "ngram -debug 2, or write a token a line, the number first"
            )
        # Tokens can be numbers too, but not the ends. A single number can be a sentence: a blank line's end.
        whole = lines[:-1] if len(self._head) == _CHUNK else lines
        last = [columns[-1] for columns in map(split_columns, whole) if len(columns) > 1]
        return "rows" if last and all(map(is_number, last)) else "columns"

    # Tokens are (whether it is a sentence's end, number, line), with `_NAMED` where only its spelling says so, and None
    # for "nobody knows"; what is no token is None.

    def _kenlm_tokens(self):
        return self._printed_tokens(b"\t\n", _KENLM_TOKEN.fullmatch, bool(_KENLM_TOTAL.search(self._head)))

    def _srilm_tokens(self):
        has_figures = any(map(_SRILM_FIGURES.match, self._head.splitlines()))
        return self._printed_tokens(b"\n", _SRILM_TOKEN.match, has_figures)

    def _printed_tokens(self, ends, match, has_figures):
        """Where figures follow the tokens of each sentence, only the last of these can be its end."""
        last = None
        for piece in self._pieces(ends):
            token = match(piece)
            if not has_figures:
                yield token and (token[1] == _END and _NAMED, token[2], self._line)
                continue
            if last:
                yield not token and last[0][1] == _END, last[0][2], last[1]
            last = token and (token, self._line)
            if not token:
                yield None
        if last:
            yield last[0][1] == _END, last[0][2], last[1]

    def _column_tokens(self):
        for line in self._pieces(b"\n"):
            columns = split_columns(line)
            yield (is_end(columns), columns[0], self._line) if columns else None

    def _pieces(self, ends):
        """Yield what stands between these bytes, and keep count of the lines."""
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

    def _count_line(self, end):
        self._line += self._ends_line
        self._ends_line = end == b"\n"

    def _chunks(self):
        chunk, self._head = self._head, None
        while chunk:
            yield chunk
            chunk = self._read_chunk()

    def _read_chunk(self):
        try:
            return self._file.read(_CHUNK)
        except OSError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error):
        return CorpusError(f"{self.path}: cannot be read: {error.strerror}; check its name")

    def _value(self, text, line):
        if _NO_PROBABILITY.fullmatch(text):
            return -math.inf
        value = float(text) if is_number(text) and b"#" not in text else math.nan
        if math.isnan(value) or value > _ROUNDING:
            shown = text.decode("utf-8", "replace")
            raise CorpusError(
                f"{self.path}, line {line}: {shown!r} is no log10 probability, which is 0 or below; give what "
                "KenLM or SRILM printed, or such numbers"
            )
        return min(value, 0.0)


def split_columns(line):
    """The columns of a line, divided by tabs if there are any, else by blanks; none if it is blank."""
    if not line.strip():
        return []
    return line.split(b"\t") if b"\t" in line else line.split()


def is_end(columns):
    """Whether columns, of which the last is the token, are of a sentence's end; None where there is no token."""
    if len(columns) < 2:
        return None
    if columns[1:-1] in _OWN_MARKS:
        # In our own output a word "SENTENCE_END" of the text is unknown, and "</s>" is always a word.
        return columns[1:] == [b"known", _OWN_END]
    return columns[-1] in (_END, _OWN_END) and _NAMED


def looks_like_end(words, place):
    """Whether there is a word at this place that is spelled like a sentence's end, lower-cased or not."""
    return place < len(words) and words[place].lower() in ("</s>", "sentence_end")


def is_number(text):
    return _NUMBER.fullmatch(text.strip()) is not None
