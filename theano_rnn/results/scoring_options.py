"""How scores are to be shown: what can be chosen, and what excludes what."""

from dataclasses import dataclass

from theano_rnn.errors import OptionError
from theano_rnn.results.text_statistics import UNKNOWN_WORDS

FORMATS = ("tsv", "json", "srilm")
LOG_BASES = ("e", "2", "10")
IDS = ("auto", "exact")


@dataclass(frozen=True)
class ScoringOptions:
    """The settings of scoring, checked.

    Parameters
    ----------
    format : {"tsv", "json", "srilm"}
    words : bool
        Each token too.
    summary : bool
        Only the figures of the whole text.
    log_base : {"e", "2", "10"}
        Of the log-probabilities that are shown. Default: e, and 10 in the format of SRILM, which has no other.
    unknown : {"include", "exclude"}
        Whether unknown words count. Default: include, and exclude in the format of SRILM.
    nbest : bool
        The texts are n-best lists.
    weight : float
        The share of our score in the score of an n-best list.
    best : bool
        Only the best line of each n-best list.
    ids : {"auto", "exact"}
        Whether the ids of the best lines may be numbered by Kaldi, as "utterance-1". Default: auto.
    mix : str
        A file of another model's probabilities.
    mix_weight : float
        The share of our probabilities, which SRILM calls lambda. Default: 0.5.
    split : bool
        Whether a line is split into sentences: see `LanguageModel.score`. Lines of n-best lists and lines that are
        mixed never are.

    Raises
    ------
    OptionError
        For a value outside its range, and settings that exclude each other.
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

    def __post_init__(self):
        for name, value, choices in (
            ("format", self.format, FORMATS),
            ("log_base", self.log_base or "e", LOG_BASES),
            ("unknown", self.unknown or "include", UNKNOWN_WORDS),
            ("ids", self.ids or "auto", IDS),
        ):
            if value not in choices:
                raise OptionError(f"{name}: expected one of {', '.join(choices)}, got {value!r}")
        for name, value in (("weight", self.weight), ("mix_weight", self.mix_weight)):
            if value is not None and not 0 <= value <= 1:
                raise OptionError(f"{name}: expected a share from 0 to 1, got {value!r}")
        self._check_together()
        is_srilm = self.format == "srilm"
        self._fill("log_base", "10" if is_srilm else "e")
        self._fill("unknown", "exclude" if is_srilm else "include")
        self._fill("mix_weight", 0.5)
        if self.nbest or self.mix is not None:
            object.__setattr__(self, "split", False)
        self._fill("ids", "auto")

    def _check_together(self):
        if self.words and self.summary:
            raise OptionError("`words` and `summary` exclude each other; choose one of them")
        if self.format == "srilm" and self.log_base not in (None, "10"):
            raise OptionError(
                f"log_base: the format srilm has base 10, got {self.log_base}; choose another `format` or base"
            )
        if self.mix is None and self.mix_weight is not None:
            raise OptionError(
                "mix_weight: there is nothing to mix with; name a file with `mix`, or leave `mix_weight` out"
            )
        for name, given in (("best", self.best), ("weight", self.weight is not None)):
            if given and not self.nbest:
                raise OptionError(f"{name}: is for n-best lists; choose `nbest` too, or leave `{name}` out")
        if self.ids is not None and not self.best:
            raise OptionError("ids: are grouped for the best lines only; choose `best` too, or leave `ids` out")
        for name, given in (
            ("words", self.words),
            ("summary", self.summary),
            (f"format={self.format}", self.format != "tsv"),
        ):
            if given and self.nbest:
                raise OptionError(
                    f"`nbest` and `{name}` exclude each other; an n-best list comes out in its own format"
                )

    def _fill(self, name, default):
        if getattr(self, name) is None:
            object.__setattr__(self, name, default)
