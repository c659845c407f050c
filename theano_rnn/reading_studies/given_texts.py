"""The texts that come before the texts to score: another column of a table, or the lines of another file."""

import itertools
from collections import deque
from collections.abc import Iterator, Sequence

from theano_rnn.errors import CorpusError, OptionError
from theano_rnn.files.corpus_formats import open_corpus_file
from theano_rnn.files.corpus_reader import CorpusReader
from theano_rnn.files.csv_files import CsvReader
from theano_rnn.files.text_files import without_byte_order_marks

_END = object()


class GivenTexts:
    """Reads the given text of each text to score.

    Parameters
    ----------
    source : str
        The name of a column if the inputs are tables, else the path of a file with as many lines as the only input.
    inputs : sequence of CorpusReader
        The files with the texts to score.

    Raises
    ------
    OptionError
        If there are tables and plain texts, or several plain texts.
    CorpusError
        If the file cannot be read.
    """

    def __init__(self, source: str, inputs: Sequence[CorpusReader]) -> None:
        self._source = source
        self._waiting: deque[str] = deque()
        self._given: Iterator[str] | None = None
        tables = sum(reader.is_table for reader in inputs)
        if tables < len(inputs):
            if tables:
                raise OptionError("given: expected tables or one text, got both; score them one after the other")
            if len(inputs) > 1:
                raise OptionError(
                    f"given: {source} holds the given texts of one file, got {len(inputs)} files; score them one after "
                    "the other, or give a table with both columns"
                )
            lines = open_corpus_file(source).lines()
            first = next(lines, None)  # opens the file now, before long work
            self._given = iter(()) if first is None else itertools.chain([first], lines)

    def texts(self, reader: CorpusReader, column: str | None) -> Iterator[str]:
        """Yield the texts to score of one input, and keep the given text of each for `take`.

        Raises
        ------
        CorpusError
            If there is no such column, or the file has more or fewer lines than the input.
        """
        if self._given is None:
            assert isinstance(reader, CsvReader)  # `__init__` has checked that it is a table
            for cells in reader.cells({"column": column, "given": self._source}):
                self._waiting.append(without_byte_order_marks(cells[1]))
                yield cells[0]
            return
        for number, (text, given) in enumerate(itertools.zip_longest(reader.lines(), self._given, fillvalue=_END), 1):
            if text is _END or given is _END:
                longer, shorter = (reader.name, self._source) if given is _END else (self._source, reader.name)
                raise CorpusError(
                    f"{longer} has more lines than {shorter}, which ends after line {number - 1}; line n of one must "
                    "belong to line n of the other"
                )
            assert isinstance(text, str) and isinstance(given, str)
            self._waiting.append(given)
            yield text

    def take(self, number: int) -> list[str]:
        """Return the given texts of the next texts."""
        return [self._waiting.popleft() for _ in range(number)]
