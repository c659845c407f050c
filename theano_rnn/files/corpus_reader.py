"""What every corpus format offers: documents to train on, and lines to score. Plain text is the simplest format."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar

from theano_rnn.files.text_files import TextInput


class CorpusReader(ABC):
    """Reads the texts of one file, or of standard input, once.

    Parameters
    ----------
    source : TextInput
        The open text.
    column : str, optional
        The column that holds the texts, for formats that are tables.

    Attributes
    ----------
    is_table : bool
        Whether the format has columns, and one text per row.
    name : str
        The name of the file, for messages.
    """

    is_table: ClassVar[bool] = False

    def __init__(self, source: TextInput, column: str | None = None) -> None:
        self._source = source
        self._column = column
        self.name: str = source.name

    @property
    def header_rows(self) -> int:
        """The number of rows before the first row that holds a text."""
        return int(self.is_table)

    @abstractmethod
    def documents(self) -> Iterator[Iterable[str]]:
        """Yield the documents to train on, each in parts that follow each other directly."""

    @abstractmethod
    def lines(self) -> Iterator[str]:
        """Yield the texts to score, without the line ends between them, each as soon as it is read."""

    def place(self, number: int) -> str:
        """Describe where a text is, for messages.

        Parameters
        ----------
        number : int
            The number of the text among those of `lines`, from 1.
        """
        return f"{self.name}, {'row' if self.is_table else 'line'} {number + self.header_rows}"

    def is_waiting(self) -> bool:
        """Tell whether the next line from a pipe or a terminal has not arrived yet."""
        return self._source.is_waiting()


class PlainTextReader(CorpusReader):
    """Plain text: the file is one document, and each of its lines is one text to score."""

    def documents(self) -> Iterator[Iterable[str]]:
        yield self._source.text()

    def lines(self) -> Iterator[str]:
        return self._source.lines()
