#!/usr/bin/env python3
"""Generate sentences with a trained model, one per line, or with --length passages of text.

They are drawn at random, or with --beam they are the most probable ones.
"""

import argparse
import itertools
import runpy
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__" and not __package__:
    runpy.run_path(str(Path(__file__).resolve().with_name("checkout.py")))

from theano_rnn.commands.arguments import ArgumentParser, command_parser
from theano_rnn.commands.generated_tokens import FORMATS as TOKEN_FORMATS
from theano_rnn.commands.option_names import flag
from theano_rnn.commands.program_name import program_name
from theano_rnn.commands.run_command import run_command
from theano_rnn.commands.standard_input import announce_standard_input, standard_input
from theano_rnn.commands.status_line import status
from theano_rnn.commands.terminal import flush, say, show
from theano_rnn.errors import ArgumentValueError, OptionError
from theano_rnn.files.corpus_formats import open_inputs
from theano_rnn.files.printable import printable
from theano_rnn.files.text_files import TextInput, without_byte_order_marks
from theano_rnn.generation.text_groups import SamplingOptions, check_beam_arguments

if TYPE_CHECKING:
    from theano_rnn.continuations.passages import GeneratedText
    from theano_rnn.language_models.language_model import LanguageModel

ONLY_FOR_SAMPLING = ("temperature", "top_k", "top_p", "seed", "stream")  # a beam search draws nothing at random
ONLY_FOR_PASSAGES = ("whole", "separator")  # and `stop`, which the package checks
ONLY_FOR_SENTENCES = ("min_words", "max_words", "beam")
SEPARATOR = "-----"


def make_parser() -> ArgumentParser:
    parser = command_parser("generate", __doc__ or "", "[options]", '-n 5 --prompt "I think" --temperature 0.8')
    # fmt: off
    group = parser.add_argument_group("data")
    group.add_argument("--model", default="models/rnn.npz", metavar="FILE",
        help="file of the model (default: %(default)s)")
    beginning = group.add_mutually_exclusive_group()
    beginning.add_argument("--prompt", default="", metavar="TEXT",
        help="the beginning of every text; write --prompt=-TEXT if it begins with a hyphen (default: none)")
    beginning.add_argument("--prompt-file", metavar="FILE",
        help="text file with one prompt per line, or CSV file, for N texts each; -: standard input")
    group.add_argument("--column", metavar="NAME",
        help="with --prompt-file: the column of a CSV file that holds the prompts "
        "(default: body, else text, else the only column)")
    group.add_argument("--whole", action="store_true", default=None,
        help="with --prompt-file and --length: the whole file is one prompt, with all its line ends")

    add = parser.add_argument_group("sampling").add_argument
    add("--temperature", type=float, nargs="+", metavar="X",
        help="below 1: fewer surprises; above 1: more (default: 1). Several temperatures give N texts each, "
        "with the temperature in front of each text")
    add("--top-k", type=int, metavar="K", help="draw only from the K most probable words (default: all)")
    add("--top-p", type=float, metavar="P",
        help="draw only from the most probable words whose probabilities add up to P (default: all)")
    add("--seed", type=int, metavar="N", help="the same seed gives the same texts (default: a new one each time)")

    add = parser.add_argument_group("search").add_argument
    add("--beam", type=int, metavar="N",
        help="find the most probable texts with a beam search of this width (default: sample instead)")
    add_lengths(parser)
    add_output(parser)
    # fmt: on
    return parser


def add_lengths(parser: ArgumentParser) -> None:
    # fmt: off
    add = parser.add_argument_group("texts").add_argument
    add("-n", type=int, metavar="N", help="number of texts (default: 10, or the beam width if that is less)")
    add("--min-words", type=int, metavar="N", help=f"minimum length (default: {SamplingOptions.min_words})")
    add("--max-words", type=int, metavar="N", help=f"maximum length (default: {SamplingOptions.max_words})")
    add("--no-repeat-ngram", type=int, metavar="N",
        help="never repeat a sequence of N tokens within a text (default: repetition is allowed)")
    add("--length", type=int, metavar="N",
        help="write passages of N tokens (characters at character level), which run on through the ends of sentences "
        "and lines (default: write sentences)")
    add("--stop", metavar="TEXT",
        help="with --length: end a passage before the first TEXT after the prompt (default: none)")
    add("--separator", metavar="LINE", help=f"with --length: the line between two passages (default: {SEPARATOR})")
    # fmt: on


def add_output(parser: ArgumentParser) -> None:
    # fmt: off
    group = parser.add_argument_group("output")
    output = group.add_mutually_exclusive_group()
    output.add_argument("--scores", action="store_true",
        help="print the log-probability of each text in front of it: natural, with the end of the text, "
        "and by the model at temperature 1")
    output.add_argument("--stream", action="store_true", default=None, help="print each word as soon as it is drawn")
    output.add_argument("--logprobs", action="store_true",
        help="print one line per generated token instead: number of the text, log-probability (as with --scores), "
        "token")
    group.add_argument("--format", choices=tuple(TOKEN_FORMATS),
        help="with --logprobs: json prints one object per text (default: tsv)")
    # fmt: on


def checked_demands(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Keyword arguments for the language model: of one search, or of one call per temperature.

    Raises
    ------
    ArgumentValueError
        For demands that no model can meet. They are checked before a model is loaded.
    """
    check_combinations(arguments)
    common = {"n": arguments.n, "no_repeat_ngram": arguments.no_repeat_ngram}
    for name in ("min_words", "max_words"):
        given = getattr(arguments, name)
        common[name] = getattr(SamplingOptions, name) if given is None else given
    if arguments.beam is not None:
        given = [name for name in ONLY_FOR_SAMPLING if getattr(arguments, name) is not None]
        if given:
            raise OptionError(f"beam: draws nothing at random, which `{given[0]}` is for; leave one of them out")
        check_beam_arguments(arguments.beam, **common)
        return [{**common, "beam": arguments.beam}]
    common["n"] = 10 if arguments.n is None else arguments.n
    common.update({name: getattr(arguments, name) for name in ("top_k", "top_p", "seed", "length", "stop")})
    all_demands = [{**common, "temperature": temperature} for temperature in arguments.temperature or [1.0]]
    for demands in all_demands:
        SamplingOptions(**demands)  # checks them
    return all_demands


def check_combinations(arguments: argparse.Namespace) -> None:
    """Raise OptionError if options do not go together."""
    if arguments.length is None:
        for name in ONLY_FOR_PASSAGES:
            if getattr(arguments, name) is not None:
                raise OptionError(f"{name}: is for passages; add `length`, or leave `{name}` out")
        if {"\n", "\r"} & set(arguments.prompt):
            raise OptionError(
                "prompt: contains a line end, but a text is one line; put several prompts in `prompt_file`, or write a "
                "passage with `length`"
            )
    else:
        for name in ONLY_FOR_SENTENCES:
            if getattr(arguments, name) is not None:
                raise OptionError(f"length: is for passages, and `{name}` for texts of one sentence; leave one out")
        if arguments.scores:
            raise OptionError("length: is for passages, and `scores` for texts of one sentence; use `logprobs`")
        if arguments.logprobs and arguments.separator is not None:
            raise OptionError("separator: is for texts, but `logprobs` shows their tokens; leave one of them out")
        if {"\n", "\r"} & set(arguments.separator or ""):
            raise OptionError("separator: expected one line, got several")
    if arguments.prompt_file is None:
        for name in ("column", "whole"):
            if getattr(arguments, name) is not None:
                raise OptionError(f"{name}: is for a file of prompts; name one with `prompt_file`, or leave it out")
    if arguments.whole and arguments.column is not None:
        raise OptionError("whole: takes a file as it is, without columns; leave `column` or `whole` out")
    if arguments.format is not None and not arguments.logprobs:
        raise OptionError("format: is for the log-probabilities of tokens; add `logprobs`, or leave it out")
    if arguments.logprobs and arguments.beam is not None:
        raise OptionError("beam: has no log-probabilities of tokens; use `scores`, or leave `logprobs` out")


def read_prompts(arguments: argparse.Namespace) -> list[tuple[str, str]]:
    """(where it is from, prompt) of each prompt. Each line or row of a file is one, also an empty one, or the file."""
    if arguments.prompt_file is None:
        return [("", without_byte_order_marks(arguments.prompt))]
    paths = [] if arguments.prompt_file == "-" else [arguments.prompt_file]
    if not paths:
        announce_standard_input()
    if arguments.whole:
        source = TextInput(paths[0] if paths else None, standard_input())
        return [(f"{source.name}: ", "".join(source.text()))]
    (reader,) = open_inputs(paths, standard_input(), arguments.column)
    prompts = [(f"{reader.place(number)}: ", line) for number, line in enumerate(reader.lines(), 1)]
    if not prompts:
        raise OptionError(f"{reader.name}: contains no prompts; write one per line, an empty line for none")
    for where, prompt in prompts:
        if "\n" in prompt and arguments.length is None:
            raise OptionError(
                f"{where}the prompt contains a line end, but a text is one line; remove it, or write passages with "
                "`length`"
            )
    return prompts


def check_prompts(lm: "LanguageModel", prompts: Sequence[tuple[str, str]], max_words: int) -> None:
    for where, prompt in prompts:
        try:
            lm.check_prompt(prompt, max_words)
        except ArgumentValueError as error:
            raise ArgumentValueError(f"{where}{error}") from error


class Output:
    """Prints texts on standard output.

    Parameters
    ----------
    arguments : argparse.Namespace
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._separator = None
        if arguments.length is not None:
            self._separator = SEPARATOR if arguments.separator is None else arguments.separator
        self._show_tokens = TOKEN_FORMATS[arguments.format or "tsv"]
        self._texts = 0

    def _begin(self) -> None:
        if self._texts and self._separator is not None:
            show(self._separator)
        self._texts += 1

    def show_text(self, *columns: object) -> None:
        """Print the columns of one text."""
        self._begin()
        show(*columns)

    def stream(self, columns: Sequence[str], pieces: Iterable[str]) -> None:
        """Print the columns before a text, and then each of its pieces as soon as it comes."""
        self._begin()
        for piece in itertools.chain(["\t".join([*columns, ""])], pieces):
            show(piece, end="")
            flush()
        show()

    def show_tokens(self, columns: Sequence[str], demands: dict[str, Any], text: "GeneratedText") -> None:
        """Print the tokens of a text."""
        self._texts += 1
        self._show_tokens(self._texts, columns, demands, text)


def show_texts(
    lm: "LanguageModel",
    arguments: argparse.Namespace,
    demands: dict[str, Any],
    columns: Sequence[str],
    where: str,
    output: Output,
) -> None:
    """Print the texts of one prompt, which is from `where`, each after the given columns."""
    if arguments.stream:
        for pieces in lm.stream(**demands):
            output.stream(columns, pieces)
        return
    if arguments.logprobs:
        for generated in lm.generated_tokens(**demands):
            output.show_tokens(columns, demands, generated)
        return
    texts: Iterable[tuple[Any, ...]]
    if arguments.beam is not None:
        texts = found = lm.beam_search(**demands)
        if demands["n"] != 0 and not found:
            raise OptionError(f"{where}no text meets these demands; allow shorter texts or more repetition")
        wanted = check_beam_arguments(**{name: value for name, value in demands.items() if name != "prompt"})
        if len(found) < wanted:
            say(f"{program_name('generate')}: {printable(where)}{fewer_texts(len(found), wanted, demands)}")
    else:
        texts = lm.generated(**demands, with_scores=True) if arguments.scores else zip(lm.generated(**demands))
    for text, *log_probability in texts:
        output.show_text(*columns, *(f"{value:.6f}" for value in log_probability if arguments.scores), text)


def fewer_texts(found: int, wanted: int, demands: dict[str, Any]) -> str:
    """What to say if a search has found fewer texts than wanted."""
    remedies = [f"a larger {flag('max_words')} than {demands['max_words']}"]
    if demands["min_words"] > 1:
        remedies.append(f"a smaller {flag('min_words')} than {demands['min_words']}")
    if demands["no_repeat_ngram"] is not None:
        remedies.append(f"a larger {flag('no_repeat_ngram')} than {demands['no_repeat_ngram']}")
    remedies.append(f"a larger {flag('beam')} than {demands['beam']}")
    return f"found only {found} of {wanted} texts; {', '.join(remedies[:-1])} or {remedies[-1]} may find more"


def work(arguments: argparse.Namespace) -> None:
    all_demands = checked_demands(arguments)
    prompts = read_prompts(arguments)
    with status(f"loading {arguments.model}"):
        from theano_rnn.language_models.language_model import LanguageModel

        lm = LanguageModel.load(arguments.model)
    if arguments.length is None:
        check_prompts(lm, prompts, all_demands[0]["max_words"])
    output = Output(arguments)
    with status("generating"):
        for demands in all_demands:
            columns = [str(demands["temperature"])] if len(all_demands) > 1 else []
            for where, prompt in prompts:
                show_texts(lm, arguments, {**demands, "prompt": prompt}, columns, where, output)


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(make_parser(), work, argv)


if __name__ == "__main__":
    sys.exit(main())
