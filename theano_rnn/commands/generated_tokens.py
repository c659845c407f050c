"""The formats in which generate.py shows the tokens of generated texts: TSV, and one JSON object per text."""

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from theano_rnn.commands.terminal import show

if TYPE_CHECKING:
    from theano_rnn.continuations.passages import GeneratedText

# Characters that would end the line or the column, as they are shown. Only characters as tokens can be one of them.
_ESCAPED = str.maketrans({"\n": "\\n", "\r": "\\r", "\t": "\\t"})
# Some readers treat these characters as line ends, but JSON does not require them to be escaped.
_LINE_ENDS = {code_point: f"\\u{code_point:04x}" for code_point in (0x85, 0x2028, 0x2029)}


def show_tsv(number: int, columns: Sequence[str], demands: dict[str, Any], text: "GeneratedText") -> None:
    """Print one line per token: the given columns, the number of the text, ln P, and the token.

    Parameters
    ----------
    number : int
        Of the text, from 1.
    columns : sequence of str
    demands : dict
        Not shown.
    text : GeneratedText
    """
    for token, value in zip(text.tokens, text.log_probabilities.tolist(), strict=True):
        show(*columns, number, f"{value:.6f}", token.translate(_ESCAPED))


def show_json(number: int, columns: Sequence[str], demands: dict[str, Any], text: "GeneratedText") -> None:
    """Print one JSON object with the prompt, the temperature, the text, and the token and ln P of each token.

    Parameters
    ----------
    number : int
        Not shown.
    columns : sequence of str
        Not shown.
    demands : dict
        The arguments of `LanguageModel.generate`, with the prompt and the temperature.
    text : GeneratedText
    """
    tokens = [
        {"token": token, "log_probability": value}
        for token, value in zip(text.tokens, text.log_probabilities.tolist(), strict=True)
    ]
    document = {"prompt": demands["prompt"], "temperature": demands["temperature"], "text": text.text, "tokens": tokens}
    show(json.dumps(document, ensure_ascii=False).translate(_LINE_ENDS))


FORMATS: dict[str, Callable[[int, Sequence[str], dict[str, Any], "GeneratedText"], None]] = {
    "tsv": show_tsv,
    "json": show_json,
}
"""Formats by name."""
