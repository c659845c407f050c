"""Scores the lines of files: with one model or a mixture, alone or after given texts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from theano_rnn.errors import CorpusError
from theano_rnn.files.corpus_formats import line_batches
from theano_rnn.files.corpus_reader import CorpusReader
from theano_rnn.files.text_files import without_byte_order_marks
from theano_rnn.language_models.reading_scores import ReadingScorer, has_no_effect, no_effect_warning
from theano_rnn.language_models.text_scoring import FloatArray, ScoredSentence
from theano_rnn.reading_studies.given_texts import GivenTexts
from theano_rnn.rescoring.best_weight import best_weight
from theano_rnn.rescoring.mixture import Mixture, interpolate_nats
from theano_rnn.rescoring.model_mixture import ModelMixture
from theano_rnn.results.score_formats import BEST, ScoringOptions
from theano_rnn.results.score_output import ScoreOutput
from theano_rnn.results.text_statistics import TokenTotals


@dataclass(frozen=True)
class LineScores:
    """The scores of one line of a file.

    Attributes
    ----------
    number : int
        The number of the line; of the row in a table, whose header is row 1.
    text : str
        The line as it was written.
    sentences : list of ScoredSentence
        At least one.
    others : list of float64 array
        ln P of the tokens of each sentence by another model, if the best weight is still to be found.
    """

    number: int
    text: str
    sentences: list[ScoredSentence]
    others: list[FloatArray] = field(default_factory=list)


class LineScorer:
    """Scores the lines of files as the options request.

    Parameters
    ----------
    model : ReadingScorer
        A language model, or a mixture of several.
    options : ScoringOptions
    mixture : Mixture, optional
        A file with the probabilities of another model.
    given : GivenTexts, optional
        The texts that come before the lines.
    """

    def __init__(
        self,
        model: ReadingScorer,
        options: ScoringOptions,
        mixture: Mixture | None = None,
        given: GivenTexts | None = None,
    ) -> None:
        self._model, self._options, self._mixture, self._given = model, options, mixture, given
        self._finds_weight = options.mix_weight == BEST
        self._weight: float | None = None  # the best one
        self._lines = self._useless = 0

    def batches(self, reader: CorpusReader, output: ScoreOutput, column: str | None) -> Iterator[list[LineScores]]:
        """Yield the lines of a file with their scores, in lists of lines that are scored together.

        Parameters
        ----------
        reader : CorpusReader
        output : ScoreOutput
            Reads the lines, and tells whether to leave out blank ones.
        column : str or None
            The column of the texts in a table.
        """
        number, name = reader.header_rows, reader.name
        lines = self._given.texts(reader, column) if self._given else reader.lines()
        for batch in line_batches(output.read_texts(lines, name), reader.is_waiting):
            texts = [without_byte_order_marks(line) for line in batch]
            scored = []
            for line, (sentences, others) in zip(batch, self._scores(texts), strict=True):
                number += 1
                if output.skips_blank_lines and len(sentences[0].tokens) == 1 and not sentences[0].context:
                    if self._mixture:
                        self._mixture.skip(name, number)
                    continue
                scored.append(self._mixed(LineScores(number, line, sentences, others), name))
            yield scored

    def with_best_weight(
        self, files: Iterable[tuple[str, Iterable[list[LineScores]]]]
    ) -> tuple[Iterator[tuple[str, Iterator[list[LineScores]]]], str]:
        """Mix with the weight that gives all files together the lowest perplexity.

        Parameters
        ----------
        files : iterable of (str, iterable of list of LineScores)
            Names and batches. All scores are kept in memory.

        Returns
        -------
        files : iterator of (str, iterator of list of LineScores)
            With mixed scores.
        note : str
            A line with the weight, for the user to read.
        """
        kept = [(name, list(batches)) for name, batches in files]
        self.finish()
        if not any(batch for _, batches in kept for batch in batches):
            raise CorpusError("no sentences to score; give one per line")
        ours, theirs = self._counted_values([line for _, batches in kept for batch in batches for line in batch])
        self._weight = weight = best_weight(ours, theirs)

        def mixed(batches: Iterable[list[LineScores]]) -> Iterator[list[LineScores]]:
            return ([_interpolated(line, line.others, weight) for line in batch] for batch in batches)

        unknown = "left out" if self._options.unknown == "exclude" else "counted as UNKNOWN_TOKEN"
        return ((name, mixed(batches)) for name, batches in kept), (
            f"best lambda (weight of our model): {weight:.4f}, with unknown words {unknown} and sentence ends counted; "
            f"perplexity {TokenTotals.of(interpolate_nats(ours, theirs, weight)).perplexity:.4f}, with our model alone "
            f"{TokenTotals.of(ours).perplexity:.4f}, with the other alone {TokenTotals.of(theirs).perplexity:.4f}"
        )

    def finish(self) -> None:
        """Check that the file with probabilities ends where the text ends."""
        if self._mixture:
            self._mixture.finish()

    def notes(self) -> list[str]:
        """Return lines about the results for the user to read."""
        notes = []
        if self._useless:
            notes.append(no_effect_warning(self._useless, self._lines, "--no-split"))
        if self._weight is not None:
            notes.append(
                "this lambda was chosen on the text that it scores, so the perplexity is too low to report; choose it "
                f"on other text, and then score this one with --lambda {self._weight:.4f}"
            )
        return notes

    def _scores(self, texts: Sequence[str]) -> Iterator[tuple[list[ScoredSentence], list[FloatArray]]]:
        """Yield the sentences of each text and, if the best weight is wanted, their values by the other model."""
        given = self._given.take(len(texts)) if self._given else None
        models = self._model if self._finds_weight and isinstance(self._model, ModelMixture) else None
        found = _sentences(models.member(0) if models else self._model, texts, given, self._options.split)
        if given:
            self._lines += len(texts)
            self._useless += sum(map(has_no_effect, given, found))
        if models:
            others = _sentences(models.member(1), texts, given, self._options.split)
            return zip(found, ([sentence.values for sentence in line] for line in others), strict=True)
        return ((sentences, []) for sentences in found)

    def _mixed(self, line: LineScores, name: str) -> LineScores:
        """Mix with the file of another model's probabilities, or keep these until the weight is known."""
        if not self._mixture:
            return line
        [sentence] = line.sentences
        other = self._mixture.other_values(len(sentence.values), name, line.number, sentence.tokens)
        if self._finds_weight:
            return replace(line, others=[other])
        return _interpolated(line, [other], float(self._options.mix_weight or 0))

    def _counted_values(self, lines: Sequence[LineScores]) -> tuple[FloatArray, FloatArray]:
        """Return ln P of all tokens that count, by both models."""
        pairs = [pair for line in lines for pair in zip(line.sentences, line.others, strict=True)]
        ours = np.concatenate([sentence.values for sentence, _ in pairs])
        theirs = np.concatenate([other for _, other in pairs])
        if self._options.unknown != "exclude":
            return ours, theirs
        known = np.concatenate([sentence.known for sentence, _ in pairs])
        return ours[known], theirs[known]


def _sentences(
    model: ReadingScorer, texts: Sequence[str], given: Sequence[str] | None, split: bool | None
) -> list[list[ScoredSentence]]:
    if given is None:
        return model.scored_sentences(texts, split)
    return model.conditional_sentences(texts, given, split)


def _interpolated(line: LineScores, others: Sequence[FloatArray], weight: float) -> LineScores:
    sentences = [
        replace(sentence, values=interpolate_nats(sentence.values, other, weight))
        for sentence, other in zip(line.sentences, others, strict=True)
    ]
    return replace(line, sentences=sentences, others=[])
