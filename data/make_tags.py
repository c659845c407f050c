"""Write the sample of tagged sentences: nonsense made by a hidden Markov model, so that the best result is known.

The words are invented stems with English endings, and English function words: "The glimbles near her storvel fanded."
Many words have several tags ("the glimbles", "she glimbles"; "fanded" may be a verb or an adjective), and most stems
are rare, so that the tags of new words follow from their endings and neighbors. A state of the model is a place in a
sentence: its tag, and what the rest of the sentence depends on, above all the number of the subject, with which the
verb agrees also across a phrase. From the transitions (`followers`) and the words of each state (`Lexicon`) follow, by
the forward-backward algorithm, the probabilities of all tags of each word given its sentence. The best possible
accuracy is the mean of the largest of them, and the best possible loss the mean of their entropy.

Command line::

    python data/make_tags.py                    # write tags.tsv beside this file
    python data/make_tags.py --output FOLDER    # ... or elsewhere; also --seed, --sentences
    python data/make_tags.py --best             # the best possible accuracy and loss on tags.tsv

For import: `Lexicon`, `sample`, and `tag_probabilities`, which takes the words of a sentence. `--seed` draws other
sentences of the same words.
"""

import argparse
import itertools
import math
import random
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

FOLDER = Path(__file__).resolve().parent
DEFAULT_SEED = 20261126
DEFAULT_SENTENCES = 4000
EXPONENT = 0.9  # the weight of the stem of rank r is (r + 1) ** -EXPONENT

ONSETS = "b bl br cl cr d dr f fl fr gl gr h j kl kn l m n pl pr qu sk sm sn sp st t tr tw v w y z".split()
RIMES = """imble orvel andle empt oster indle ummer olm arven elgo azzle urp inter alder eaven odge irk ombard ansk
orn eddle oint impet arvest undle iver oggin ellar ast umen""".split()
# The endings that turn a stem into a word of an open class, with weights. "" leaves the stem as it is.
ENDINGS = {
    "noun": {"": 50, "er": 14, "ness": 12, "ation": 12, "ist": 6, "ing": 6},
    "verb": {"": 60, "ize": 20, "en": 20},
    "adjective": {"": 25, "ful": 20, "ish": 15, "ous": 15, "ed": 13, "ing": 12},
    "name": {"": 40, "son": 20, "a": 20, "ton": 20},
}
# Words of closed classes, with weights: the commonest first. s and p: of a singular or a plural.
WORDS = {
    "determiner s": "the a this that her his every no",
    "determiner p": "the these some her his many no",
    "subject s": "she he it this that",
    "subject p": "they we you these",
    "object": "him her them it that us",
    "preposition": "of in near to with after like before",
    "auxiliary s": "is was has",
    "auxiliary p": "are were have",
    "conjunction": "and but or so",
    "subjunction": "that because after before while",
    "to": "to",
    "not": "not never",
    "number": "two three seven 12 40 1,500",
    "end": ". ! ?",
    "comma": ",",
}
TAGS = {
    "determiner": "DET", "adjective": "ADJ", "noun": "NOUN", "compound": "NOUN", "name": "PROPN", "subject": "PRON",
    "object": "PRON", "preposition": "ADP", "verb": "VERB", "past": "VERB", "participle": "VERB", "base": "VERB",
    "auxiliary": "AUX", "adverb": "ADV", "conjunction": "CCONJ", "subjunction": "SCONJ", "to": "PART", "not": "PART",
    "number": "NUM", "end": "PUNCT", "comma": "PUNCT",
}  # fmt: skip


class State(NamedTuple):
    """A place in a sentence.

    Attributes
    ----------
    kind : str
        The kind of the word: a key of `TAGS`.
    place : {"subject", "phrase", "verb", "rest"}
        In the subject; in a phrase between subject and verb; before the verb; or elsewhere.
    number : {"s", "p", ""}
        Singular or plural of the noun phrase or of the verb that the word is in.
    subject : {"s", "p", ""}
        The number of the subject whose verb is still to come, from a phrase after it on.
    """

    kind: str
    place: str = "rest"
    number: str = ""
    subject: str = ""


Choices = dict[State, float]
START, STOP = State("start"), State("stop")


def noun_phrase(place: str, subject: str = "") -> Choices:
    """How a noun phrase begins."""
    pronoun = "subject" if place == "subject" else "object"
    singular = {"determiner": 0.4, pronoun: 0.1, "name": 0.1}
    plural = {"determiner": 0.24, pronoun: 0.08, "adjective": 0.04, "number": 0.04}
    return {
        State(kind, place, number, subject): p
        for number, kinds in (("s", singular), ("p", plural))
        for kind, p in kinds.items()
    }


def followers(state: State) -> Choices:
    """The states that may follow a state, with their probabilities."""
    kind, place, number, subject = state
    if kind == "start":
        return mixture((0.9, noun_phrase("subject")), (0.1, {State("adverb", "subject"): 1.0}))
    if kind == "end":
        return {STOP: 1.0}
    if kind == "comma":
        return {State("conjunction"): 1.0}
    if kind in ("conjunction", "subjunction") or (kind == "adverb" and place == "subject"):
        return noun_phrase("subject")
    if kind == "preposition":
        return noun_phrase("phrase", subject) if place == "verb" else noun_phrase("rest")
    if number and kind in ("determiner", "number", "adjective"):
        more = {"determiner": 0.35, "number": 0.25, "adjective": 0.12}[kind]
        kinds = {"adjective": more, "compound": 0.15, "noun": 0.85 - more}
        return {state._replace(kind=kind): p for kind, p in kinds.items()}
    if kind == "compound":
        return {state._replace(kind="noun"): 1.0}
    if kind in ("noun", "name", "subject", "object"):
        if place == "subject":
            return mixture((0.3, {State("preposition", "verb", "", number): 1.0}), (0.7, to_the_verb(number)))
        return to_the_verb(subject) if place == "phrase" else rest()
    if kind == "adverb" and place == "verb":
        return to_the_verb(subject, adverb=0)
    if kind == "auxiliary":
        return mixture((0.18, {State("not"): 1.0}), (0.82, complement()))
    if kind in ("to", "not"):
        return {State("base"): 1.0} if kind == "to" else complement()
    if kind in ("verb", "past", "base", "participle"):
        return mixture((0.45, noun_phrase("rest")), (0.1, {State("to"): 1.0}), (0.45, rest()))
    return rest()


def to_the_verb(subject: str, adverb: float = 0.1) -> Choices:
    """The verb of a subject, perhaps with an adverb before it."""
    verbs = {State("verb", "rest", subject): 0.5, State("past"): 0.2, State("auxiliary", "rest", subject): 0.3}
    return mixture((adverb, {State("adverb", "verb", "", subject): 1.0}), (1 - adverb, verbs))


def complement() -> Choices:
    """What follows "is", "has" and "not"."""
    return {State("participle"): 0.55, State("adjective"): 0.45}


def rest() -> Choices:
    """What follows a verb and what belongs to it."""
    kinds = {"preposition": 0.24, "adverb": 0.08, "conjunction": 0.07, "comma": 0.05, "subjunction": 0.06, "end": 0.5}
    return {State(kind): p for kind, p in kinds.items()}


def mixture(*parts: tuple[float, Choices]) -> Choices:
    """Add up weighted choices."""
    total: Choices = {}
    for weight, choices in parts:
        for state, p in choices.items():
            if weight:
                total[state] = total.get(state, 0.0) + weight * p
    return total


class Lexicon:
    """The words of each state, with their probabilities. The stems and their frequencies are drawn from a seed."""

    def __init__(self, seed: int = DEFAULT_SEED) -> None:
        generator = random.Random(seed)
        stems = [onset + rime for onset, rime in itertools.product(ONSETS, RIMES)]
        self.open: dict[str, dict[str, float]] = {}
        for name, endings in ENDINGS.items():
            generator.shuffle(stems)
            weights = {stem: (rank + 1) ** -EXPONENT for rank, stem in enumerate(stems)}
            self.open[name] = normalized(
                (joined(stem, ending), weight * share)
                for stem, weight in weights.items()
                for ending, share in endings.items()
            )
        self._words: dict[tuple[str, bool], dict[str, float]] = {}

    def words(self, state: State, is_first: bool) -> dict[str, float]:
        """P(word | state); the first word of a sentence has a capital."""
        name = next(name for name in (f"{state.kind} {state.number}", state.kind) if name in FORMS or name in WORDS)
        key = name, is_first
        if key not in self._words:
            if name in WORDS:
                pairs = [(word, 1 / (rank + 1)) for rank, word in enumerate(WORDS[name].split())]
            else:
                source, form = FORMS[name]
                pairs = [(form(word), p) for word, p in self.open[source].items()]
                if name == "adverb":
                    pairs = [*pairs, *((word, 1 / (rank + 3)) for rank, word in enumerate(ADVERBS.split()))]
            self._words[key] = normalized((capital(word) if is_first else word, p) for word, p in pairs)
        return self._words[key]


def joined(word: str, ending: str) -> str:
    """A word with an ending: an e is not written twice.

    >>> joined("glimble", "s"), joined("glimble", "ed")
    ('glimbles', 'glimbled')
    """
    return word[:-1] + ending if word.endswith("e") and ending[:1] in "aeio" and ending else word + ending


def capital(word: str) -> str:
    """A word with a capital."""
    return word[:1].upper() + word[1:]


ADVERBS = "often never so soon fast there"
# How the words of an open class are made of its stems and endings: the class, and the form of a word.
FORMS: dict[str, tuple[str, Callable[[str], str]]] = {
    "noun s": ("noun", str),
    "compound": ("noun", str),
    "noun p": ("noun", lambda word: word + ("es" if word.endswith("s") else "s")),
    "name": ("name", capital),
    "adjective": ("adjective", str),
    "adverb": ("adjective", lambda word: joined(word, "ly")),
    "verb s": ("verb", lambda word: word + "s"),
    "verb p": ("verb", str),
    "base": ("verb", str),
    "past": ("verb", lambda word: joined(word, "ed")),
    "participle": ("verb", lambda word: joined(word, "ing" if zlib.crc32(word.encode()) % 2 else "ed")),
}


def normalized(pairs: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Add up the weights of equal words, and divide by the sum."""
    total: dict[str, float] = {}
    for word, weight in pairs:
        total[word] = total.get(word, 0.0) + weight
    whole = sum(total.values())
    return {word: weight / whole for word, weight in total.items()}


def sample(generator: random.Random, lexicon: Lexicon) -> list[tuple[str, str]]:
    """The words of a sentence and their tags."""
    sentence: list[tuple[str, str]] = []
    state = drawn(followers(START), generator)
    while state != STOP:
        sentence.append((drawn(lexicon.words(state, not sentence), generator), TAGS[state.kind]))
        state = drawn(followers(state), generator)
    return sentence


T = TypeVar("T")


def drawn(choices: Mapping[T, float], generator: random.Random) -> T:
    """One of the choices."""
    return generator.choices(list(choices), list(choices.values()))[0]


def tag_probabilities(words: Sequence[str], lexicon: Lexicon) -> list[dict[str, float]]:
    """P(tag | sentence) of each word, by the forward-backward algorithm.

    >>> found = tag_probabilities("They glimble her .".split(), Lexicon())
    >>> [max(tags, key=tags.get) for tags in found]
    ['PRON', 'VERB', 'PRON', 'PUNCT']
    """
    forward: list[Choices] = []
    for place, word in enumerate(words):
        before = forward[-1] if place else {START: 1.0}
        reached = mixture(*((p, followers(state)) for state, p in before.items()))
        at_word = {
            state: p * lexicon.words(state, place == 0).get(word, 0.0) for state, p in reached.items() if state != STOP
        }
        whole = sum(at_word.values())
        if not whole:
            raise ValueError(f"this is no sentence of the model: {' '.join(words)}")
        forward.append({state: p / whole for state, p in at_word.items() if p})
    found: list[dict[str, float]] = []
    backward: Choices = {STOP: 1.0}  # of the states after this place, times P(word | state) there
    for place in range(len(words) - 1, -1, -1):
        ahead = {
            state: sum(backward.get(one, 0.0) * p for one, p in followers(state).items()) for state in forward[place]
        }
        joint = {state: p * ahead[state] for state, p in forward[place].items()}
        whole = sum(joint.values())
        tags: dict[str, float] = {}
        for state, p in joint.items():
            tags[TAGS[state.kind]] = tags.get(TAGS[state.kind], 0.0) + p / whole
        found.insert(0, tags)
        largest = max(ahead.values())
        backward = {state: p / largest * lexicon.words(state, place == 0)[words[place]] for state, p in ahead.items()}
    return found


def best_possible(sentences: Iterable[Sequence[str]], lexicon: Lexicon) -> tuple[float, float]:
    """The accuracy and the loss in nats that nobody can expect to surpass on these sentences."""
    found = [tags for words in sentences for tags in tag_probabilities(words, lexicon)]
    accuracy = sum(max(tags.values()) for tags in found) / len(found)
    return accuracy, -sum(p * math.log(p) for tags in found for p in tags.values() if p) / len(found)


def read_tagged(path: Path) -> Iterator[list[tuple[str, str]]]:
    """The sentences of a file that this script has written: words with their tags."""
    for block in path.read_text(encoding="utf-8").strip("\n").split("\n\n"):
        yield [(word, tag) for word, tag in (line.split("\t") for line in block.split("\n"))]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Write tags.tsv, a sample of tagged sentences.")
    parser.add_argument("--output", type=Path, default=FOLDER, metavar="FOLDER")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--sentences", type=int, default=DEFAULT_SENTENCES, metavar="N")
    parser.add_argument("--best", action="store_true", help="print the best possible accuracy and loss on tags.tsv")
    arguments = parser.parse_args(argv)
    path, lexicon = arguments.output / "tags.tsv", Lexicon()
    if arguments.best:
        sentences = [[word for word, _ in sentence] for sentence in read_tagged(path)]
        accuracy, loss = best_possible(sentences, lexicon)
        print(f"sentences  {len(sentences)}\nwords      {sum(map(len, sentences))}")
        print(f"accuracy   {100 * accuracy:.2f} %\nloss       {loss:.4f} nats")
        return
    generator = random.Random(arguments.seed)
    with open(path, "w", encoding="utf-8", newline="") as file:
        for _ in range(arguments.sentences):
            file.write("".join(f"{word}\t{tag}\n" for word, tag in sample(generator, lexicon)) + "\n")


if __name__ == "__main__":
    main()
