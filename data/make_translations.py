"""Write the sample of translations: sentences of an invented language with English ones, so that the best is known.

The language puts the verb last, adjectives and articles after their nouns, postpositions after phrases, the owner
before what is owned, and the reason before what it explains. What English needs stands elsewhere in the sentence: the
verb tells the number of the subject ("dralan": several), the particle after the object its number, and an adverb of
time, if there is one, the tense; "su" is "his", "her", "its", "my" … after the subject. Some words have several
translations, and the context decides: the object tells whether a verb means "eat" or "drink", the verb or an adjective
whether a noun means "goose" or "plum", the noun whether a postposition means "in", "on" or "at". A few choices are left
to chance, such as "big" or "large", "he" or "she", the article of a noun without one, and the place of an adverb. From
their probabilities follows P(target | source) (`translations`), which a sum over all choices computes exactly.

Command line::

    python data/make_translations.py                    # write translations.tsv beside this file
    python data/make_translations.py --output FOLDER    # ... or elsewhere; also --seed, --pairs
    python data/make_translations.py --best             # the best possible BLEU and perplexity on these pairs

For import, with this folder on `sys.path`: `pairs`, which draws them, and `translations`. `--seed` draws other
sentences of the same words, which are those of `translation_words.py`.
"""

import argparse
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from choices import Choices, Options, Words, bleu, fixed, joined, mixture, most_probable, one_of
from translation_words import (
    ADJECTIVE_WORDS,
    ADVERB_WORDS,
    ADVERBS,
    BARE,
    HE_OR_SHE,
    KINDS,
    MANY,
    NAMES,
    NUMERALS,
    OBJECTS,
    PLACES,
    POSSESSIVES,
    POSTPOSITIONS,
    PRONOUNS,
    SENSES,
    SUBJECTS,
    TENSES,
    VERBS,
    WITH_OBJECT,
    WITHOUT_OBJECT,
    past,
    plural,
    with_an,
    with_s,
)

FOLDER = Path(__file__).resolve().parent
DEFAULT_SEED = 20261127
DEFAULT_PAIRS = 8000
SHORTEST, LONGEST = 4, 14  # words of a sentence, both in the source and in each of its translations
EXPONENT = 0.25  # the weight of the word of rank r is (r + 2) ** -EXPONENT
INITIAL = 0.25  # P(an adverb comes first)


class Phrase(NamedTuple):
    """A noun with what belongs to it, or a name or a pronoun. Words are those of the source."""

    noun: str
    plural: bool = False
    determiner: str = ""
    adjectives: Words = ()
    owner: "Phrase | None" = None


class Clause(NamedTuple):
    """A verb with its phrases."""

    subject: Phrase
    verb: str
    tense: str
    object: Phrase | None = None
    place: tuple[str, Phrase] | None = None  # with its postposition
    adverb: str = ""
    negated: bool = False


class Sentence(NamedTuple):
    """A clause, perhaps with a reason; or a question."""

    main: Clause
    reason: Clause | None = None
    is_question: bool = False


def senses_in(phrase: Phrase, kinds: Mapping[str, Options] | Sequence[str]) -> Options:
    """The senses that a noun may have beside its adjectives, and among these kinds."""
    found = {
        sense: p
        for sense, p in SENSES[phrase.noun].items()
        if KINDS[sense] in kinds and all(KINDS[sense] in ADJECTIVE_WORDS[word] for word in phrase.adjectives)
    }
    total = sum(found.values())
    return {sense: p / total for sense, p in found.items()}


# The source


class Speaker:
    """Draws sentences from a seed."""

    def __init__(self, seed: int = DEFAULT_SEED) -> None:
        self.random = random.Random(seed)

    def happens(self, percent: float) -> bool:
        """True with this probability."""
        return self.random.random() < percent / 100

    def word(self, words: Sequence[str]) -> str:
        """A word of a list; the first are the most frequent."""
        return self.random.choices(words, [(rank + 2) ** -EXPONENT for rank in range(len(words))])[0]

    def phrase(self, kinds: Sequence[str] | Mapping[str, Options], plural: float, details: float = 35) -> Phrase:
        """A noun of one of these kinds, with its determiner, and perhaps adjectives or an owner."""
        nouns = [noun for noun, senses in SENSES.items() if any(KINDS[sense] in kinds for sense in senses)]
        phrase = Phrase(self.random.choice(nouns), self.happens(plural))
        if self.happens(details):
            for _ in range(1 + self.happens(12)):
                used = phrase.adjectives
                fitting = [word for word in ADJECTIVE_WORDS if word not in used]
                fitting = [word for word in fitting if senses_in(phrase._replace(adjectives=(*used, word)), kinds)]
                phrase = phrase._replace(adjectives=(*used, self.random.choice(fitting)))
        words = ("le", *NUMERALS, "sit", "") if phrase.plural else ("le", "un", "sit", "")
        weights = (8, 2, 2, 1, 2, 4, 2) if phrase.plural else (8, 5, 3, 2)
        return phrase._replace(determiner=self.random.choices(words, weights)[0])

    def subject(self) -> Phrase:
        """A subject."""
        kind = self.random.random()
        if kind < 0.12:
            return Phrase(self.random.choice(NAMES["he"].split() + NAMES["she"].split()))
        if kind < 0.26:
            noun = self.random.choice(["ta", "ta", *PRONOUNS])
            return Phrase(noun, noun in PRONOUNS and PRONOUNS[noun][2])
        phrase = self.phrase(SUBJECTS, 40)
        if self.happens(15):
            owner = self.phrase(("man", "woman", "person"), 0, 0)
            phrase = phrase._replace(owner=owner, determiner="le" if phrase.plural else self.word(("le", "un")))
        return phrase

    def clause(self) -> Clause:
        """A clause."""
        subject, tense = self.subject(), self.random.choices(list(TENSES), (45, 35, 20))[0]
        negated = self.happens(15)
        if self.happens(25):
            verb = self.random.choice(WITHOUT_OBJECT)
            clause = Clause(subject, verb, tense, negated=negated)
        else:
            verb = self.word(WITH_OBJECT)
            thing = self.phrase([kind for kind in VERBS[verb] if kind in OBJECTS], 35)
            if self.happens(25):
                thing = thing._replace(determiner="su")
            clause = Clause(subject, verb, tense, thing, negated=negated)
        if self.happens(30 if clause.object else 60):
            place = self.phrase(PLACES, 15, 30)
            if place.plural:  # nothing else would tell the number
                place = place._replace(determiner=self.word(list(NUMERALS)))
            clause = clause._replace(place=(self.word(list(POSTPOSITIONS)), place))
        if self.happens(30):
            fitting = [one for one, word in ADVERB_WORDS.items() if word in ADVERBS[tense].split()]
            clause = clause._replace(adverb=self.word(fitting))
        return clause

    def sentence(self) -> Sentence:
        """A sentence of a permitted length."""
        while True:
            sentence, kind = Sentence(self.clause()), self.random.random()
            if kind < 0.15:
                sentence = sentence._replace(is_question=True)
            elif kind < 0.45:
                reason = Clause(Phrase("ta"), self.random.choice(WITHOUT_OBJECT), sentence.main.tense)
                sentence = sentence._replace(reason=reason, main=sentence.main._replace(adverb=""))
            lengths = [len(source(sentence)), *map(len, translations(sentence))]
            if SHORTEST <= min(lengths) and max(lengths) <= LONGEST:
                return sentence


def phrase_words(phrase: Phrase) -> list[str]:
    """A phrase in the source."""
    owner = [*phrase_words(phrase.owner), "no"] if phrase.owner else []
    return [*owner, phrase.noun, *phrase.adjectives, *([phrase.determiner] if phrase.determiner else [])]


def clause_words(clause: Clause) -> list[str]:
    """A clause in the source."""
    words = [clause.adverb] if clause.adverb else []
    words += [*phrase_words(clause.subject), "na"]
    if clause.place:
        words += [*phrase_words(clause.place[1]), clause.place[0]]
    if clause.object:
        words += [*phrase_words(clause.object), "rom" if clause.object.plural else "ro"]
    words += [*(["ne"] if clause.negated else []), clause.verb + "n" * clause.subject.plural]
    return words if clause.adverb else [*words, TENSES[clause.tense]]


def source(sentence: Sentence) -> Words:
    """The words of a sentence in the source. No two sentences have the same."""
    before = [*clause_words(sentence.reason), "yun", ","] if sentence.reason else []
    return (*before, *clause_words(sentence.main), *(["ka", "?"] if sentence.is_question else ["."]))


# The target


def english(phrase: Phrase, sense: str, possessive: str = "") -> Choices:
    """A phrase in English, its noun in one of its senses."""
    determiners = MANY if phrase.plural else {"le": "the", "un": "a", "sit": "this"}
    determiner = one_of(BARE[phrase.plural])
    if phrase.determiner:
        determiner = fixed(possessive if phrase.determiner == "su" else determiners[phrase.determiner])
    adjectives = [one_of(ADJECTIVE_WORDS[word][KINDS[sense]]) for word in phrase.adjectives]
    noun = plural(sense) if phrase.plural else sense
    owner = fixed()
    if phrase.owner:
        owner = mixture(
            (p, joined(fixed("of"), english(phrase.owner, person))) for person, p in SENSES[phrase.owner.noun].items()
        )
    return joined(determiner, *adjectives, fixed(noun), owner)


def genders(subject: Phrase) -> Options:
    """The pronoun that stands for a subject, with its probabilities; empty for what is not "he", "she" or "it"."""
    if subject.noun in PRONOUNS or subject.plural:
        return {}
    if subject.noun in SENSES:
        (sense,) = senses_in(subject, SUBJECTS)
        return {"man": {"he": 1.0}, "woman": {"she": 1.0}, "animal": {"it": 1.0}}.get(KINDS[sense], HE_OR_SHE)
    return next(({pronoun: 1.0} for pronoun, names in NAMES.items() if subject.noun in names.split()), HE_OR_SHE)


def english_subject(subject: Phrase, gender: str) -> tuple[Choices, str, str]:
    """A subject in English, its possessive, and its kind."""
    possessive = POSSESSIVES.get(gender, "their")
    if subject.noun in PRONOUNS:
        pronoun, possessive, _ = PRONOUNS[subject.noun]
        return fixed(pronoun), possessive, "person"
    if subject.noun in SENSES:
        (sense,) = senses_in(subject, SUBJECTS)
        return english(subject, sense), possessive, KINDS[sense]
    return fixed(gender if subject.noun == "ta" else subject.noun), possessive, "animal" if gender == "it" else "person"


def verb_forms(base: str, clause: Clause, is_third: bool, needs_auxiliary: bool) -> tuple[Words, str]:
    """The auxiliary, if there is one, and the verb."""
    if clause.tense == "future":
        return ("will",), base
    if needs_auxiliary or clause.negated:
        return ("did" if clause.tense == "past" else "does" if is_third else "do",), base
    if clause.tense == "past":
        return (), past(base)
    return (), with_s(base) if is_third else base


def english_clause(clause: Clause, gender: str, is_question: bool = False) -> Choices:
    """A clause in English whose subject has this pronoun, "" for those of several."""
    subject, possessive, kind = english_subject(clause.subject, gender)
    places = fixed()
    if clause.place:
        translation, phrase = POSTPOSITIONS[clause.place[0]], clause.place[1]
        places = mixture(
            (p, joined(one_of(translation[KINDS[sense]]), english(phrase, sense)))
            for sense, p in senses_in(phrase, PLACES).items()
        )
    verbs, parts = VERBS[clause.verb], []
    senses = senses_in(clause.object, [kind for kind in verbs if kind in OBJECTS]) if clause.object else {"": 1.0}
    for sense, p in senses.items():
        thing = english(clause.object, sense, possessive) if clause.object else fixed()
        for base, q in verbs[KINDS[sense] if sense else kind].items():
            auxiliary, verb = verb_forms(base, clause, bool(gender), is_question)
            negation = fixed("not") if clause.negated else fixed()
            start = [fixed(*auxiliary), subject] if is_question else [subject, fixed(*auxiliary)]
            parts.append((p * q, joined(*start, negation, fixed(verb), thing)))
    whole = joined(mixture(parts), places)
    if not clause.adverb:
        return whole
    adverb = fixed(ADVERB_WORDS[clause.adverb])
    first = 0.0 if is_question else INITIAL
    return mixture([(1 - first, joined(whole, adverb)), (first, joined(adverb, whole))])


def translations(sentence: Sentence) -> Choices:
    """P(target | source): all translations of a sentence with their probabilities."""
    main, reason, is_question = sentence
    parts = []
    for gender, p in (genders(main.subject) or {"": 1.0}).items():
        whole = english_clause(main, gender, is_question)
        if reason:
            others = {gender: 1.0} if gender else HE_OR_SHE  # "ta" is the subject of the main clause if it can be
            reasons = mixture((q, english_clause(reason, other)) for other, q in others.items())
            whole = joined(whole, fixed("because"), reasons)
        parts.append((p, joined(whole, fixed("?" if is_question else "."))))
    return {with_an(words): p for words, p in mixture(parts).items()}


# The pairs and the best possible results


class Pair(NamedTuple):
    """A sentence with one of its translations."""

    sentence: Sentence
    source: Words
    target: Words


def pairs(seed: int = DEFAULT_SEED, count: int = DEFAULT_PAIRS) -> Iterator[Pair]:
    """Draw pairs; no source occurs twice."""
    speaker, seen = Speaker(seed), set()
    while len(seen) < count:
        sentence = speaker.sentence()
        words, found = source(sentence), translations(sentence)
        if words not in seen:
            seen.add(words)
            yield Pair(sentence, words, speaker.random.choices(list(found), list(found.values()))[0])


def best_possible(drawn: Iterable[Pair]) -> tuple[float, float]:
    """BLEU of the most probable translations, and the perplexity per word with the true probabilities."""
    outputs, references, loss = [], [], 0.0
    for pair in drawn:
        found = translations(pair.sentence)
        outputs.append(most_probable(found))
        references.append([pair.target])
        loss -= math.log(found[pair.target])
    return bleu(outputs, references)[-1], math.exp(loss / sum(len(words) + 1 for (words,) in references))


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Write translations.tsv, a sample of sentences with translations.")
    parser.add_argument("--output", type=Path, default=FOLDER, metavar="FOLDER")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--pairs", type=int, default=DEFAULT_PAIRS, metavar="N")
    parser.add_argument("--best", action="store_true", help="print the best possible BLEU and perplexity")
    arguments = parser.parse_args(argv)
    drawn = list(pairs(arguments.seed, arguments.pairs))
    if arguments.best:
        best, perplexity = best_possible(drawn)
        print(f"pairs       {len(drawn)}\nwords       {sum(len(pair.target) for pair in drawn)}")
        print(f"BLEU        {best:.2f}\nperplexity  {perplexity:.4f}")
        return
    with open(arguments.output / "translations.tsv", "w", encoding="utf-8", newline="") as file:
        for pair in drawn:
            file.write(f"{' '.join(pair.source)}\t{' '.join(pair.target)}\n")


if __name__ == "__main__":
    main()
