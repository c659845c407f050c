"""HTML of models and scores for Jupyter. Styles are inline, because notebooks often remove style sheets."""

from collections.abc import Sequence

from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.language_models.scoring import format_loss
from theano_rnn.language_models.text_scoring import ScoredSentence
from theano_rnn.results.pages import escaped
from theano_rnn.results.surprisal_page import END_MARK, SHADES, TEXT_COLOR, line_and_spans, shade
from theano_rnn.results.text_statistics import plural, surprisal

MOST_SENTENCES = 100
CELL = "text-align: left; padding: 0 1em 0 0"
UNKNOWN = "; text-decoration: underline dotted"


def model_html(lm: LanguageModel) -> str:
    """Return a table of what a language model is: tokens, network, and quality as measured in training."""
    rnn = lm.rnn
    settings = ["cell", "hidden_dim", "layers", "embedding_dim", "bias", "tied", "dropout"]
    shown = [f"{name}={getattr(rnn, name)!r}" for name in settings if getattr(rnn, name) not in (None, False, 0.0)]
    number = sum(parameter.size for parameter in rnn.views().values())
    loss = lm.held_out_loss
    rows = {
        "tokens": f"{'words' if lm.tokenizer.level == 'word' else 'characters'}, {len(lm.vocabulary):,} entries",
        "network": ", ".join(shown),
        "parameters": f"{number:,} of {rnn.dtype}",
        "held-out text": "not measured" if loss is None else format_loss(loss, lm.tokenizer.level),
    }
    cells = (
        f'<tr><th style="{CELL}">{escaped(name)}</th><td style="{CELL}">{escaped(value)}</td></tr>'
        for name, value in rows.items()
    )
    return f"<table><caption>{type(lm).__name__}</caption>{''.join(cells)}</table>"


def sentences_html(sentences: Sequence[ScoredSentence]) -> str:
    """Return sentences with each token colored by its surprisal in bits, which a tooltip shows."""
    shown = sentences[:MOST_SENTENCES]
    lines = [f'<p dir="auto" style="margin: 0; white-space: pre-wrap">{sentence_html(one)}</p>' for one in shown]
    left_out = len(sentences) - len(shown)
    if left_out:
        lines.append(f"<p>… and {left_out:,} more {plural('sentence', left_out)}</p>")
    legend = "Darker tokens have a higher surprisal; hover over one to see it. Dotted underline: unknown."
    return f'<div>{"".join(lines)}<p style="font-size: 80%; opacity: 0.7">{legend}</p></div>'


def sentence_html(sentence: ScoredSentence) -> str:
    """Return the text of a sentence with a colored span for each token, and one for the sentence end."""
    line, spans = line_and_spans(sentence.text, sentence.tokens[:-1])
    *bits, end_bits = surprisal(sentence.values).tolist()
    parts: list[str] = []
    position = 0
    for (begin, end), value, known in zip(spans, bits, sentence.known.tolist(), strict=False):
        parts += escaped(line[position:begin]), _colored(escaped(line[begin:end]), value, known)
        position = end
    return "".join([*parts, escaped(line[position:]), " ", _colored(END_MARK, end_bits, True)])


def _colored(html: str, bits: float, known: bool) -> str:
    style = f"color: {TEXT_COLOR}; background: {SHADES[shade(bits)]}{'' if known else UNKNOWN}"
    return f'<span style="{style}" title="{bits:.2f} bits{"" if known else ", unknown"}">{html}</span>'
