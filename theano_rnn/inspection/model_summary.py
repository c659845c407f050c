"""What a model file tells of its model: sizes, settings, how it was trained, which words it knows."""

import json
import math
import sys
from pathlib import Path

from theano_rnn.files.archive import read_archive
from theano_rnn.inspection.network_files import open_network
from theano_rnn.inspection.token_sequences import listed
from theano_rnn.networks.parameters import PARAMETERS
from theano_rnn.text.coverage import Coverage

WORDS_SHOWN = 10
OPTIONS_WIDTH = 90  # characters
SPECIAL_TOKENS = 3
COLUMNS = {
    "epoch": "epoch",
    "train_loss": "training loss",
    "valid_loss": "held-out loss",
    "perplexity": "perplexity",
    "learning_rate": "rate",
}


def summarise(path):
    """All that a model file tells, as a dict that JSON can write.

    Parameters
    ----------
    path : path
        Of a language model, or of a bare network, which has neither ``tokenizer``, ``vocabulary`` nor ``training``.

    Returns
    -------
    dict
        ``file``, ``bytes``, ``network`` and ``parameters``; of a language model also ``tokenizer``, ``vocabulary``
        (the special tokens counted in its size, not in its most and least frequent ones), ``coverage`` (counts of words
        and unknown words in the texts it was trained on), ``options``, ``history`` and ``best_epoch`` (None where
        nothing is told).

    Raises
    ------
    ModelFileError
    """
    entries = read_archive(path)
    rnn, lm = open_network(path)
    shapes = {name: list(entries[name].shape) for name in PARAMETERS}
    summary = {
        "file": str(path),
        "bytes": Path(path).stat().st_size,
        "network": {
            "word_dim": rnn.word_dim,
            "hidden_dim": rnn.hidden_dim,
            "activation": rnn.activation,
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
    words = lm.vocabulary.index_to_word[SPECIAL_TOKENS:]
    options, history = options_of(lm.training), history_of(lm.training)
    return summary | {
        "tokenizer": lm.tokenizer.to_configuration(),
        "vocabulary": {
            "size": len(lm.vocabulary),
            "most_frequent": words[:WORDS_SHOWN],
            "least_frequent": words[WORDS_SHOWN:][-WORDS_SHOWN:],
        },
        "coverage": coverage_of(lm.training),
        "options": options,
        "history": history,
        "best_epoch": best_epoch(history, options.get("tutorial")),
    }


def options_of(training):
    """How it was trained: a dict, empty where the file tells nothing."""
    options = training.get("options")
    return options if isinstance(options, dict) else {}


def coverage_of(training):
    """How much of its texts the vocabulary covers: a dict; None where the file does not tell."""
    try:
        return Coverage.from_configuration(training.get("coverage")).to_configuration()
    except (TypeError, ValueError):
        return None


def history_of(training):
    """The evaluations: a list of dicts, empty where the file tells nothing."""
    history = training.get("history")
    return [record for record in history if isinstance(record, dict)] if isinstance(history, list) else []


def best_epoch(history, is_tutorial):
    """The epoch whose parameters are in the file: the one with the lowest of the losses that decide.

    None where the history does not tell.
    """
    decisive = [
        (loss, record.get("epoch"))
        for record in history
        for loss in [record.get("train_loss" if is_tutorial or record.get("valid_loss") is None else "valid_loss")]
        if is_number(loss)
    ]
    return min(decisive, key=lambda pair: pair[0])[1] if decisive else None


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def summary_lines(summary):
    """The summary as readable text, line by line."""
    network, parameters = summary["network"], summary["parameters"]
    yield f"file          {summary['file']}: {kind_of(summary)}, {summary['bytes']:,} bytes"
    sizes = f"word_dim {network['word_dim']:,}, hidden_dim {network['hidden_dim']:,}"
    yield f"network       {sizes}, activation {network['activation']}"
    truncate = network["bptt_truncate"]
    yield f"bptt          {'through the whole sequence' if truncate is None else f'truncated after {truncate} steps'}"
    shapes = ", ".join(f"{name} {rows:,} × {columns:,}" for name, (rows, columns) in parameters["shapes"].items())
    yield f"parameters    {parameters['total']:,} of {parameters['dtype']}: {shapes}"
    if "tokenizer" in summary:
        yield from language_lines(summary)


def kind_of(summary):
    if "tokenizer" not in summary:
        return "bare network without a vocabulary"
    return f"language model of {'words' if summary['tokenizer']['level'] == 'word' else 'characters'}"


def language_lines(summary):
    settings = {name: value for name, value in summary["tokenizer"].items() if name != "level"}
    learned = settings.pop("abbreviations", None)
    if learned:
        settings["abbreviations"] = " ".join(learned)
    vocabulary = summary["vocabulary"]
    yield f"tokenizer     {described(settings)}"
    yield f"vocabulary    {vocabulary['size']:,} entries, {SPECIAL_TOKENS} of them special"
    yield f"  most frequent   {listed(vocabulary['most_frequent'])}"
    if vocabulary["least_frequent"]:
        yield f"  least frequent  {listed(vocabulary['least_frequent'])}"
    yield f"coverage      {coverage_line(summary)}"
    for number, line in enumerate(wrapped(summary["options"])):
        yield f"{'' if number else 'options':14}{line}"
    if not summary["history"]:
        yield "history       none"
        return
    yield from history_lines(summary["history"], summary["best_epoch"])


def coverage_line(summary):
    if summary["coverage"] is None:
        return "not recorded"
    unit = "words" if summary["tokenizer"]["level"] == "word" else "characters"
    return Coverage(**summary["coverage"]).summary(unit)


def history_lines(history, best):
    """The evaluations as a table, the one whose parameters are in the file marked."""
    rows = [list(COLUMNS.values())]
    rows += [[cell(record.get(name)) for name in COLUMNS] for record in history]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    marks = ["", *("  best" if record.get("epoch") == best is not None else "" for record in history)]
    yield "history"
    for row, mark in zip(rows, marks, strict=True):
        yield "  " + "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) + mark


def cell(value):
    if not is_number(value):
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4f}" if 0.01 <= value < 1e9 else f"{value:.3g}"


def described(settings):
    return ", ".join(f"{name} {json.dumps(value)}" for name, value in settings.items())


def wrapped(settings):
    """Settings on lines of a readable length, each name on the line of its value."""
    lines = []
    for name, value in settings.items():
        setting = f"{name} {json.dumps(value)}"
        if lines and len(lines[-1]) + len(setting) < OPTIONS_WIDTH:
            lines[-1] += f", {setting}"
        else:
            lines.append(setting)
    return lines or ["not told"]
