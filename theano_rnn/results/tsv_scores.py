"""Scores as tab-separated columns."""

import numpy as np

from theano_rnn.results.score_output import ScoredLine, ScoreOutput


class TsvScores(ScoreOutput):
    r"""Writes one line per input line: log-probability, tokens, unknown words, perplexity, and the text of the line.

    With the option `words`, it writes one line per token: log-probability, "known" or "unknown", and the token; with
    `by_word` too, one line per whitespace-separated word. The lines of a multi-line text, such as a CSV cell, are
    joined. A newline that is a token is shown as ``\n``.
    """

    def show_line(self, line: ScoredLine) -> None:
        """Write the columns of one line or of each of its tokens."""
        if self.options.words:
            tokens, values, known = line.tokens, line.values, line.known
            if self.options.by_word:
                rows = self.rows(line)
                tokens = [row.text for row in rows]
                values = np.array([row.log_probability for row in rows])
                known = np.array([row.known for row in rows])
            for token, value, is_known in zip(tokens, self.in_base(values), known, strict=True):
                self.show(f"{value:.6f}", "known" if is_known else "unknown", token.replace("\n", "\\n"))
        elif not self.options.summary:
            counted = self.counted(line.totals)
            self.show(
                f"{self.in_base(counted.log_probability):.6f}",
                line.totals.tokens,
                line.totals.unknown,
                f"{counted.perplexity:.4f}",
                " ".join(line.text.split("\n")),
            )
