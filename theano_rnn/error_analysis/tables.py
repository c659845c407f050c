"""The results of an error analysis as tables and as a document for JSON."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from theano_rnn.error_analysis.analysis import ErrorAnalysis, Group, WorstSentence
from theano_rnn.error_analysis.groups import visible
from theano_rnn.files.printable import printable
from theano_rnn.language_models.scoring import perplexity

COLUMNS = ("tokens", "log-probability", "share of loss", "perplexity")
COMPARED = "n-gram perplexity"
LONGEST_TEXT = 200  # characters of a sentence in a table


def tables(analysis: ErrorAnalysis) -> Iterator[list[Sequence[object]]]:
    """Yield the tables, each with a header. At character level, the words are characters."""
    kinds = (
        (analysis.bands.title, analysis.by_frequency()),
        ("position in sentence", analysis.by_position()),
        ("token before", analysis.by_token_before()),
        ("token with the highest loss", analysis.costliest_words()),
    )
    for title, groups in kinds:
        yield [(title, *_columns(analysis)), *(_row(group) for group in groups)]
    if analysis.unknown_words:
        words = analysis.unknown_words.most_common(analysis.most)
        yield [("unknown token", "occurrences"), *((printable(visible(word)), count) for word, count in words)]
    sentences = analysis.worst_sentences()
    header = ("worst sentence", "tokens", "unknown", "log-probability", "perplexity", "place")
    yield [header, *(_sentence_row(sentence) for sentence in sentences)]


def _columns(analysis: ErrorAnalysis) -> tuple[str, ...]:
    return (*COLUMNS, COMPARED) if analysis.compared else COLUMNS


def _row(group: Group) -> tuple[object, ...]:
    other = () if group.other_loss is None else (_perplexity(group.other_loss, group.tokens),)
    figures = (group.tokens, f"{-group.loss:.4f}", f"{100 * group.share:.1f} %", _perplexity(group.loss, group.tokens))
    return (printable(visible(group.name)), *figures, *other)


def _sentence_row(sentence: WorstSentence) -> tuple[object, ...]:
    loss, tokens = sentence.loss, sentence.tokens
    figures = (tokens, sentence.unknown, f"{-loss:.4f}", _perplexity(loss, tokens))
    text = sentence.text if len(sentence.text) <= LONGEST_TEXT else f"{sentence.text[: LONGEST_TEXT - 1]}…"
    return (printable(text), *figures, printable(sentence.place))


def _perplexity(loss: float, tokens: int) -> str:
    return f"{perplexity(-loss, tokens):.4g}"


def document(analysis: ErrorAnalysis) -> dict[str, Any]:
    """Return the results as a dict that JSON can hold; log-probabilities are sums of ln P."""
    return {
        "total": _object(analysis.total),
        "bands": analysis.bands.title,
        "by_frequency": _objects(analysis.by_frequency()),
        "by_position": _objects(analysis.by_position()),
        "by_token_before": _objects(analysis.by_token_before()),
        "costliest_tokens": _objects(analysis.costliest_words()),
        "unknown_words": dict(analysis.unknown_words.most_common(analysis.most)),
        "worst_sentences": [_object(sentence) for sentence in analysis.worst_sentences()],
    }


def _objects(groups: Iterable[Group]) -> list[dict[str, Any]]:
    return [_object(group) for group in groups]


def _object(one: Group | WorstSentence) -> dict[str, Any]:
    found = asdict(one)
    loss, other = found.pop("loss"), found.pop("other_loss", None)
    found |= {"log_probability": -loss, "perplexity": _finite(perplexity(-loss, one.tokens))}
    if other is not None:
        found |= {"ngram_log_probability": -other, "ngram_perplexity": _finite(perplexity(-other, one.tokens))}
    return found


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
