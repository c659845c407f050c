"""Summarizes a model file: sizes, settings, quality, training and vocabulary."""

import json
import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from theano_rnn.files.archive import read_archive
from theano_rnn.inspection.input_sequences import visible_tokens
from theano_rnn.inspection.network_loading import load_network
from theano_rnn.language_models.scoring import format_loss
from theano_rnn.language_models.text_model import WHOLE_LOSS, best_evaluation, deciding_loss
from theano_rnn.text.coverage import Coverage
from theano_rnn.text.vocabulary import SPECIAL_TOKENS

WORDS_SHOWN = 10
WIDTH = 90  # characters
CELL_SETTINGS = ("layers", "embedding_dim", "bias", "tied", "dropout")
HISTORY_COLUMNS = {
    "epoch": "epoch",
    "train_loss": "training loss",
    "valid_loss": "held-out loss",
    "perplexity": "perplexity",
    "learning_rate": "learning rate",
}


def summarize_model(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Summarize a model file.

    Parameters
    ----------
    path : str or os.PathLike
        The file of a language model or of a bare network.

    Returns
    -------
    dict
        JSON-serializable. It always has ``file``, ``bytes``, ``network`` (sizes and settings) and ``parameters``
        (shapes, their total and their dtype). For a language model it also has

        - ``tokenizer``: the settings of the tokenizer.
        - ``vocabulary``: its size, including the special tokens, and its most and least frequent words.
        - ``coverage``: counts of words and unknown words in the training text, or None if not recorded.
        - ``options``: the options of the training run, empty if not recorded.
        - ``history``: one dict per evaluation, empty if not recorded.
        - ``best_epoch``: the epoch whose parameters are in the file, or None if not recorded.
        - ``quality``: the result of that epoch, or None if not recorded: ``loss`` (nats per token), ``text``
          ("held-out" or "training"), ``perplexity`` (per token), and ``bits_per_character`` (None at word level).

    Raises
    ------
    ModelFileError
        If the file is missing, damaged or not a model.
    """
    entries = read_archive(path)
    rnn, lm = load_network(path)
    shapes = {name: list(shape) for name, shape in rnn.parameter_shapes.items()}
    summary: dict[str, Any] = {
        "file": str(path),
        "bytes": Path(path).stat().st_size,
        "network": {
            "word_dim": rnn.word_dim,
            "hidden_dim": rnn.hidden_dim,
            "cell": rnn.cell,
            "activation": rnn.activation,
            "layers": rnn.layers,
            "embedding_dim": rnn.embedding_dim,
            "bias": rnn.bias,
            "tied": rnn.tied,
            "dropout": rnn.dropout,
            "bptt_truncate": rnn.bptt_truncate,
        },
        "parameters": {
            "shapes": shapes,
            "total": sum(math.prod(shape) for shape in shapes.values()),
            "dtype": str(entries["U"].dtype),
        },
    }
    if lm is None:
        return summary
    words = lm.vocabulary.index_to_word[len(SPECIAL_TOKENS) :]
    options, history = _recorded_options(lm.training), _recorded_history(lm.training)
    best = best_evaluation(history, bool(options.get("tutorial")))
    return summary | {
        "tokenizer": lm.tokenizer.to_configuration(),
        "vocabulary": {
            "size": len(lm.vocabulary),
            "most_frequent": words[:WORDS_SHOWN],
            "least_frequent": words[WORDS_SHOWN:][-WORDS_SHOWN:],
        },
        "coverage": _recorded_coverage(lm.training),
        "options": options,
        "history": history,
        "best_epoch": None if best is None else best.get("epoch"),
        "quality": None if best is None else _quality(best, bool(options.get("tutorial")), lm.tokenizer.level),
    }


def _quality(best: Mapping[str, Any], is_tutorial: bool, level: str) -> dict[str, Any]:
    name = deciding_loss(best, is_tutorial)
    loss = best.get(WHOLE_LOSS, best[name]) if name == "valid_loss" else best[name]
    perplexity = math.exp(loss) if loss < math.log(sys.float_info.max) else None
    return {
        "loss": loss,
        "text": "training" if name == "train_loss" else "held-out",
        "perplexity": perplexity,
        "bits_per_character": loss / math.log(2) if level == "char" else None,
    }


def _recorded_options(training: Mapping[str, Any]) -> dict[str, Any]:
    options = training.get("options")
    return options if isinstance(options, dict) else {}


def _recorded_history(training: Mapping[str, Any]) -> list[dict[str, Any]]:
    history = training.get("history")
    return [record for record in history if isinstance(record, dict)] if isinstance(history, list) else []


def _recorded_coverage(training: Mapping[str, Any]) -> dict[str, int] | None:
    try:
        return Coverage.from_configuration(training["coverage"]).to_configuration()
    except (KeyError, TypeError, ValueError):
        return None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def summary_lines(summary: Mapping[str, Any]) -> Iterator[str]:
    """Format a summary as text.

    Parameters
    ----------
    summary : dict
        From `summarize_model`.

    Yields
    ------
    str
        One line.
    """
    network, parameters = summary["network"], summary["parameters"]
    yield f"file          {summary['file']}: {_kind(summary)}, {summary['bytes']:,} bytes"
    sizes = f"word_dim {network['word_dim']:,}, hidden_dim {network['hidden_dim']:,}"
    yield f"network       {sizes}" + f", activation {network['activation']}" * (network["cell"] == "simple")
    others = ", ".join(f"{name} {json.dumps(network[name])}" for name in CELL_SETTINGS)
    yield f"cell          {network['cell']}, {others}"
    truncate = network["bptt_truncate"]
    yield f"bptt          {'through the whole sequence' if truncate is None else f'truncated after {truncate} steps'}"
    shapes = [f"{name} {' × '.join(f'{n:,}' for n in shape)}" for name, shape in parameters["shapes"].items()]
    yield from _wrapped("parameters", [f"{parameters['total']:,} of {parameters['dtype']}: {shapes[0]}", *shapes[1:]])
    if "tokenizer" in summary:
        yield from _language_model_lines(summary)


def _kind(summary: Mapping[str, Any]) -> str:
    if "tokenizer" not in summary:
        return "bare network without a vocabulary"
    return f"{'word' if summary['tokenizer']['level'] == 'word' else 'character'}-level language model"


def _language_model_lines(summary: Mapping[str, Any]) -> Iterator[str]:
    vocabulary = summary["vocabulary"]
    yield f"tokenizer     {_tokenizer_line(summary['tokenizer'])}"
    yield f"vocabulary    {vocabulary['size']:,} entries, {len(SPECIAL_TOKENS)} of them special"
    yield f"  most frequent   {visible_tokens(vocabulary['most_frequent'])}"
    if vocabulary["least_frequent"]:
        yield f"  least frequent  {visible_tokens(vocabulary['least_frequent'])}"
    yield f"coverage      {_coverage_line(summary)}"
    yield f"quality       {_quality_line(summary)}"
    settings = [f"{name} {json.dumps(value)}" for name, value in summary["options"].items()]
    yield from _wrapped("options", settings or ["not recorded"])
    yield from _history_lines(summary)


def _tokenizer_line(tokenizer: Mapping[str, Any]) -> str:
    if tokenizer["level"] == "char":
        return "each character is a token"  # the other settings only matter for words
    settings = {name: value for name, value in tokenizer.items() if name != "level"}
    abbreviations = settings.pop("abbreviations", None)
    if abbreviations:
        settings["abbreviations"] = " ".join(abbreviations)
    return ", ".join(f"{name} {json.dumps(value)}" for name, value in settings.items())


def _coverage_line(summary: Mapping[str, Any]) -> str:
    if summary["coverage"] is None:
        return "not recorded"
    unit = "words" if summary["tokenizer"]["level"] == "word" else "characters"
    return Coverage(**summary["coverage"]).summary(unit)


def _quality_line(summary: Mapping[str, Any]) -> str:
    quality = summary["quality"]
    if quality is None:
        return "not recorded"
    loss = format_loss(quality["loss"], summary["tokenizer"]["level"])
    return f"{loss} on the {quality['text']} text, after epoch {_format_cell(summary['best_epoch'])}"


def _history_lines(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield the evaluations as a table, which marks the epoch whose parameters are in the file."""
    history, best = summary["history"], summary["best_epoch"]
    if not history:
        yield "history       not recorded"
        return
    columns = dict(HISTORY_COLUMNS)
    if summary["tokenizer"]["level"] == "char":
        columns["perplexity"] = "bits/char"
        history = [record | {"perplexity": _bits(record.get("perplexity"))} for record in history]
    rows = [list(columns.values())]
    rows += [[_format_cell(record.get(name)) for name in columns] for record in history]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    marks = ["", *("  best" if record.get("epoch") == best is not None else "" for record in history)]
    yield "history"
    for row, mark in zip(rows, marks, strict=True):
        yield "  " + "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) + mark


def _bits(perplexity: Any) -> float | None:
    return math.log2(perplexity) if _is_number(perplexity) and perplexity > 0 else None


def _format_cell(value: Any) -> str:
    if not _is_number(value):
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4f}" if 0.01 <= value < 1e9 else f"{value:.3g}"


def _wrapped(title: str, parts: Sequence[str]) -> Iterator[str]:
    """Yield lines of comma-separated parts, wrapped between parts."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) < WIDTH:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    for number, line in enumerate(lines):
        yield f"{'' if number else title:14}{line}"
