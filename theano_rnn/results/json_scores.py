"""Scores as JSON objects, one per line."""

from typing import Any

from theano_rnn.results.score_output import ScoredLine, ScoreOutput
from theano_rnn.results.tables import finite_or_none, json_line
from theano_rnn.results.text_statistics import TextStatistics


class JsonScores(ScoreOutput):
    """Writes one JSON object per input line or, with the option `summary`, one for the whole text.

    Infinite numbers are written as ``null``.
    """

    def show_line(self, line: ScoredLine) -> None:
        """Write the object of one line."""
        if self.options.summary:
            return
        document = {"sentence": line.text, **self._fields(line.totals)}
        if self.options.by_word:
            document["words"] = [
                {
                    "word": row.text,
                    "log_probability": finite_or_none(self.in_base(row.log_probability)),
                    "known": row.known,
                    "start": row.start,
                    "end": row.end,
                }
                for row in self.rows(line)
            ]
        elif self.options.words:
            document["words"] = [
                {"token": token, "log_probability": finite_or_none(value), "known": is_known}
                for token, value, is_known in zip(
                    line.tokens, self.in_base(line.values).tolist(), line.known.tolist(), strict=True
                )
            ]
        self._show_document(document)

    def finish(self) -> None:
        """Write the object of the whole text if only the summary is requested."""
        if self.options.summary:
            totals = self.statistics
            self._show_document({"sentences": totals.sentences, "words": totals.words, **self._fields(totals)})

    def _fields(self, totals: TextStatistics) -> dict[str, Any]:
        counted = self.counted(totals)
        return {
            "log_probability": finite_or_none(self.in_base(counted.log_probability)),
            "tokens": totals.tokens,
            "unknown": totals.unknown,
            "perplexity": finite_or_none(counted.perplexity),
            "perplexity_including_unknown": finite_or_none(totals.with_unknown.perplexity),
            "perplexity_excluding_unknown": finite_or_none(totals.without_unknown.perplexity),
        }

    def _show_document(self, document: dict[str, Any]) -> None:
        self.show(json_line(document))
