"""SRILM's n-best lists, as described in its manual page nbest-format(5): one file for each sentence, without ids."""

import math
import re
from collections.abc import Iterator, Sequence

from theano_rnn.errors import CorpusError
from theano_rnn.files.text_files import STANDARD_INPUT
from theano_rnn.rescoring.nbest_lines import Hypothesis, NbestFormat, format_score, parse_score

HEADERS = ("NBestList1.0", "NBestList2.0")
PAUSE = "-pau-"  # is not a word for language models
BYTELOG = 1024 / 10000.5 / math.log(10)  # log10 units of a bytelog, the integer logarithms of SRI's Decipher recognizer
_SCORES = re.compile(r"\s*[-+.\deE]+ +[-+.\deE]+ +\d+(\s|$)")
_BYTELOG_SCORE = re.compile(r"\((.*)\)")
_FIELDS_PER_TOKEN = 11  # word ( st: 0.10 et: 0.25 g: -12 a: -345 )
_START, _END, _LANGUAGE, _ACOUSTIC = 3, 5, 7, 9
_STATE = re.compile(r".*-[0-9]")


class SrilmList(NbestFormat):
    """The three formats of SRILM. Lines are written in the third, as ``ngram -rescore`` writes all of them.

    ``ascore lscore nwords w1 w2 …`` has the acoustic and the language model's log10 probability and the number of
    words. The model's score, or the combined score, replaces ``lscore``.

    ``NBestList1.0`` as a header is followed by lines ``(score) w1 w2 …``. The score, in bytelogs, is the sum of both
    models' and becomes ``ascore``.

    ``NBestList2.0`` has, after each word, times and both scores: ``w1 ( st: 0.1 et: 0.2 g: -12 a: -345 ) w2 …``. The
    sums of the scores become ``lscore`` and ``ascore``. Phones and states, whose times lie within a word, are left out.
    """

    title = "SRILM's"
    line = "scores and words"
    missing_score = "NBestList1.0 has no score of a language model; leave out `weight`"
    base = "10"
    has_ids = False
    lm_weight = 8.0  # the default of SRILM's -rescore-lmw

    def __init__(self, name: str) -> None:
        self._name = name
        self._header: str | None = None
        self._is_first = True

    @classmethod
    def recognizes(cls, line: str) -> bool:
        """A header, or two numbers and a whole number before the words, without tabs."""
        return line.strip() in HEADERS or ("\t" not in line and _SCORES.match(line) is not None)

    def parse(self, line: str, place: str) -> Hypothesis | None:
        """Return the hypothesis, or None for a header in the first line."""
        is_first, self._is_first = self._is_first, False
        fields = line.split()
        if is_first and len(fields) == 1 and fields[0] in HEADERS:
            self._header = fields[0]
            return None
        if self._header is None:
            return self._with_scores(fields, place)
        bracketed = _BYTELOG_SCORE.fullmatch(fields[0])
        if bracketed is None:
            raise CorpusError(f"{place}: expected a score in parentheses after {self._header}, found {fields[0]!r:.60}")
        total = BYTELOG * parse_score(bracketed[1], place)
        if self._header == HEADERS[0]:
            return self._hypothesis(fields[1:], total, None)
        tokens = list(self._tokens(fields[1:], place))
        language, acoustic = (
            BYTELOG * math.fsum(parse_score(token[i], place) for token in tokens) for i in (_LANGUAGE, _ACOUSTIC)
        )
        return self._hypothesis([token[0] for token in tokens], acoustic, language)

    def _with_scores(self, fields: Sequence[str], place: str) -> Hypothesis:
        if len(fields) < 3 or not re.fullmatch("[0-9]+", fields[2]):
            raise CorpusError(
                f"{place}: expected SRILM's acoustic score, language model score, number of words and words; correct it"
            )
        acoustic, language = (parse_score(field, place) for field in fields[:2])
        text = " ".join(word for word in fields[3:] if word != PAUSE)
        return Hypothesis(self._name, text, language, tuple(fields), self, acoustic)

    def _hypothesis(self, words: Sequence[str], acoustic: float, language: float | None) -> Hypothesis:
        spoken = [word for word in words if word != PAUSE]
        fields = (format_score(acoustic), format_score(language or 0.0), str(len(spoken)), *words)
        return Hypothesis(self._name, " ".join(spoken), language, fields, self, acoustic)

    def _tokens(self, fields: Sequence[str], place: str) -> Iterator[Sequence[str]]:
        """Yield the fields of each word of a line of NBestList2.0."""
        if len(fields) % _FIELDS_PER_TOKEN:
            raise CorpusError(
                f"{place}: expected word ( st: TIME et: TIME g: SCORE a: SCORE ) for each word; correct it"
            )
        end_of_word = -1.0
        for begin in range(0, len(fields), _FIELDS_PER_TOKEN):
            token = fields[begin : begin + _FIELDS_PER_TOKEN]
            start, end = (parse_score(token[i], place, "time") for i in (_START, _END))
            if start > end_of_word and not _STATE.fullmatch(token[0]):
                yield token
                end_of_word = end

    def rescored(self, hypothesis: Hypothesis, ours: float, combined: float | None) -> str:
        """Replace the score of the language model."""
        acoustic, _, *others = hypothesis.fields
        return " ".join([acoustic, format_score(ours if combined is None else combined), *others])

    def best(self, hypothesis: Hypothesis, rescored: str) -> str:
        """Return the name of the list and the words, as ``rescore-reweight`` prints them."""
        return " ".join([hypothesis.id, *hypothesis.fields[3:]])


def list_name(name: str) -> str:
    """Return the name of the sentence whose n-best list is in a file, as SRILM's scripts derive it.

    Examples
    --------
    >>> list_name("nbest/utt-1.score.gz")
    'utt-1'
    """
    if name == STANDARD_INPUT:
        return "-"
    return name.rpartition("/")[2].removesuffix(".gz").removesuffix(".score")
