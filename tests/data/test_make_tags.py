"""The sample of tags: made again byte for byte, and the best possible result is a sum over all state sequences."""

import math
import runpy
from collections import Counter
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[2] / "data"
MAKER = runpy.run_path(str(DATA / "make_tags.py"))
SENTENCES = list(MAKER["read_tagged"](DATA / "tags.tsv"))
LEXICON = MAKER["Lexicon"]()
START, STOP, TAGS, followers = MAKER["START"], MAKER["STOP"], MAKER["TAGS"], MAKER["followers"]


def reachable():
    found, new = set(), [START]
    while new:
        state = new.pop()
        if state not in found and state != STOP:
            found.add(state)
            new += followers(state)
    return found


@pytest.mark.slow
def test_the_script_writes_the_shipped_file_again(tmp_path):
    MAKER["main"](["--output", str(tmp_path)])
    assert (tmp_path / "tags.tsv").read_bytes() == (DATA / "tags.tsv").read_bytes()


def test_another_seed_and_number_give_other_sentences_of_the_same_words(tmp_path):
    MAKER["main"](["--output", str(tmp_path), "--seed", "2", "--sentences", "10"])
    found = list(MAKER["read_tagged"](tmp_path / "tags.tsv"))
    assert len(found) == 10 and found != SENTENCES[:10]
    for sentence in found:
        MAKER["tag_probabilities"]([word for word, _ in sentence], LEXICON)


@pytest.mark.slow
def test_the_best_possible_figures_are_those_of_the_data_readme(capsys):
    MAKER["main"](["--best"])
    accuracy, loss = MAKER["best_possible"]([[word for word, _ in one] for one in SENTENCES], LEXICON)
    shown, readme = capsys.readouterr().out, (DATA / "README.md").read_text(encoding="utf-8")
    for figure in (f"{100 * accuracy:.2f} %", f"{loss:.4f}"):
        assert figure in shown and figure in readme


def test_choices_of_every_state_and_its_words_sum_to_1():
    for state in reachable():
        assert sum(followers(state).values()) == pytest.approx(1), state
        if state != START:
            assert sum(LEXICON.words(state, False).values()) == pytest.approx(1), state
    assert {TAGS[state.kind] for state in reachable() - {START}} == set(TAGS.values())


def paths(words, state=START, place=0, p=1.0):
    """P and tags of every sequence of states that gives these words."""
    for other, step in followers(state).items():
        if other == STOP:
            if place == len(words):
                yield p * step, ()
        elif place < len(words):
            q = p * step * LEXICON.words(other, place == 0).get(words[place], 0.0)
            if q:
                for whole, tags in paths(words, other, place + 1, q):
                    yield whole, (TAGS[other.kind], *tags)


def test_probabilities_of_tags_equal_the_sum_over_all_sequences_of_states():
    short = [[word for word, _ in sentence] for sentence in SENTENCES if len(sentence) <= 9][:150]
    uncertain = 0
    for words in short:
        expected = [Counter() for _ in words]
        for p, tags in paths(words):
            for counts, tag in zip(expected, tags, strict=True):
                counts[tag] += p
        for found, sums in zip(MAKER["tag_probabilities"](words, LEXICON), expected, strict=True):
            total = sum(sums.values())
            assert found == pytest.approx({tag: sums[tag] / total for tag in found}) and sums.keys() <= found.keys()
            uncertain += max(found.values()) < 0.99
    assert uncertain > 5


def test_the_tags_of_the_file_are_right_as_often_as_their_probabilities_say():
    right = expected = variance = 0.0
    for sentence in SENTENCES[::3]:
        found = MAKER["tag_probabilities"]([word for word, _ in sentence], LEXICON)
        for tags, (_, tag) in zip(found, sentence, strict=True):
            best = max(tags, key=tags.get)
            right, expected = right + (tag == best), expected + tags[best]
            variance += tags[best] * (1 - tags[best])
    assert right == pytest.approx(expected, abs=4 * math.sqrt(variance))


def test_words_that_the_model_does_not_have_are_an_error():
    with pytest.raises(ValueError, match="this is no sentence of the model: Hello world"):
        MAKER["tag_probabilities"](["Hello", "world"], LEXICON)


def test_the_verb_agrees_with_its_subject_across_a_phrase():
    in_the_phrase = MAKER["State"]("noun", "phrase", number="p", subject="s")
    numbers = {state.number for state in followers(in_the_phrase) if state.kind in ("verb", "auxiliary")}
    assert in_the_phrase in reachable() and numbers == {"s"}
