"""Word tables of the translations that `make_translations.py` writes, and the forms of English words.

How the tables are read:

- a translation may depend on the kind of a noun (a key of `NOUNS`): that of the object for a verb with one, that of the
  subject for a verb without, that of its noun for an adjective or a postposition; a kind that is missing cannot occur;
- where several translations are given, chance decides, with the stated probabilities.

The words of the source are invented. Their endings tell what they are: -o nouns, -a verbs, -e adjectives, -is adverbs.
"""

import itertools
import random
from collections.abc import Iterable, Iterator

from choices import Options, Words

# English nouns by kind.
NOUNS = {
    "man": "king boy uncle",
    "woman": "queen girl aunt",
    "person": "child baker teacher",
    "animal": "dog cat wolf mouse goose",
    "food": "apple egg onion plum pie",
    "drink": "beer juice tea",
    "instrument": "flute harp drum",
    "text": "book letter map",
    "thing": "lamp box coat knife",
    "building": "house school tower",
    "surface": "bridge roof hill",
    "water": "river lake",
}
KINDS = {noun: kind for kind, nouns in NOUNS.items() for noun in nouns.split()}
PLURALS = {"child": "children", "wolf": "wolves", "mouse": "mice", "goose": "geese", "knife": "knives"}
SUBJECTS = ("man", "woman", "person", "animal")
PLACES = ("building", "surface", "water")
OBJECTS = tuple(kind for kind in NOUNS if kind not in PLACES)
# Each of these pairs is one word in the source. Without a context that decides, it is the first with this probability.
AMBIGUOUS = [("goose", "plum"), ("pie", "tea"), ("drum", "box"), ("map", "coat"), ("tower", "lake")]
FIRST_SENSE = 0.65


def by_kind(*parts: tuple[str, str]) -> dict[str, Options]:
    """Translations by the kind of a noun: pairs of kinds and words with weights, such as ("food drink", "tasty")."""
    found: dict[str, Options] = {}
    for kinds, words in parts:
        pairs = [word.partition(":") for word in words.split()]
        options = {word: float(weight or 1) for word, _, weight in pairs}
        found |= dict.fromkeys(OBJECTS + PLACES if kinds == "any" else kinds.split(), options)
    return found


# The verbs: their translations by the kind of the object; those without an object by the kind of the subject.
TRANSITIVE = [
    by_kind(("any", "see:0.75 watch:0.25")),
    by_kind(("food", "eat"), ("drink", "drink")),
    by_kind(("instrument", "play"), ("text", "read")),
    by_kind(("man woman person", "help"), ("animal", "feed")),
    by_kind(("text", "write"), ("food drink", "make"), ("instrument thing", "build")),
    by_kind(("thing instrument text food", "carry"), ("animal man woman person", "lead")),
    *(by_kind(("any", verb)) for verb in "find draw like want lose".split()),
    by_kind(("food drink animal instrument text thing", "buy:0.7 get:0.3")),
]
INTRANSITIVE = [
    by_kind(("any", "sleep")),
    by_kind(("any", "wait")),
    by_kind(("man woman person", "laugh"), ("animal", "howl")),
    by_kind(("any", "dance")),
    by_kind(("any", "arrive:0.7 come:0.3")),
]
PASTS = dict(
    pair.split()
    for pair in """see saw|eat ate|drink drank|read read|feed fed|write wrote|make made|build built|lead led|find found|
draw drew|choose chose|lose lost|buy bought|get got|sleep slept|come came""".replace("\n", "").split("|")
)
ADJECTIVES = [
    by_kind(("any", "big:0.7 large:0.3")),
    by_kind(("any", "small:0.7 little:0.3")),
    by_kind(("any", "ancient"), ("man woman person animal", "old"), ("food drink", "stale")),
    by_kind(("man woman person", "kind"), ("animal", "tame"), ("food drink", "tasty"), ("instrument thing", "useful")),
    by_kind(("food", "ripe")),
    by_kind(("drink", "cold")),
    by_kind(("instrument", "loud"), ("animal", "noisy")),
    by_kind(("text", "funny"), ("man woman person", "cheerful")),
    by_kind(("building", "empty"), ("water", "deep"), ("surface", "high")),
    *(by_kind(("any", adjective)) for adjective in "white black ugly new".split()),
    by_kind(("man woman person animal", "tired")),
]  # fmt: skip
POSTPOSITIONS = {
    "ul": by_kind(("building", "in"), ("surface", "on"), ("water", "at")),
    "ebi": by_kind((" ".join(PLACES), "near:0.8 by:0.2")),
    "ost": by_kind((" ".join(PLACES), "behind")),
}
# Adverbs of time, which tell the tense; without one, a particle after the verb does.
ADVERBS = {"past": "yesterday earlier", "present": "today now", "future": "tomorrow soon"}
TENSES = {"past": "ki", "present": "da", "future": "wo"}
NUMERALS = {"bai": "two", "tri": "three", "pent": "five", "zo": "many"}
MANY = {"le": "the", "sit": "these", **NUMERALS}  # determiners of several
BARE = {False: {"the": 0.7, "a": 0.3}, True: {"the": 0.7, "some": 0.3}}  # by number
NAMES = {"he": "oskaro velmo tirano dunelo", "she": "milara suneva orta elkina"}
# Pronouns of the subject: English, possessive, and whether the verb is that of several in the source.
PRONOUNS = {
    "mi": ("i", "my", False),
    "vu": ("you", "your", False),
    "nu": ("we", "our", True),
    "tan": ("they", "their", True),
}
HE_OR_SHE = {"he": 0.6, "she": 0.4}  # where nothing decides
POSSESSIVES = {"he": "his", "she": "her", "it": "its"}


def syllables(ending: str) -> Iterator[str]:
    """Invented words with this ending, in a random order."""
    generator = random.Random(f"words with {ending}")
    found = ["".join(parts) for parts in itertools.product("bdfgklmnprstvz", "aeiou", "l r n b m tr st".split())]
    generator.shuffle(found)
    return (one + ending for one in found)


def lexicon(translations: Iterable[dict[str, Options]], ending: str) -> dict[str, dict[str, Options]]:
    """An invented word for each entry of a list."""
    return dict(zip(syllables(ending), translations, strict=False))


VERBS = lexicon(TRANSITIVE + INTRANSITIVE, "a")
WITH_OBJECT = list(VERBS)[: len(TRANSITIVE)]
WITHOUT_OBJECT = list(VERBS)[len(TRANSITIVE) :]
ADJECTIVE_WORDS = lexicon(ADJECTIVES, "e")
ADVERB_WORDS = dict(zip(syllables("is"), itertools.chain(*(words.split() for words in ADVERBS.values())), strict=False))


def noun_senses() -> dict[str, Options]:
    """The senses of each noun of the source, with their probabilities where nothing decides."""
    senses = [{first: FIRST_SENSE, second: 1 - FIRST_SENSE} for first, second in AMBIGUOUS]
    senses += [{noun: 1.0} for noun in KINDS if noun not in itertools.chain(*AMBIGUOUS)]
    return dict(zip(syllables("o"), senses, strict=False))


SENSES = noun_senses()


def with_s(word: str) -> str:
    """The plural of a regular noun, or the form of a verb after "he".

    >>> with_s("carry"), with_s("watch"), with_s("play")
    ('carries', 'watches', 'plays')
    """
    if word.endswith("y") and word[-2] not in "aeou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("ch", "x", "to")) else "s")


def plural(noun: str) -> str:
    """The plural of a noun."""
    return PLURALS.get(noun, with_s(noun))


def past(verb: str) -> str:
    """The past of a verb.

    >>> past("carry"), past("like"), past("play"), past("see")
    ('carried', 'liked', 'played', 'saw')
    """
    if verb in PASTS:
        return PASTS[verb]
    if verb.endswith("y") and verb[-2] not in "aeou":
        return verb[:-1] + "ied"
    return verb + ("d" if verb.endswith("e") else "ed")


def with_an(words: Words) -> Words:
    """Write "an" where the next word begins with a vowel.

    >>> with_an(("a", "ugly", "a", "useful"))
    ('an', 'ugly', 'a', 'useful')
    """
    return tuple(
        "an" if word == "a" and after[0] in "aeiou" and after != "useful" else word
        for word, after in zip(words, (*words[1:], "."), strict=True)
    )
