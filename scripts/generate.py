#!/usr/bin/env python3
"""Generate sentences with a trained model, one a line: drawn at random, or with --beam the most probable ones."""

import itertools
import runpy
import sys
from pathlib import Path

if __name__ == "__main__" and not __package__:
    runpy.run_path(str(Path(__file__).resolve().with_name("checkout.py")))

from theano_rnn.commands.arguments import ArgumentParser
from theano_rnn.commands.run_command import run
from theano_rnn.commands.terminal import flush, say, show
from theano_rnn.errors import OptionError
from theano_rnn.files.corpus_formats import open_inputs
from theano_rnn.files.printable import printable
from theano_rnn.files.text_files import without_marks
from theano_rnn.language_models.generation import SamplingOptions, check_beam_arguments

DRAWING = ("temperature", "top_k", "top_p", "seed", "stream")  # options that say how to draw; a beam draws nothing


def parse(argv):
    parser = ArgumentParser(prog="generate.py", description=__doc__)
    add = parser.add_argument
    add("--model", default="models/rnn.npz", metavar="FILE", help="(default: %(default)s)")
    add("-n", type=int, metavar="N", help="number of texts (default: 10; with a narrower beam, as many as its width)")
    temperature_help = "below 1: less surprise (default: 1); of several, each gives N texts, with it before each text"
    add("--temperature", type=float, nargs="+", metavar="X", help=temperature_help)
    add("--top-k", type=int, metavar="K", help="draw only from the K most probable words")
    add("--top-p", type=float, metavar="P", help="draw only from the likeliest words that together reach P")
    add("--beam", type=int, metavar="N", help="the most probable texts, found by a search that follows N at a time")
    beginning = parser.add_mutually_exclusive_group()
    beginning.add_argument("--prompt", default="", metavar="TEXT",
        help="how every text begins, to the letter (one that begins with a dash: --prompt=-TEXT)")  # fmt: skip
    prompts_help = "a prompt a line, or CSV, for N texts each (-: standard input)"
    beginning.add_argument("--prompt-file", metavar="FILE", help=prompts_help)
    add("--column", metavar="NAME",
        help="with --prompt-file: the column of a CSV file (default: body, else text, else the only one)")  # fmt: skip
    add("--min-words", type=int, default=1, metavar="N", help="shortest length (default: %(default)s)")
    add("--max-words", type=int, default=100, metavar="N", help="greatest length (default: %(default)s)")
    add("--no-repeat-ngram", type=int, metavar="N", help="no N tokens occur twice in the same order in a text")
    add("--seed", type=int, metavar="N", help="the same seed gives the same texts")
    output = parser.add_mutually_exclusive_group()
    scores_help = "log-probability before each text (natural, of the whole text and its end, by the model as it is)"
    output.add_argument("--scores", action="store_true", help=scores_help)
    output.add_argument("--stream", action="store_true", default=None, help="words appear as they are made")
    return parser.parse_args(argv)


def demanded(arguments):
    """What is asked for, as keywords of the language model's methods: for one search, or for each temperature.

    Raises
    ------
    OptionError
        For what no model could do, which is so known before one is loaded.
    """
    common = {name: getattr(arguments, name) for name in ("n", "min_words", "max_words", "no_repeat_ngram")}
    if {"\n", "\r"} & set(arguments.prompt):
        raise OptionError("prompt: holds a line end, but a text is one line; put several prompts into a --prompt-file")
    if arguments.column is not None and arguments.prompt_file is None:
        raise OptionError("column: is for a file of prompts; name one with --prompt-file, or leave --column out")
    if arguments.beam is not None:
        given = [name for name in DRAWING if getattr(arguments, name) is not None]
        if given:
            option = f"--{given[0].replace('_', '-')}"
            raise OptionError(f"--beam draws nothing at random, which {option} is for; leave one of them out")
        check_beam_arguments(arguments.beam, **common)
        return [{**common, "beam": arguments.beam}]
    common["n"] = 10 if arguments.n is None else arguments.n
    common.update(top_k=arguments.top_k, top_p=arguments.top_p, seed=arguments.seed)
    all_demands = [{**common, "temperature": temperature} for temperature in arguments.temperature or [1.0]]
    for demands in all_demands:
        SamplingOptions(**demands)  # checks them
    return all_demands


def read_prompts(arguments):
    """(where it is from, prompt) of each prompt; each line or row of a file is one, an empty one too."""
    if arguments.prompt_file is None:
        return [("", without_marks(arguments.prompt))]
    paths = [] if arguments.prompt_file == "-" else [arguments.prompt_file]
    (reader,) = open_inputs(paths, sys.stdin and sys.stdin.buffer, arguments.column)
    prompts = [(f"{reader.place(number)}: ", line) for number, line in enumerate(reader.lines(), 1)]
    if not prompts:
        raise OptionError(f"{reader.name}: holds no prompts; give one a line, an empty line for none")
    for where, prompt in prompts:
        if "\n" in prompt:
            raise OptionError(f"{where}the prompt holds a line end, but a text is one line; take it out")
    return prompts


def check_prompts(lm, prompts, max_words):
    for where, prompt in prompts:
        try:
            lm.check_prompt(prompt, max_words)
        except ValueError as error:
            raise OptionError(f"{where}{error}") from error


def show_texts(lm, arguments, demands, before, where):
    """Write the texts of one prompt, which is from `where`, each after the columns `before`."""
    if arguments.stream:
        for pieces in lm.stream(**demands):
            for piece in itertools.chain(["\t".join([*before, ""])], pieces):
                show(piece, end="")
                flush()
            show()
        return
    if arguments.beam is not None:
        texts = lm.beam_search(**demands)
        if demands["n"] != 0 and not texts:
            raise OptionError(
                f"{where}no text was found that meets these demands; allow shorter texts or more repetition"
            )
        wanted = check_beam_arguments(**{name: value for name, value in demands.items() if name != "prompt"})
        if len(texts) < wanted:
            say(f"generate.py: {printable(where)}{fewer_texts(len(texts), wanted, demands)}")
    else:
        texts = lm.generated(**demands, with_scores=True) if arguments.scores else zip(lm.generated(**demands))
    for text, *log_probability in texts:
        show(*before, *(f"{value:.6f}" for value in log_probability if arguments.scores), text)


def fewer_texts(found, wanted, demands):
    """What to say where a search has found fewer texts than were asked for."""
    remedies = [f"a larger --max-words than {demands['max_words']}"]
    if demands["min_words"] > 1:
        remedies.append(f"a smaller --min-words than {demands['min_words']}")
    if demands["no_repeat_ngram"] is not None:
        remedies.append(f"a larger --no-repeat-ngram than {demands['no_repeat_ngram']}")
    remedies.append(f"a wider --beam than {demands['beam']}")
    return f"found only {found} of {wanted} texts; {', '.join(remedies[:-1])} or {remedies[-1]} may find more"


def work(argv):
    arguments = parse(argv)
    try:
        all_demands = demanded(arguments)
    except ValueError as error:
        raise OptionError(str(error)) from error
    prompts = read_prompts(arguments)
    from theano_rnn.language_models.language_model import load

    lm = load(arguments.model)
    check_prompts(lm, prompts, arguments.max_words)
    for demands in all_demands:
        before = [str(demands["temperature"])] if len(all_demands) > 1 else []
        for where, prompt in prompts:
            show_texts(lm, arguments, {**demands, "prompt": prompt}, before, where)


def main(argv=None):
    return run("generate.py", work, sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    sys.exit(main())
