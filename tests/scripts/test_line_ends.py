"""Line ends and byte order marks do not change a text: models, scores, generated texts and pictures are the same."""

import hashlib
import io
import random
import sys
from pathlib import Path

import pytest
from support.script_modules import script
from support.training_runs import share_compiled

from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.networks.rnn import RNN
from theano_rnn.text.corpus import read_corpus
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary
from theano_rnn.training.options import TrainingOptions
from theano_rnn.training.train_model import train

MARK = "\ufeff"
LINES = ["The dog sees the cat.", "", "The bird, é😀, sees Dr. Fox.", "  the cat sees", "A b\u2028c\x85d.", "He came."]
LEVELS = {"words": {}, "characters": {"level": "char"}, "tokens": {"tokenized": True}}
every_level = pytest.mark.parametrize("settings", LEVELS.values(), ids=LEVELS)
QUICK_OF_LEVELS = [
    pytest.param(settings, id=name, marks=() if name == "words" else pytest.mark.slow)
    for name, settings in LEVELS.items()
]

score, generate, explain = (script(name) for name in ("score", "generate", "explain"))


def variants(lines, seed, count):
    """Contents of files with these lines: the plain one, one per kind of line end, and mixtures."""
    generator = random.Random(seed)
    yield "".join(f"{line}\n" for line in lines).encode()
    for end in ("\n", "\r\n", "\r"):
        for mark in ("", MARK):
            yield (mark + end.join(lines)).encode()
    for _ in range(count):
        # No "\r" before an empty line that ends with "\n": together they would be one line end.
        text = generator.choice(["", MARK])
        for number, line in enumerate(lines):
            ends = ["\r\n", "\r"] if not line and text.endswith("\r") else ["\n", "\r\n", "\r"]
            place = generator.randrange(len(line) + 1)
            line = line[:place] + generator.choice(["", "", MARK]) + line[place:]
            is_last = number == len(lines) - 1
            text += line + ("" if is_last and generator.random() < 0.5 else generator.choice(ends))
        yield text.encode()


def test_the_variants_are_different_files():
    assert len(set(variants(LINES, 1, 20))) == 27


# Training


@every_level
def test_training_reads_the_same_text(settings, tmp_path):
    generator = random.Random(2)
    for seed in range(8):
        lines = [*generator.choices(LINES, k=generator.randrange(1, 9)), "The end."]
        options = TrainingOptions.from_settings({**settings, "valid": str(tmp_path / "v.txt")})
        fingerprints = set()
        for content in variants(lines, seed, 5):
            (tmp_path / "t.txt").write_bytes(content)
            (tmp_path / "v.txt").write_bytes(content)
            fingerprints.add(read_corpus(tmp_path / "t.txt", options).fingerprint)
        assert len(fingerprints) == 1, lines


@pytest.mark.parametrize("settings", QUICK_OF_LEVELS)
@pytest.mark.parametrize("is_held_out", [False, True], ids=["a held-out fraction", "a held-out file"])
def test_models_are_the_same_to_the_byte(settings, is_held_out, tmp_path, monkeypatch):
    share_compiled(monkeypatch)
    monkeypatch.setattr(LanguageModel, "generate", lambda self, n, **demands: ["a sample"] * n)
    held_out = {"valid": str(tmp_path / "v.txt")} if is_held_out else {"valid_fraction": 0.2}
    digests = set()
    for content in list(variants(5 * LINES, 3, 2))[::2]:
        (tmp_path / "t.txt").write_bytes(content)
        (tmp_path / "v.txt").write_bytes(content)
        (tmp_path / "m.npz").unlink(missing_ok=True)
        train(tmp_path / "t.txt", model=tmp_path / "m.npz", epochs=1, hidden_dim=3, **held_out, **settings)
        digests.add(hashlib.sha256((tmp_path / "m.npz").read_bytes()).hexdigest())
    assert len(digests) == 1


# Reading


@pytest.fixture(scope="module", params=LEVELS.values(), ids=LEVELS)
def lm(request):
    tokenizer = Tokenizer(**request.param)
    words = ["the", "dog", "cat", "sees", ".", "The"] if tokenizer.level == "word" else list("thedogc as.nTé")
    vocabulary = Vocabulary(
        dict.fromkeys(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", *words]),
        newline_ends_sentence=tokenizer.level == "char",
    )
    return LanguageModel(RNN(len(vocabulary), 5, seed=3), vocabulary, tokenizer)


@pytest.fixture
def results(lm, tmp_path, monkeypatch, capsys):
    """The output of a script for a file, or for standard input if its arguments name no file."""
    model = tmp_path / "rnn.npz"
    lm.save(model)
    monkeypatch.setattr(LanguageModel, "load", lambda path: lm if Path(path) == model else load(path))
    file = tmp_path / "t.txt"

    def results(module, arguments, content):
        file.write_bytes(content)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        arguments = [argument.format(file=file, folder=tmp_path) for argument in arguments]
        assert module.main([*arguments, "--model", str(model)]) == 0
        return capsys.readouterr()

    return results


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        (score, ["{file}"]),
        (score, []),
        (score, ["--words", "{file}"]),
        (score, ["--format", "srilm", "{file}"]),
        (generate, ["--prompt-file", "{file}", "-n", "1", "--seed", "1", "--max-words", "30"]),
        (generate, ["--prompt-file", "-", "-n", "1", "--seed", "1", "--max-words", "30"]),
        (explain, ["units", "{file}"]),
        (explain, ["units"]),
    ],
)
def test_the_scripts_print_the_same(module, arguments, results):
    plain, *others = (results(module, arguments, content) for content in variants(LINES, 4, 10))
    assert plain.out.count("\n") >= len(LINES) - 1
    assert all(other == plain for other in others)


@pytest.mark.parametrize("lm", QUICK_OF_LEVELS, indirect=True)
def test_the_gradients_are_the_same(results):
    arguments = ["gradients", "--text", "{file}", "--plot", "{folder}/a.png", "--length", "3", "--starts", "2"]
    plain, *others = (results(explain, arguments, content) for content in list(variants(LINES, 5, 1))[::3])
    assert all(other == plain for other in others)


@pytest.mark.parametrize(
    ("option", "lines"),
    [
        (["--nbest"], ["a\tthe dog\t-1", "b\tsees\t-2"]),
        (["--nbest"], ["a ||| the dog ||| f= 1 ||| -1", "a ||| sees ||| f= 2 ||| -2"]),
    ],
)
def test_n_best_lists_are_the_same(option, lines, results):
    plain, *others = (results(score, [*option, "{file}"], content) for content in variants(lines, 6, 10))
    assert plain.out.count("\n") == 2 and all(other == plain for other in others)


@pytest.mark.parametrize(
    "lines",
    [
        ["-1\tthe", "-2\tdog", "-0.5\t</s>", "-1\tsees", "-1\t</s>"],
        ["-1 -2 -0.5", "-1 -1"],
        ["the=4 1 -1\tdog=5 2 -2\t</s>=2 1 -0.5\tTotal: -3.5 OOV: 0", "sees=6 1 -1\t</s>=2 1 -1\tTotal: -2 OOV: 0"],
    ],
    ids=["one token per line", "one sentence per line", "KenLM"],
)
@pytest.mark.parametrize("lm", [LEVELS["tokens"]], indirect=True, ids=["tokens"])
def test_scores_by_another_model_are_the_same(lines, results, tmp_path):
    found = []
    other = tmp_path / "other.txt"
    for content in variants(lines, 7, 10):
        other.write_bytes(content)
        found.append(results(score, ["--mix", str(other), "{file}"], b"the dog\rsees"))
    assert all(one == found[0] for one in found)


def test_a_prompt_equals_one_from_a_file(results):
    arguments = ["-n", "1", "--seed", "1", "--max-words", "30"]
    for prompt in ("the dog", MARK + "the dog", "the" + MARK + " dog"):
        assert results(generate, ["--prompt", prompt, *arguments], b"") == results(
            generate, ["--prompt-file", "{file}", *arguments], b"the dog\r"
        )


@pytest.mark.parametrize("prompt", ["The\rred", "The\nred", "The red\r\n"])
def test_a_line_end_inside_a_prompt_is_rejected(prompt, capsys):
    assert generate.main(["--prompt", prompt]) == 2
    assert capsys.readouterr().err.startswith("generate.py: --prompt: contains a line end, but a text is one line; ")
