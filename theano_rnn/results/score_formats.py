"""The table of score formats, and the options for showing scores.

Must stay cheap to import: commands read the names of the formats before they load NumPy.
"""

import math
from dataclasses import dataclass, field

from theano_rnn.errors import OptionError

# The class that writes each format, as "module:class". It is a subclass of `ScoreOutput`. To add a format, add a line.
FORMATS = {
    "tsv": "theano_rnn.results.tsv_scores:TsvScores",
    "json": "theano_rnn.results.json_scores:JsonScores",
    "srilm": "theano_rnn.results.srilm_scores:SrilmScores",
}
NBEST = "theano_rnn.rescoring.nbest:NbestScores"  # n-best lists keep the format that they are read in
LOG_BASES = ("e", "2", "10")
UNKNOWN_WORDS = ("include", "exclude")
NBEST_IDS = ("auto", "exact")
NBEST_FORMATS = ("auto", "tsv", "moses", "kaldi", "srilm")


@dataclass(frozen=True)
class ScoringOptions:
    """Which scores to show, and how.

    Parameters
    ----------
    format : str
        A name in `FORMATS`.
    words : bool
        Also show each token.
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
    mix : str, optional
        A file with another model's probabilities.
    mix_weight : float, optional
        Weight of this model's probabilities in the mixture, from 0 to 1 (SRILM's lambda). The default is 0.5.
    split : bool, optional
        Whether to split lines into sentences, as in `LanguageModel.score`. Lines of n-best lists and mixtures are never
        split.

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
    summary: bool = False
    log_base: str | None = None
    unknown: str | None = None
    nbest: bool = False
    weight: float | None = None
    best: bool = False
    ids: str | None = None
    mix: str | None = None
    mix_weight: float | None = None
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
        if self.nbest or self.mix is not None:
            object.__setattr__(self, "split", False)

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
        for name, weight in (("weight", self.weight), ("mix_weight", self.mix_weight)):
            if weight is not None and not 0 <= weight <= 1:
                raise OptionError(f"{name}: expected a number from 0 to 1, got {weight!r}")
        if self.lm_weight is not None and not (self.lm_weight >= 0 and math.isfinite(self.lm_weight)):
            raise OptionError(f"lm_weight: expected a finite number of at least 0, got {self.lm_weight!r}")

    def _check_combinations(self) -> None:
        if self.words and self.summary:
            raise OptionError("`words` and `summary` exclude each other; choose one of them")
        if self.format == "srilm" and self.log_base not in (None, "10"):
            raise OptionError(
                f"log_base: the srilm format always has base 10, got {self.log_base}; choose another `format` or base"
            )
        if self.mix is None and self.mix_weight is not None:
            raise OptionError("mix_weight: there is no file to mix with; name one with `mix`, or omit `mix_weight`")
        self._check_nbest()
        if self.ids is not None and not self.best:
            raise OptionError("ids: applies only to the best lines; add `best`, or omit `ids`")
        for name, given in (
            ("words", self.words),
            ("summary", self.summary),
            (f"format={self.format}", self.format != "tsv"),
        ):
            if given and self.nbest:
                raise OptionError(f"`nbest` and `{name}` exclude each other; n-best lists keep their own format")

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
