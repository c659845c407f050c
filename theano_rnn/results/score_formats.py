"""The table of score formats, and the options for showing scores.

Must stay cheap to import: commands read the names of the formats before they load NumPy.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from theano_rnn.errors import OptionError

# The class that writes each format, as "module:class". It is a subclass of `ScoreOutput`. To add a format, add a line.
FORMATS = {
    "tsv": "theano_rnn.results.tsv_scores:TsvScores",
    "csv": "theano_rnn.results.csv_scores:CsvScores",
    "json": "theano_rnn.results.json_scores:JsonScores",
    "srilm": "theano_rnn.results.srilm_scores:SrilmScores",
}
NBEST = "theano_rnn.rescoring.nbest:NbestScores"  # n-best lists keep the format that they are read in
PAIRS = "theano_rnn.reading_studies.pair_scores:PairScores"  # minimal pairs, as tsv, csv or json
LOG_BASES = ("e", "2", "10")
UNKNOWN_WORDS = ("include", "exclude")
NBEST_IDS = ("auto", "exact")
NBEST_FORMATS = ("auto", "tsv", "moses", "kaldi", "srilm")
BEST = "best"  # the weight of a mixture that gives the text the lowest perplexity
_ROUNDING = 1e-9  # of a sum of weights

_EXCLUSIONS = (
    ("pairs", "nbest", "choose how the lines are read"),
    ("pairs", "given", "compare the sentences of the pairs as a whole, or score their continuations one by one"),
    ("pairs", "mix", "the file has one sentence per line; mix with a model instead: `mix_model`"),
    ("pairs", "mix_weight=best", "tune the weight on text first, and then give it as a number"),
    ("pairs", "words", "score the two sentences as texts to see their words"),
    ("pairs", "format=srilm", "choose tsv, csv or json"),
    ("nbest", "given", "n-best lists have texts of their own"),
    ("nbest", "mix_weight=best", "tune the weight on text first, and then give it as a number"),
    ("mix", "given", "the file has probabilities of whole sentences; mix with a model instead: `mix_model`"),
    ("by_word", "format=srilm", "choose tsv, csv or json"),
)


@dataclass(frozen=True)
class ScoringOptions:
    """Which scores to show, and how.

    Parameters
    ----------
    format : str
        A name in `FORMATS`.
    words : bool
        Also show each token.
    by_word : bool
        With `words`: show each whitespace-separated word instead, with the sum over its tokens.
    summary : bool
        Show only the totals of the whole text.
    log_base : {"e", "2", "10"}, optional
        Base of the log-probabilities. The default is "e", or "10" in SRILM's format, which allows no other.
    unknown : {"include", "exclude"}, optional
        Whether unknown words count. The default is "include", or "exclude" in SRILM's format.
    nbest : bool
        Read the texts as n-best lists.
    weight : float, optional
        Weight of the model's score in the combined scores of an n-best list, from 0 to 1.
    best : bool
        Show only the best line of each n-best list.
    ids : {"auto", "exact"}, optional
        How to group the lines of n-best lists. With "auto", the default, ids such as "utterance-1" and "utterance-2"
        are recognized as Kaldi's and belong together. With "exact", only equal ids do.
    nbest_format : str, optional
        A name in `NBEST_FORMATS`. With "auto", the default, the first line of each list decides.
    lm_scores, acoustic_scores : str, optional
        Files with the costs of Kaldi's n-best lists, which have none themselves.
    lm_weight : float, optional
        Weight of the language model's score, relative to the acoustic score, in the choice of the best lines. The
        default is 8 for SRILM's lists and 10 for Kaldi's.
    pairs : bool
        Read minimal pairs: a better and a worse sentence on each line.
    by : str, optional
        The field of the pairs whose values are categories with an accuracy of their own.
    given : str, optional
        The column, or the file, of the texts that come before those that are scored.
    mix : str, optional
        A file with another model's probabilities.
    mix_weight : float or "best", optional
        Weight of this model's probabilities in a mixture of two models, from 0 to 1 (SRILM's lambda). The default
        is 0.5. "best" is the weight that gives the text the lowest perplexity.
    mix_model : sequence of (str, float or None)
        Files of other models of this package to mix with, and their weights. Models without a weight, and this model,
        share the rest equally.
    split : bool, optional
        Whether to split lines into sentences, as in `LanguageModel.score`. Lines of n-best lists and mixtures are never
        split; nor are minimal pairs.

    Raises
    ------
    OptionError
        If a value is out of range, or two settings contradict each other.

    Examples
    --------
    >>> ScoringOptions(format="srilm").log_base
    '10'
    """

    format: str = "tsv"
    words: bool = False
    by_word: bool = False
    summary: bool = False
    log_base: str | None = None
    unknown: str | None = None
    nbest: bool = False
    weight: float | None = None
    best: bool = False
    ids: str | None = None
    pairs: bool = False
    by: str | None = None
    given: str | None = None
    mix: str | None = None
    mix_weight: float | str | None = None
    mix_model: Sequence[tuple[str, float | None]] = ()
    split: bool | None = None
    nbest_format: str | None = None
    lm_scores: str | None = None
    acoustic_scores: str | None = None
    lm_weight: float | None = None
    chosen_log_base: str | None = field(init=False, default=None)  # `log_base` as it was given

    def __post_init__(self) -> None:
        object.__setattr__(self, "chosen_log_base", self.log_base)
        self._check_values()
        self._check_combinations()
        is_srilm = self.format == "srilm"
        self._set_default("log_base", "10" if is_srilm else "e")
        self._set_default("unknown", "exclude" if is_srilm else "include")
        self._set_default("mix_weight", 0.5)
        self._set_default("ids", "auto")
        self._set_default("nbest_format", "auto")
        if self.nbest or self.pairs or self.mix is not None:
            object.__setattr__(self, "split", False)

    @property
    def weights(self) -> list[float]:
        """The weights of this model and of the models in `mix_model`. With the best weight, those to start with."""
        weights = [None, *(weight for _, weight in self.mix_model)]
        if len(weights) == 2 and isinstance(self.mix_weight, (int, float)) and weights[1] is None:
            return [self.mix_weight, 1 - self.mix_weight]
        rest = 1 - sum(weight for weight in weights if weight is not None)
        return [max(rest, 0.0) / weights.count(None) if weight is None else weight for weight in weights]

    def _check_values(self) -> None:
        for name, value, choices in (
            ("format", self.format, tuple(FORMATS)),
            ("log_base", self.log_base or "e", LOG_BASES),
            ("unknown", self.unknown or "include", UNKNOWN_WORDS),
            ("ids", self.ids or "auto", NBEST_IDS),
            ("nbest_format", self.nbest_format or "auto", NBEST_FORMATS),
        ):
            if value not in choices:
                raise OptionError(f"{name}: expected one of {', '.join(choices)}, got {value!r}")
        mix_weight = None if self.mix_weight == BEST else self.mix_weight
        weights = [("mix_model", weight) for _, weight in self.mix_model]
        for name, weight in (("weight", self.weight), ("mix_weight", mix_weight), *weights):
            if weight is not None and not (isinstance(weight, (int, float)) and 0 <= weight <= 1):
                raise OptionError(f"{name}: expected a number from 0 to 1, got {weight!r}")
        if self.lm_weight is not None and not (self.lm_weight >= 0 and math.isfinite(self.lm_weight)):
            raise OptionError(f"lm_weight: expected a finite number of at least 0, got {self.lm_weight!r}")
        total = sum(weight for _, weight in weights if weight is not None)
        if total > 1 + _ROUNDING:
            raise OptionError(f"mix_model: expected weights with a sum of at most 1, got {total:g}")

    def _check_combinations(self) -> None:
        if self.words and self.summary:
            raise OptionError("`words` and `summary` exclude each other; choose one of them")
        if self.format == "srilm" and self.log_base not in (None, "10"):
            raise OptionError(
                f"log_base: the srilm format always has base 10, got {self.log_base}; choose another `format` or base"
            )
        self._check_mixture()
        self._check_nbest()
        if self.ids is not None and not self.best:
            raise OptionError("ids: applies only to the best lines; add `best`, or omit `ids`")
        if self.by_word and not self.words:
            raise OptionError("by_word: applies only to rows of words; add `words`, or omit `by_word`")
        if self.by is not None and not self.pairs:
            raise OptionError("by: applies only to minimal pairs; add `pairs`, or omit `by`")
        for name, given in (
            ("words", self.words),
            ("summary", self.summary),
            (f"format={self.format}", self.format != "tsv"),
        ):
            if given and self.nbest:
                raise OptionError(f"`nbest` and `{name}` exclude each other; n-best lists keep their own format")
        self._check_exclusions()

    def _check_mixture(self) -> None:
        if self.mix is not None and self.mix_model:
            raise OptionError("`mix` and `mix_model` exclude each other; mix with a file or with models")
        if self.mix_weight is None:
            return
        if self.mix is None and not self.mix_model:
            raise OptionError(
                "mix_weight: there is no file to mix with; name one with `mix`, or a model with `mix_model`, or omit "
                "`mix_weight`"
            )
        if len(self.mix_model) > 1 or any(weight is not None for _, weight in self.mix_model):
            raise OptionError("mix_weight: applies to one `mix_model` without a weight; omit the others and weights")

    def _check_exclusions(self) -> None:
        """Raise an error if two of the given options contradict each other."""
        given = {
            "by_word": self.by_word,
            "format=srilm": self.format == "srilm",
            "given": self.given is not None,
            "mix": self.mix is not None,
            "mix_weight=best": self.mix_weight == BEST,
            "nbest": self.nbest,
            "pairs": self.pairs,
            "words": self.words,
        }
        for first, second, reason in _EXCLUSIONS:
            if given[first] and given[second]:
                raise OptionError(f"`{first}` and `{second}` exclude each other; {reason}")

    def _check_nbest(self) -> None:
        """Check the options of n-best lists against each other."""

        def is_given(name: str) -> bool:
            return getattr(self, name) is not None and getattr(self, name) is not False

        for name in ("best", "weight", "nbest_format", "lm_scores", "acoustic_scores", "lm_weight"):
            if is_given(name) and not self.nbest:
                raise OptionError(f"{name}: applies only to n-best lists; add `nbest`, or omit `{name}`")
        for name, other in (("lm_scores", "weight"), ("acoustic_scores", "best"), ("lm_weight", "best")):
            if is_given(name) and not is_given(other):
                raise OptionError(f"{name}: has no effect without `{other}`; add it, or omit `{name}`")
        for name in ("lm_scores", "acoustic_scores"):
            if is_given(name):
                if self.nbest_format not in (None, "auto", "kaldi"):
                    raise OptionError(
                        f"{name}: applies only to Kaldi's n-best lists, not to `nbest_format={self.nbest_format}`"
                    )
                object.__setattr__(self, "nbest_format", "kaldi")
        if self.nbest_format == "kaldi" and self.weight is not None and self.lm_scores is None:
            raise OptionError(
                "weight: Kaldi's n-best lists have no scores to combine with; name a file with `lm_scores`"
            )

    def _set_default(self, name: str, default: object) -> None:
        if getattr(self, name) is None:
            object.__setattr__(self, name, default)
