"""Every command and every Python block of the READMEs runs and prints what the README shows.

A block that cannot run here has an HTML comment above it that says why: ``<!-- not run: … -->``. A ``text`` block
shows the output of the block before it, unless a comment says ``<!-- not checked: … -->``; after ``<!-- sampled -->``
only the number of lines is compared.

The blocks run among the slow tests, with a language model that is trained as the README says. Other tests check options
and links.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.markdown import blocks, console_steps, difference
from support.script_modules import script

ROOT = Path(__file__).resolve().parents[1]
READMES = [
    "README.md",
    "data/README.md",
    "scripts/README.md",
    "scripts/cluster/README.md",
    "tests/README.md",
    "theano_rnn/README.md",
]
COMMANDS = ("train", "score", "generate", "predict", "explain", "export", "benchmark")
MODEL = "python scripts/train.py"
TOLERANCE = 0.1  # relative, of the figures of a run
END_OF_BLOCK = "---- end of block {} ----"

_CALL = re.compile(r"(?:python scripts/(\w+)\.py|python -m theano_rnn (\w+)|theano-rnn-(\w+))(?=\s|$)")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")

# No README shows what the networks of tasks print, so one epoch is enough to run the commands.
PYTHON = """#!/bin/sh
if [ "$1 $2" = "scripts/train.py --task" ]; then
    set -- "$@" --epochs 1
fi
exec {python} "$@"
"""

every_readme = pytest.mark.parametrize("readme", READMES)


class Checkout:
    """A copy of the checkout for what the commands write; programs and package are those of the real one."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("scripts", "theano_rnn"):
            (folder / name).symlink_to(ROOT / name)
        shutil.copytree(ROOT / "data", folder / "data", ignore=shutil.ignore_patterns("__pycache__"))
        with open(ROOT / "data" / "comments.csv", encoding="utf-8", newline="") as file:
            _, *comments = file.readlines()
        (folder / "mytext.txt").write_text("\n".join(comments[:12]), encoding="utf-8")
        (folder / "bin").mkdir()
        python = folder / "bin" / "python"
        python.write_text(PYTHON.format(python=shlex.quote(sys.executable)))
        python.chmod(0o755)
        self.shell(MODEL)

    def run(self, *command):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"}
        environment["PATH"] = f"{self.folder / 'bin'}{os.pathsep}{environment['PATH']}"
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL
        )
        assert done.returncode == 0, f"{command[-1]}\nends with status {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout, done.stderr

    def shell(self, command):
        return self.run("bash", "-euo", "pipefail", "-c", command)


def check(place, shown, out, err, sampled=False, tolerance=TOLERANCE):
    if sampled:
        count = len(shown.splitlines())
        assert len(out.splitlines()) == count, f"{place}: expected {count} lines, got\n{out}"
        return
    wrong = difference(shown, out, err, tolerance)
    assert wrong is None, f"{place}: the block {wrong}\nIts output:\n{out}{err}"


def run_readme(readme, checkout):
    """Run the blocks of a README in order and compare what they print; its Python blocks are one program."""
    expected = blocks(ROOT / readme)
    program, printed = [], []  # the Python blocks, and (text block, number of the block that prints it)
    printing = None  # what the last block printed, or the number of the last Python block
    for block in expected:
        if block.language == "text":
            if block.marker != "not checked":
                assert printing is not None, f"{block.place}: no block prints this; mark it as not checked"
                if isinstance(printing, int):
                    printed.append((block, printing))
                elif printing:
                    check(block.place, block.text, *printing, block.marker == "sampled")
            printing = None
        elif block.marker == "not run":
            printing = ()
        elif block.language == "python":
            printing = len(program)
            program.append(block.text)
        elif block.language == "sh":
            printing = checkout.shell(block.text)
        else:
            for command, shown in console_steps(block.text):
                out, err = checkout.shell(command)
                check(block.place, shown, out, err, block.marker == "sampled")
            printing = None
    if program:
        ends = [f"\nprint({END_OF_BLOCK.format(i)!r}, flush=True)\n" for i in range(len(program))]
        out, _ = checkout.run(sys.executable, "-c", "".join(map("".join, zip(program, ends, strict=True))))
        outputs = re.split(END_OF_BLOCK.format(r"\d+") + "\n", out)
        for block, number in printed:
            check(block.place, block.text, outputs[number], "", block.marker == "sampled", 1e-3)
        shown = {number for _, number in printed}
        for number, output in enumerate(outputs):
            assert number in shown or not output, f"{readme}: Python block {number + 1} prints\n{output}"


@pytest.mark.slow
@pytest.mark.xla  # compiling all this with Theano takes many minutes
def test_the_blocks_run_and_print_what_is_shown(tmp_path):
    checkout = Checkout(tmp_path)
    for readme in READMES:
        run_readme(readme, checkout)


def calls(text):
    """[(command, arguments)] of the package's commands in a block of shell commands."""
    for line in text.replace("\\\n", " ").splitlines():
        for match in _CALL.finditer(line.removeprefix("$ ")):
            words = shlex.shlex(line.removeprefix("$ ")[match.end() :], posix=True, punctuation_chars=True)
            words.whitespace_split = True
            arguments = []
            for word in words:
                if set(word) <= set("|&;<>()"):
                    if word.startswith(">") and arguments and arguments[-1] == "2":
                        arguments.pop()
                    break
                arguments.append(word)
            yield match[1] or match[2] or match[3], arguments


@every_readme
def test_every_command_has_options_that_exist(readme):
    for block in blocks(ROOT / readme):
        if block.language in ("sh", "console"):
            for name, arguments in calls(block.text):
                try:
                    script(name).make_parser().parse_args(arguments)
                except SystemExit:
                    pytest.fail(f"{block.place}: {name} {shlex.join(arguments)} is not valid")


def options(parser):
    """The options of a parser and of its subparsers."""
    found = set()
    for action in parser._actions:
        found.update(action.option_strings)
        for inner in (action.choices or {}).values() if isinstance(action.choices, dict) else ():
            found |= options(inner)
    return found - {"-h", "--help", "--version"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_in_the_manual(name):
    section = re.split(r"^## ", (ROOT / "scripts" / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    titles = {
        "train": ("Training", "Labels of texts", "Translation", "Speech"),
        "score": ("Scoring",),
        "generate": ("Generating",),
        "predict": ("Labels of texts", "Missing words", "Translation", "Descriptions", "Speech"),
        "explain": ("Looking",),
        "export": ("Deployment",),
        "benchmark": ("Bench",),
    }
    text = "\n".join(part for part in section if part.startswith(titles[name]))
    missing = {option for option in options(script(name).make_parser()) if not re.search(rf"{option}\b", text)}
    assert not missing


def test_the_manual_names_no_option_that_does_not_exist():
    text = (ROOT / "scripts" / "README.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `-")]
    known = set().union(*(options(script(name).make_parser()) for name in COMMANDS))
    named = {option for row in rows for option in _OPTION.findall(row)}
    assert len(named) > 40
    assert named <= known


def anchors(path):
    """The anchors of a file's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_readme
def test_links_lead_somewhere(readme):
    path = ROOT / readme
    for link in _LINK.findall(path.read_text(encoding="utf-8")):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target / "README.md" if target.is_dir() else target), link


@every_readme
def test_files_that_are_named_exist(readme):
    text = (ROOT / readme).read_text(encoding="utf-8")
    folders = [(ROOT / readme).parent, *(ROOT / name for name in (".", "scripts", "theano_rnn", "theano_rnn/networks"))]
    for name in re.findall(r"`([\w/]+\.(?:py|csv|tsv|npz))`", text):
        if not name.startswith("models/"):
            assert any((folder / name).exists() for folder in folders), name


def test_every_table_of_the_map_exists():
    text = (ROOT / "theano_rnn" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"`([A-Z_]+)` in `([\w/]+\.py)`", text)
    assert len(rows) == 8
    for table, module in rows:
        assert re.search(rf"^{table}\b", (ROOT / "theano_rnn" / module).read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_the_readmes_stay_short():
    assert (ROOT / "README.md").stat().st_size <= 12_000
    assert sum((ROOT / readme).stat().st_size for readme in READMES) <= 150_000
