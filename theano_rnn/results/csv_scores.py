"""Scores as CSV with a header, for pandas and R."""

from collections.abc import Callable, Sequence
from typing import Any

from theano_rnn.results.score_formats import ScoringOptions
from theano_rnn.results.score_output import ScoredLine, ScoreOutput
from theano_rnn.results.tables import Table
from theano_rnn.results.text_statistics import TextStatistics, surprisal

LINE_COLUMNS = ("line", "log_probability", "tokens", "unknown", "perplexity", "sentence")
WORD_COLUMNS = ("line", "position", "token", "known", "log_probability", "surprisal", "start", "end")
SUMMARY_COLUMNS = ("sentences", "words", "log_probability", "tokens", "unknown", "perplexity")
# Texts that pandas.read_csv takes for missing values by default, in quotes or not. R does so with NA.
READ_AS_MISSING = frozenset(
    "#N/A|#N/A N/A|#NA|-1.#IND|-1.#QNAN|-NaN|-nan|1.#IND|1.#QNAN|<NA>|N/A|NA|NULL|NaN|None|n/a|nan|null".split("|")
)


class CsvScores(ScoreOutput):
    """Writes a row per input line or, with the option `words`, per token, or with `summary` one for the whole text.

    With `by_word` too, the rows are those of whitespace-separated words. If there are several files, a first column
    `file` has their names. The surprisal is always in bits.
    """

    def __init__(self, options: ScoringOptions, show: Callable[..., Any]) -> None:
        super().__init__(options, show)
        self._table: Table | None = None
        self._missing = 0
        self._example = ""

    def show_line(self, line: ScoredLine) -> None:
        """Write the row of one line or of each of its tokens."""
        if self.options.words:
            rows = self.rows(line)
            bits = surprisal([row.log_probability for row in rows]).tolist()
            for row, value in zip(rows, bits, strict=True):
                self._add_text(row.text)
                scores = self.in_base(row.log_probability), value
                self._add((self.line_number, row.position, row.text, row.known, *scores, row.start, row.end))
        elif not self.options.summary:
            self._add_text(line.text)
            self._add((self.line_number, *self._figures(line.totals), line.text))

    def finish(self) -> None:
        """Write the row of the whole text if only the summary is requested, and tell of texts that look missing."""
        if self.options.summary:
            totals = self.statistics
            row = (totals.sentences, totals.words, *self._figures(totals))
            Table("csv", SUMMARY_COLUMNS, self.show).add(row)
        if self._missing:
            self.note = (
                f"pandas takes {self._missing:,} of the texts for missing values, for example {self._example!r} (R: "
                "only 'NA'); use read_csv(..., keep_default_na=False), or read.csv(..., na.strings = character())"
            )

    def _figures(self, totals: TextStatistics) -> tuple[float, int, int, float]:
        counted = self.counted(totals)
        return self.in_base(counted.log_probability), totals.tokens, totals.unknown, counted.perplexity

    def _add(self, row: Sequence[Any]) -> None:
        if self._table is None:
            columns = WORD_COLUMNS if self.options.words else LINE_COLUMNS
            self._table = Table("csv", (*["file"] * self.names_files, *columns), self.show)
        self._table.add((*[self.file] * self.names_files, *row))

    def _add_text(self, text: str) -> None:
        if text in READ_AS_MISSING:
            self._missing += 1
            self._example = self._example or text
