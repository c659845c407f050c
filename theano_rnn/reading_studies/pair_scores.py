"""Shows the scores of minimal pairs, and how often the better sentence has the higher score."""

import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from theano_rnn.language_models.reading_scores import unknown_differences, unknown_pairs_warning
from theano_rnn.reading_studies.minimal_pairs import BAD, GOOD, MinimalPair, read_pairs
from theano_rnn.results.score_formats import ScoringOptions
from theano_rnn.results.score_output import ScoredLine, ScoreOutput
from theano_rnn.results.tables import Table
from theano_rnn.results.text_statistics import plural

COLUMNS = ("line", "difference", "log_probability_good", "log_probability_bad", "result", "unknown", GOOD, BAD)
SUMMARY_COLUMNS = ("accuracy", "pairs", "right", "wrong", "ties", "unknown_pairs", "accuracy_known")
RIGHT, WRONG, TIE = "right", "wrong", "tie"


@dataclass
class PairTotals:
    """The results of several pairs.

    Attributes
    ----------
    right, wrong, tie : int
        Number of pairs whose better sentence has the higher, the lower, or the same score.
    unknown : int
        Number of pairs in which a word that differs is unknown.
    unknown_right : int
        Number of these that are right.
    """

    right: int = 0
    wrong: int = 0
    tie: int = 0
    unknown: int = 0
    unknown_right: int = 0

    def add(self, result: str, is_unknown: bool) -> None:
        """Count a pair."""
        setattr(self, result, getattr(self, result) + 1)
        self.unknown += is_unknown
        self.unknown_right += is_unknown and result == RIGHT

    @property
    def pairs(self) -> int:
        """Number of pairs."""
        return self.right + self.wrong + self.tie

    @property
    def accuracy(self) -> float:
        """The share of right pairs. A tie is not right."""
        return self.right / self.pairs

    @property
    def accuracy_known(self) -> float | None:
        """The same without the pairs in which a word that differs is unknown; None if there are no others."""
        others = self.pairs - self.unknown
        return (self.right - self.unknown_right) / others if others else None

    def row(self) -> tuple[Any, ...]:
        """Return the cells of `SUMMARY_COLUMNS`."""
        counts = self.pairs, self.right, self.wrong, self.tie, self.unknown
        return (self.accuracy, *counts, self.accuracy_known)

    def __str__(self) -> str:
        ties = f"{self.tie:,} {plural('tie', self.tie)}{', not counted as right' if self.tie else ''}"
        return (
            f"{self.pairs:,} {plural('pair', self.pairs)}, accuracy {self.accuracy:.2%} "
            f"({self.right:,} right, {self.wrong:,} wrong, {ties})"
        )


class PairScores(ScoreOutput):
    """Writes one row per pair: the difference of both log-probabilities, each of them, the result, unknown words.

    The rows are TSV, CSV or JSON. `unknown` is the number of words that are in only one of both sentences and not in
    the vocabulary. With the option `summary`, CSV and JSON have only the accuracy, in a row for each category if there
    are categories.
    """

    def __init__(self, options: ScoringOptions, show: Callable[..., Any]) -> None:
        super().__init__(options, show)
        self._waiting: deque[tuple[MinimalPair, str]] = deque()  # with the names of their files
        self._good: ScoredLine | None = None
        self._table: Table | None = None
        self._totals = PairTotals()
        self._categories: dict[str, PairTotals] = {}
        self._unknown: Counter[str] = Counter()

    def read_texts(self, lines: Iterable[str], name: str) -> Iterator[str]:
        """Yield both sentences of each pair."""
        for pair in read_pairs(lines, name, self.options.by):
            self._waiting.append((pair, name))
            yield pair.good
            yield pair.bad

    def show_line(self, line: ScoredLine) -> None:
        """Keep the better sentence; write the pair when the worse one has come."""
        if self._good is None:
            self._good = line
            return
        good, self._good = self._good, None
        pair, file = self._waiting.popleft()
        scores = [float(self.in_base(self.counted(one.totals).log_probability)) for one in (good, line)]
        # Two computations of the same sum may differ in the last digit.
        difference = 0.0 if _read_tokens(good) == _read_tokens(line) else scores[0] - scores[1]
        result = RIGHT if difference > 0 else WRONG if difference < 0 else TIE
        unknown = unknown_differences(good.tokens, good.known, line.tokens, line.known)
        self._unknown.update(unknown)
        self._totals.add(result, bool(unknown))
        category = None if self.options.by is None else _as_text(pair.fields[self.options.by])
        if category is not None:
            self._categories.setdefault(category, PairTotals()).add(result, bool(unknown))
        if not self.options.summary:
            row = (pair.line, difference, *scores, result, len(unknown), pair.good, pair.bad)
            self._add_row(file, row, category)

    def finish(self) -> None:
        """Write the accuracies if only they are requested, and tell of pairs that mean little."""
        if self.options.summary and self.options.format != "tsv":
            has_categories = self.options.by is not None
            columns = (*["category"] * has_categories, *SUMMARY_COLUMNS)
            table = Table(self.options.format, columns, self.show)
            for category, totals in sorted(self._categories.items()) if has_categories else [("", self._totals)]:
                table.add((*[category] * has_categories, *totals.row()))
        if self._totals.unknown:
            warning = unknown_pairs_warning(self._totals.unknown, self._totals.pairs, self._unknown)
            others = self._totals.accuracy_known
            rest = "no others are left" if others is None else f"accuracy without them {others:.2%}"
            self.note = f"{warning}; {rest}"

    def summary(self, level: str) -> str:
        """Describe the results in one line, followed by one for each category."""
        categories = [f"{category}: {totals}" for category, totals in sorted(self._categories.items())]
        return "\n".join([str(self._totals), *categories])

    def _add_row(self, file: str, row: tuple[Any, ...], category: str | None) -> None:
        has_category = category is not None
        if self._table is None:
            columns = (*["file"] * self.names_files, *COLUMNS, *["category"] * has_category)
            self._table = Table(self.options.format, columns, self.show)
        self._table.add((*[file] * self.names_files, *row, *[category] * has_category))


def _read_tokens(line: ScoredLine) -> list[str | None]:
    """Return the tokens as the network reads them: None for unknown ones."""
    return [token if known else None for token, known in zip(line.tokens, line.known.tolist(), strict=True)]


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
