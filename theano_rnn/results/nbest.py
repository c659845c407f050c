"""N-best lists with our scores: `id<TAB>text[<TAB>score]`, or Moses' `id ||| text ||| features ||| score`."""

import itertools
import math
import re
from collections import deque
from dataclasses import dataclass

from theano_rnn.errors import CorpusError
from theano_rnn.results.score_formats import ScoreOutput

FEATURE = "theano_rnn="
_SHORTEST_MOSES_LINE = 4  # fields
_RANKED_ID = re.compile(r"(.+)-([1-9][0-9]*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One line of an n-best list.

    Attributes
    ----------
    id : str
        Of the sentence that this is a translation or transcription of.
    text : str
    score : float or None
        As it was given.
    fields : tuple of str
        All of the line.
    is_moses : bool
    """

    id: str
    text: str
    score: float | None
    fields: tuple
    is_moses: bool


def read_hypotheses(lines, name, needs_score=False):
    """Yield the hypotheses of a file, whose first line tells the format.

    Parameters
    ----------
    lines : iterable of str
    name : str
        The file's, for messages.
    needs_score : bool
        Whether a line without a score is an error.

    Raises
    ------
    CorpusError
        For a line that is blank or lacks its id, another field, or a score that is a number; and for one with other
        fields than the first. The message names file and line.
    """
    is_moses = columns = None
    for number, line in enumerate(lines, 1):
        place = f"{name}, line {number}"
        if not line.strip():
            raise CorpusError(f"{place}: is blank; give each line of an n-best list an id and a text")
        if is_moses is None:
            is_moses = "|||" in line.partition("\t")[0]
        fields = [field.strip() for field in line.split("|||")] if is_moses else line.split("\t")
        check_fields(fields, is_moses, columns, place)
        columns = len(fields)
        given = fields[3] if is_moses else fields[2] if columns == 3 else None
        if given is None and needs_score:
            raise CorpusError(f"{place}: has no score to weigh ours against; add it as a third column")
        yield Hypothesis(
            fields[0].strip(), fields[1], None if given is None else parse_score(given, place), tuple(fields), is_moses
        )


def check_fields(fields, is_moses, columns, place):
    if is_moses and len(fields) < _SHORTEST_MOSES_LINE:
        raise CorpusError(
            f"{place}: expected id ||| text ||| features ||| score, found {len(fields)} "
            f"field{'s' if len(fields) > 1 else ''}; add what is missing"
        )
    if not is_moses and len(fields) not in (2, 3):
        raise CorpusError(
            f"{place}: expected id, text and perhaps score, separated by tabs, found {len(fields)} "
            f"column{'s' if len(fields) > 1 else ''}; separate them with tabs"
        )
    if not fields[0].strip():
        raise CorpusError(f"{place}: has no id; write it before the text")
    if not is_moses and columns not in (None, len(fields)):
        raise CorpusError(
            f"{place}: has {len(fields)} columns where the line before has {columns}; give all lines a score, or none"
        )


def parse_score(text, place):
    try:
        score = math.nan if "_" in text else float(text)  # which Python allows between digits
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise CorpusError(f"{place}: the score {text!r} is no number; correct it")
    return score


class NbestOutput(ScoreOutput):
    """Shows n-best lists with our scores, in their order, or only the best line of each id.

    Memory holds the lines that are just being scored, and for the best lines one of each id. Which ids Kaldi has
    numbered is known at the end: see `utterances`.
    """

    def __init__(self, options, show):
        super().__init__(options, show)
        self.waiting = deque()
        self.best = {}
        self.may_be_kaldi = options.ids == "auto"

    def texts(self, lines, name):
        for hypothesis in read_hypotheses(lines, name, needs_score=self.options.weight is not None):
            self.waiting.append(hypothesis)
            yield hypothesis.text

    def show_sentence(self, line, words, values, known, figures):
        hypothesis = self.waiting.popleft()
        ours = self.in_base(self.counted(figures).log_probability)
        combined = None
        if self.options.weight is not None:
            combined = interpolated(hypothesis.score, ours, self.options.weight)
        rescored = rescored_line(hypothesis, ours, combined)
        if not self.options.best:
            self.show(rescored)
            return
        score = ours if combined is None else combined
        if hypothesis.is_moses or hypothesis.id in self.best:
            self.may_be_kaldi = False
        if hypothesis.id not in self.best or score > self.best[hypothesis.id][0]:
            self.best[hypothesis.id] = score, rescored

    def finish(self):
        groups = utterances(self.best) if self.may_be_kaldi else [[one] for one in self.best]
        if len(groups) < len(self.best):
            first = next(group for group in groups if len(group) > 1)
            self.note = (
                f"ids such as {first[0]!r} and {first[1]!r} were taken for Kaldi's n-best lists: the best of "
                f"{len(self.best)} lines for {len(groups)} utterances; --ids exact keeps them apart"
            )
        for group in groups:
            self.show(max((self.best[one] for one in group), key=lambda found: found[0])[1])


def utterances(ids):
    """Group the ids of an n-best list by Kaldi's convention: the utterance's id, a hyphen and the rank from 1.

    Ids that stand together are of one utterance if they differ only in the number after the last hyphen, and if these
    numbers are 1 to N, each once, in any order, with N at least 2. All others stand alone.

    Parameters
    ----------
    ids : iterable of str
        Each occurs once; an id that occurs on several lines is not numbered.

    Returns
    -------
    list of list of str
        In the order of the ids.
    """
    groups = []
    for _, run in itertools.groupby(ids, key=lambda one: (match := _RANKED_ID.fullmatch(one)) and match[1]):
        run = list(run)
        ranks = [int(match[2]) for one in run if (match := _RANKED_ID.fullmatch(one))]
        if sorted(ranks) == list(range(1, len(run) + 1)):
            groups.append(run)
        else:
            groups += [[one] for one in run]
    return groups


def interpolated(given, ours, weight):
    """(1 - weight) · given + weight · ours; an infinite score of ours that has no weight does not count."""
    return (1 - weight) * given + (weight * ours if weight else 0.0)


def rescored_line(hypothesis, ours, combined=None):
    """A hypothesis with our score.

    Parameters
    ----------
    hypothesis : Hypothesis
    ours : float
    combined : float, optional
        Of the given score and ours.

    Returns
    -------
    str
        Tab-separated: its columns, our score, the combined score. Moses: our score as one more feature, and the
        combined one in the place of the given.
    """
    fields = list(hypothesis.fields)
    if not hypothesis.is_moses:
        return "\t".join([*fields, written(ours), *([] if combined is None else [written(combined)])])
    fields[2] = f"{fields[2]} {FEATURE} {written(ours)}".lstrip()
    if combined is not None:
        fields[3] = written(combined)
    return " ||| ".join(fields)


def written(score):
    """A score with six decimals; a very small one with as many digits."""
    return f"{score:.6g}" if 0 < abs(score) < 0.1 else f"{score:.6f}"
