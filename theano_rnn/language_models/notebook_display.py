"""What Jupyter shows of models and scores in place of their text: HTML that `theano_rnn.results.notebook_html` makes.

That module is above this package, so it is imported only when a notebook shows something.
"""

import importlib
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

HTML_MODULE = "theano_rnn.results.notebook_html"


def html_of(kind: str, value: Any) -> str:
    """Return the HTML of a value.

    Parameters
    ----------
    kind : {"model", "sentences"}
        Which function of the module makes it.
    value : LanguageModel, or sequence of ScoredSentence
    """
    html: str = getattr(importlib.import_module(HTML_MODULE), f"{kind}_html")(value)
    return html


class ScoreList(list[T]):
    """A list of scores that Jupyter shows as text with each token colored by its surprisal.

    Parameters
    ----------
    items : iterable
        The items of the list.
    sentences : sequence of ScoredSentence
        The sentences that the items are the scores of.
    """

    def __init__(self, items: Iterable[T], sentences: Sequence[Any]) -> None:
        super().__init__(items)
        self.sentences = sentences

    def _repr_html_(self) -> str:
        return html_of("sentences", self.sentences)
