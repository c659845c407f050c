"""Write the corpus of theano_rnn: comments made by a seeded probabilistic grammar, with their exact probabilities.

A comment draws one of four topics and then one to six sentences, each independently from the grammar of its topic.
The probability of a sentence by itself sums the topic out,

    P(sentence) = sum over topics of P(topic) * P(sentence | topic),

and P(sentence | topic) sums over all derivations of its lower-cased tokens (the inside algorithm), so that it is exact
even where a sentence can be derived in several ways. The mean of -log P(sentence), divided by the mean number of tokens
with one sentence end a sentence, is the per-word entropy of the source: no model of sentences can expect a smaller loss
on held-out sentences.

Command line::

    python data/make_comments.py                      # write comments.csv and agreement.tsv beside this file
    python data/make_comments.py --output folder      # ... or elsewhere; also --seed, --sentences, --pairs
    python data/make_comments.py --entropy            # per-word entropy over comments.csv (or over a given file)

For import: `load_grammar`, `sentence_log_probability`, `corpus_entropy`, `tokenise`, `split_sentences`,
`read_comments`, `make_comments`, `agreement_pairs`, and `Grammar` for a grammar of other rules and words.

The notation of the rules (`RULES` below, and `rules` of the topics in words.py): one rule a line,
`LEFT: weight symbols | weight symbols ...`; several lines for one left side add up. `<>` is the empty sequence, `X?20`
is X with a probability of 20 %, `a:X` is a word of the list X after its article "a" or "an", `^` makes the next word
begin with a capital letter. What no rule and no word list defines is a word. Variables stand for all their values, with
the weights that the topic gives them: `{c}` a noun class, `{d}` a class that `{c}` acts upon, `{s}` a class that acts
upon `{c}`, `{p}` a class in whose place `{c}` can be, `{o}` a class that people act upon, `{n}` and `{m}` numbers (sg,
pl). A variable keeps its value within one alternative; this is how subject and verb agree.

The file is longer than 400 lines because it is self-contained: a hundred lines of rules, the code that reads, samples
and sums them, and the command line. The word lists are in words.py.
"""

import argparse
import csv
import functools
import math
import random
import re
import runpy
import sys
from collections import Counter
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
DEFAULT_SEED = 20150917
DEFAULT_SENTENCES = 20000
DEFAULT_PAIRS = 440
SENTENCES_PER_COMMENT = (16, 25, 25, 17, 10, 7)  # weights of one to six sentences
NUMBERS = {"sg": 58, "pl": 42}
# Zipf-Mandelbrot: the weight of the word of rank r (from 1) is (r + RANK_OFFSET) ** -exponent. The lists of a topic are
# the steepest, for else few of their words would be common enough to learn who does what; the lists whose words can
# stand for each other anywhere (names, places) are the flattest, and make most of the long tail.
RANK_OFFSET = 1.0
TOPIC_EXPONENT = 2.0
SHARED_EXPONENT = 1.2
TAIL_EXPONENT = 0.6
TAIL_LISTS = ("NAME", "THING")
MIN_COUNT_IN_PAIRS = 10  # how often the noun and both verb forms of an agreement pair stand in the comments
VOWEL_SOUND = {"hourglass"}
CONSONANT_SOUND = {"one-sided", "ukulele", "unicycle", "unique", "useless"}

RULES = """
START: 74 MAIN ENDING . | 8 YESNO ? | 6 WHQ ? | 6 EXCLAIM ! | 4 QUOTE | 4 SOCIAL
MAIN: 34 CLAUSE | 17 FRONT , PRESENT | 30 OPINION CLAUSE | 11 FIRST | 8 REMARK | 4 JUDGED
ENDING: 42 <> | 40 , CLOSING | 8 ASIDE | 10 CONJ SECOND
SECOND: 50 SNP.{c}.{n} COPULA.{c}.{n} | 50 PRONOUNCLAUSE
COPULA.{c}.{n}: 1 BE.{n} DEGREE?25 ADJ.{c}

FRONT: 30 FRONTWORD | 25 TIME | 45 FRONTPHRASE
FRONTPHRASE: 8 to be honest | 6 in my humble opinion | 5 at the end of the day | 4 as ADDRESSEE said
FRONTPHRASE: 3 for some reason
CLOSING: 10 as far as I know | 9 if you ask me | 6 for what it 's worth | 5 to say the least
CLOSING: 12 which is a shame , if you ask me
CLOSING: 10 and I have no idea why | 9 but what do I know about it | 9 and that is the whole point of it
CLOSING: 8 but nobody seems to care about it | 8 at least that 's what I hear from my KIN
CLOSING: 8 and there is nothing we can do about it | 6 but maybe I 'm just being silly
JUDGED: 40 ACTIVITY is DEGREE?30 ADJALL | 15 ACTIVITY always cheers me up | 15 ACTIVITY takes NUMBERWORD hours a week
JUDGED: 15 ACTIVITY is much harder than ACTIVITY | 15 ACTIVITY is good for my KIN
CLAUSE: 66 NP.{c}.{n} VP.{c}.{n} | 8 NP.{c}.{n} PAST | 26 PRONOUNCLAUSE
PRESENT: 80 NP.{c}.{n} VP.{c}.{n} | 20 PRONOUNCLAUSE
PRONOUNCLAUSE: 26 it VP.{c}.sg | 18 they VP.{c}.pl | 8 she VP.P.sg | 8 he VP.P.sg
PRONOUNCLAUSE: 8 it BE.sg not that ADJALL | 5 it BE.sg not worth it | 8 they BE.pl all the same to me
PRONOUNCLAUSE: 10 it BE.sg the same in PLACE
PRONOUNCLAUSE: 8 there BE.sg nothing wrong with SNP.{c}.{n} | 8 nobody really cares about SNP.{c}.{n}

NP.{c}.{n}: 100 SNP.{c}.{n} POST.{c}.{n}
NP.P.sg: 24 NAMED
NAMED: 9 NAME | 6 my KIN | 3 my friend NAME
POST.{c}.sg: 72 <> | 7 PP.{c} | 19 RC.{c}.sg | 2 ( the ADJ.{c} one )
POST.{c}.pl: 72 <> | 7 PP.{c} | 19 RC.{c}.pl | 2 ( the ADJ.{c} ones )
SNP.{c}.sg: 28 the NBAR.{c}.sg | 24 this NBAR.{c}.sg | 14 POSS NBAR.{c}.sg | 15 INDEF.{c} | 10 every NBAR.{c}.sg
SNP.{c}.pl: 22 the NBAR.{c}.pl | 24 these NBAR.{c}.pl | 10 POSS NBAR.{c}.pl | 11 most NBAR.{c}.pl | 9 many NBAR.{c}.pl
SNP.{c}.pl: 5 some NBAR.{c}.pl | 5 a lot of NBAR.{c}.pl | 6 all of the NBAR.{c}.pl | 4 several NBAR.{c}.pl
SNP.{c}.pl: 4 NUMBERWORD NBAR.{c}.pl | 5 NBAR.{c}.pl
POSS: 66 my | 16 our | 10 your | 4 NAME 's | 4 my KIN 's
NBAR.{c}.{n}: 80 N.{c}.{n} | 20 ADJ.{c} N.{c}.{n}
INDEF.{c}: 70 a:N.{c}.sg | 8 a:ADJX.{c} N.{c}.sg | 22 a:ADJALL N.{c}.sg
ADJ.{c}: 18 ADJX.{c} | 82 ADJALL
PP.{c}: 1 PREP.{c}.{p} RNP.{p}
RNP.{c}: 70 the N.{c}.{m} | 23 my N.{c}.{m} | 7 a:N.{c}.sg
RC.{c}.{n}: 34 that OSNP.{s}.{m} TV.{s}.{c}.{m} | 14 that PRONOUN TV.P.{c}.pl | 52 WHO.{c} VREL.{c}.{n}
OSNP.{c}.{n}: 70 the N.{c}.{n} | 22 my N.{c}.{n}
OSNP.P.sg: 12 NAME
PRONOUN: 60 I | 25 we | 10 you | 5 they
VREL.{c}.{n}: 34 IV.{c}.{n} | 38 TV.{c}.{d}.{n} RNP.{d} | 28 BE.{n} ADJ.{c}

VP.{c}.{n}: 11 FREQ?10 IV.{c}.{n} TAIL | 18 FREQ?10 SHARED.{n} | 25 FREQ?8 TV.{c}.{d}.{n} OBJ.{d} TIME?15
VP.{c}.{n}: 22 COPULA.{c}.{n}
VP.{c}.{n}: 4 BE.{n} about as ADJALL as a:THING SIMILE
VP.{c}.{n}: 5 SEEM.{n} DEGREE?20 ADJ.{c} | 7 DO.{n} n't SHARED.pl | 4 BE.{n} going to SHARED.pl | 4 MODAL SHARED.pl
PAST: 1 CHANGED PASTTIME?50
CHANGED: 6 changed | 5 helped me | 4 made sense to me | 3 surprised all of us | 3 disappeared
CHANGED: 2 made a lot of difference
SIMILE: 5 in the rain | 4 on a bad day | 3 in the middle of the night
TAIL: 44 <> | 20 ADVERB | 36 TIME
OBJ.{c}: 68 SNP.{c}.{m} OPOST.{c}.{m} | 32 THEM.{c}
OBJ.P: 10 NAMED | 40 me | 10 us | 8 everybody
OPOST.{c}.{n}: 90 <> | 6 PP.{c} | 4 RC.{c}.{n}
SHARED.sg: 6 changes | 5 helps me | 5 makes sense to me | 5 matters | 4 surprises me | 3 disappears
SHARED.sg: 3 makes a lot of difference
SHARED.pl: 6 change | 5 help me | 5 make sense to me | 5 matter | 4 surprise me | 3 disappear
SHARED.pl: 3 make a lot of difference
BE.sg: 1 is
BE.pl: 1 are
DO.sg: 1 does
DO.pl: 1 do
SEEM.sg: 5 looks | 4 seems | 2 sounds
SEEM.pl: 5 look | 4 seem | 2 sound
MODAL: 6 can | 5 will | 4 should | 3 might | 2 must
LIKE: 6 love | 5 hate | 4 like | 3 miss | 2 adore

OPINION: 16 I have to say that | 12 I really do think that | 10 I would like to add that | 9 I 'm pretty sure that
OPINION: 9 the truth is that | 8 there is no doubt in my mind that | 8 the funny thing is that
OPINION: 7 it 's a pity that | 6 what I do n't understand is why | 5 my KIN keeps telling me that
OPINION: 6 as HANDLE has already said ,
CONJ: 30 , and | 28 , but | 20 because | 10 , so | 8 even though | 6 ;
FIRST: 30 I FREQ?15 TV.P.{o}.pl OBJ.{o} TIME?20 | 12 I used to TV.P.{o}.pl OBJ.{o}
FIRST: 5 I TV.P.{o}.past SNP.{o}.{m} PASTTIME | 10 I LIKE SNP.{c}.{n}
FIRST: 6 we TV.P.{o}.pl OBJ.{o} TIME?20 | 6 my KIN and I TV.P.{o}.pl OBJ.{o} | 9 I have been ACTIVITY SINCE
FIRST: 7 I LIKE ACTIVITY | 5 I 'm so tired of ACTIVITY | 5 I ca n't stand SNP.{c}.pl
FIRST: 6 I live in PLACE , where CLAUSE
SINCE: 60 since YEAR | 40 for NUMBER years now

YESNO: 16 does anyone know why NP.{c}.{n} VP.{c}.{n} | 24 DO.{n} SNP.{c}.{n} VBASE.{c}
YESNO: 24 BE.{n} SNP.{c}.{n} DEGREE?25 ADJ.{c} | 12 do you VBASE.P
YESNO: 8 does anyone else TV.P.{o}.pl OBJ.{o} | 10 am I the only one who TV.P.{o}.sg OBJ.{o}
YESNO: 7 is ACTIVITY DEGREE?25 ADJALL | 6 did you TV.P.{o}.pl OBJ.{o} PASTTIME?30
VBASE.{c}: 30 IV.{c}.pl TAIL | 25 SHARED.pl | 45 TV.{c}.{d}.pl OBJ.{d}
WHQ: 18 can somebody please tell me why NP.{c}.{n} VP.{c}.{n} | 20 why DO.{n} SNP.{c}.{n} VBASE.{c}
WHQ: 14 why BE.{n} SNP.{c}.{n} so ADJ.{c} | 12 who TV.P.{o}.sg OBJ.{o}
WHQ: 10 how often DO.{n} SNP.{c}.{n} IV.{c}.pl | 16 what do you think about SNP.{c}.{n}
WHQ: 10 which N.{c}.pl IV.{c}.pl TAIL | 8 where did you TV.P.{o}.pl SNP.{o}.{m}
WHQ: 8 how many N.{c}.pl IV.{c}.pl TIME?40 | 6 who likes ACTIVITY
EXCLAIM: 7 what a:ADJX.{c} N.{c}.sg | 8 what a:ADJALL N.{c}.sg | 8 what ADJ.{c} N.{c}.pl
EXCLAIM: 14 how ADJ.{c} SNP.{c}.{n} BE.{n} | 28 CLAUSE | 12 I LIKE SNP.{c}.pl | 8 never TV.P.{o}.pl SNP.{o}.sg
EXCLAIM: 5 no more N.{c}.pl , please | 5 stop ACTIVITY , please | 8 I ca n't believe that CLAUSE

QUOTE: 34 my KIN always says , `` ^ SAID . '' | 22 `` ^ SAID , '' SAYS SPEAKER .
QUOTE: 12 my KIN asked me , `` ^ ASKED ? ''
QUOTE: 10 NAME shouted , `` ^ SHOUTED ! '' | 11 people call SNP.{c}.{n} `` ADJ.{c} '' .
QUOTE: 11 the `` ADJ.{c} '' N.{c}.{n} VP.{c}.{n} .
SAID: 60 SNP.{c}.{n} COPULA.{c}.{n} | 40 SNP.{c}.{n} IV.{c}.{n}
ASKED: 60 why BE.{n} SNP.{c}.{n} so ADJ.{c} | 40 do you LIKE SNP.{c}.pl
SHOUTED: 50 what a:ADJALL N.{c}.sg | 50 no more N.{c}.pl , please
SAYS: 70 says | 20 said | 10 writes
SPEAKER: 50 my KIN | 25 NAME | 25 HANDLE
SOCIAL: 30 thanks a lot for the ADJALL?40 tip , ADDRESSEE ! | 20 I agree with ADDRESSEE . | 12 greetings from PLACE !
SOCIAL: 10 ADDRESSEE , you are right about SNP.{c}.pl . | 9 is anyone else from PLACE ?
SOCIAL: 9 welcome to the forum , HANDLE ! | 10 see you in PLACE , ADDRESSEE !
ADDRESSEE: 65 HANDLE | 35 NAME
ASIDE: 24 ( at least in PLACE ) | 8 ( not only in PLACE ) | 8 ( and I mean it ) | 7 ( sorry about that )
ASIDE: 7 ( no joke )
ASIDE: 12 ( and it has been like that since YEAR ) | 8 ( just ask my KIN ) | 6 ( believe me )
ASIDE: 8 ( or so ADDRESSEE says )
ASIDE: 6 ( even in MONTH ) | 5 ( thanks again , ADDRESSEE ) | 6 ( and not only on WEEKDAY )
"""


# ---------------------------------------------------------------------------------------------------------------------
# Words
# ---------------------------------------------------------------------------------------------------------------------


def zipf(words, exponent=SHARED_EXPONENT):
    """Return a word list as rules, `[(weight, symbols)]`: the commonest first, an underscore standing for a blank."""
    return [((rank + RANK_OFFSET) ** -exponent, tuple(word.split("_"))) for rank, word in enumerate(words, start=1)]


def add_s(word):
    """Return the plural of a noun, or the -s form of a verb, by rule."""
    if re.search(r"(s|x|z|ch|sh)$", word) or word in ("go", "echo", "do", "veto"):
        return word + "es"
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ies"
    return word + "s"


def add_ed(word):
    """Return the past of a verb by rule."""
    if word.endswith("e"):
        return word + "d"
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ied"
    return word + "ed"


def noun_forms(text):
    """Return the words of a noun list, `{"sg": [...], "pl": [...]}`, in the same order."""
    entries = [entry.split("/") for entry in text.split()]
    return {
        "sg": [entry[0] for entry in entries],
        "pl": [entry[1] if entry[1:] else add_s(entry[0]) for entry in entries],
    }


def verb_forms(text):
    """Return the words of a verb list, `{"sg": [...], "pl": [...], "past": [...]}`, in the same order."""
    entries = [entry.split("/") for entry in text.split()]
    plain = [entry[0] for entry in entries]
    past = [entry[1] if entry[1:] else add_ed(entry[0]) for entry in entries]
    return {"sg": [add_s(word) for word in plain], "pl": plain, "past": past}


def compounds(heads, tails, capital):
    """Return a long-tailed word list of all compounds of two word lists, as rules; the weights multiply."""
    found = []
    for head_weight, (head,) in zipf(heads.split(), TAIL_EXPONENT):
        for tail_weight, (tail,) in zipf(tails.split(), TAIL_EXPONENT):
            word = (head + tail).capitalize() if capital else head + tail
            found.append((head_weight * tail_weight, (word,)))
    return found


def shared_lists(shared):
    """Return the word lists that all topics share, `{symbol: rules}`."""
    lists = {name: zipf(text.split()) for name, text in shared.items() if not re.search("(HEAD|TAIL)$", name)}
    for name in TAIL_LISTS:
        lists[name] = zipf(shared[name].split(), TAIL_EXPONENT)
    lists["PLACE"] = compounds(shared["PLACEHEAD"], shared["PLACETAIL"], capital=True)
    lists["HANDLE"] = compounds(shared["HANDLEHEAD"], shared["HANDLETAIL"], capital=False)
    round_numbers = [10, 20, 5, 30, 50, 15, 40, 12, 25, 60, 45, 90]
    other_numbers = [number for number in range(3, 40) if number not in round_numbers]
    lists["NUMBER"] = zipf([str(number) for number in round_numbers + other_numbers])
    lists["YEAR"] = zipf([str(year) for year in range(2019, 1944, -1)], TAIL_EXPONENT)
    return lists


def topic_lists(topic):
    """Return the word lists of one topic, `{symbol: rules}`."""
    lists = {"ACTIVITY": zipf(topic["activities"].split(), TOPIC_EXPONENT)}
    for name, text in topic.get("lists", {}).items():
        lists[name] = zipf(text.split())
    for name, members in topic["classes"].items():
        lists[f"ADJX.{name}"] = zipf(members["adjectives"].split(), TOPIC_EXPONENT)
        lists[f"WHO.{name}"] = [(1.0, ("who" if members["people"] else "that",))]
        lists[f"THEM.{name}"] = zipf(["them", "him", "her"] if members["people"] else ["it", "them"])
        for number, words in noun_forms(members["nouns"]).items():
            lists[f"N.{name}.{number}"] = zipf(words, TOPIC_EXPONENT)
        for form, words in verb_forms(members["verbs"]).items():
            lists[f"IV.{name}.{form}"] = zipf(words, TOPIC_EXPONENT)
    for subject, _, thing, verbs in topic["relations"]:
        for form, words in verb_forms(verbs).items():
            lists[f"TV.{subject}.{thing}.{form}"] = zipf(words, TOPIC_EXPONENT)
    for inner, prepositions, outer in topic["places"]:
        lists[f"PREP.{inner}.{outer}"] = zipf(prepositions.split(), TOPIC_EXPONENT)
    return lists


# ---------------------------------------------------------------------------------------------------------------------
# Rules
# ---------------------------------------------------------------------------------------------------------------------


def parse_rules(text):
    """Return the rules of a text as `[(left side, weight, symbols)]`, the variables still in them."""
    found = []
    for line in text.strip().splitlines():
        if not line.strip():
            continue
        left, _, right = line.strip().partition(": ")
        for alternative in right.split(" | "):
            weight, *symbols = alternative.split()
            found.append((left, float(weight), tuple(symbol for symbol in symbols if symbol != "<>")))
    return found


def variable_values(variable, bound, topic):
    """Return the values that a variable of a rule can have, with their weights, given the variables bound before it."""
    if variable == "c":
        return {name: members["weight"] for name, members in topic["classes"].items()}
    if variable in "nm":
        return NUMBERS
    if variable in "do":
        subject = bound["c"] if variable == "d" else "P"
        return {thing: weight for name, weight, thing, _ in topic["relations"] if name == subject}
    if variable == "s":
        return {name: weight for name, weight, thing, _ in topic["relations"] if thing == bound["c"]}
    if variable == "p":
        return {outer: 1.0 for inner, _, outer in topic["places"] if inner == bound["c"]}
    raise ValueError(f"unknown variable {{{variable}}} in a rule")


def bindings(text, bound, topic):
    """Yield `(weight, values)` for all values of the variables in `text` that `bound` leaves free."""
    free = [variable for variable in "cndospm" if f"{{{variable}}}" in text and variable not in bound]
    if not free:
        yield 1.0, bound
        return
    values = variable_values(free[0], bound, topic)
    for value, weight in values.items():
        for rest, complete in bindings(text, {**bound, free[0]: value}, topic):
            yield weight / sum(values.values()) * rest, complete


def expand_rules(rules, topic, lists):
    """Put the values of the variables into rules.

    Returns
    -------
    dict
        `{left side: [(weight, symbols)]}`. An alternative that asks for a verb with object between two classes for
        which the topic has none is left out.
    """
    expanded = {}
    for left, weight, symbols in rules:
        right = " ".join(symbols)
        for _, outer in bindings(left, {}, topic):
            alternatives = expanded.setdefault(left.format(**outer), [])
            for share, values in bindings(right, outer, topic):
                instance = tuple(symbol.format(**values) for symbol in symbols)
                if all(symbol in lists for symbol in instance if symbol.startswith("TV.")):
                    alternatives.append((weight * share, instance))
    return expanded


def starts_with_vowel(word):
    """Tell whether a word takes the article "an"."""
    if word in VOWEL_SOUND:
        return True
    return word[0] in "aeiou" and word not in CONSONANT_SOUND


def helper_rules(symbol, rules):
    """Return `{symbol: rules}` for a symbol that the notation defines (`X?20`, `a:X`), or nothing for any other."""
    optional = re.fullmatch(r"(.+)\?(\d+)", symbol)
    if optional:
        return {symbol: [(float(optional[2]), (optional[1],)), (100.0 - float(optional[2]), ())]}
    if not symbol.startswith("a:"):
        return {}
    name = symbol[2:]
    halves = {"an": [], "a": []}
    for weight, words in rules[name]:
        halves["an" if starts_with_vowel(words[0]) else "a"].append((weight, words))
    found = {symbol: []}
    for article, half in halves.items():
        if half:
            found[f"{name}:{article}"] = half
            found[symbol].append((sum(weight for weight, _ in half), (article, f"{name}:{article}")))
    return found


def normalise(rules):
    """Return rules with their weights turned into probabilities; complain about a symbol that nothing defines."""
    probabilities = {}
    for left, alternatives in rules.items():
        total = sum(weight for weight, _ in alternatives)
        if total <= 0:
            continue
        probabilities[left] = [(weight / total, symbols) for weight, symbols in alternatives]
        for _, symbols in alternatives:
            for symbol in symbols:
                if symbol not in rules and re.match(r"[A-Z]{2}|[A-Z]\.", symbol):
                    raise ValueError(f"no rule for {symbol}, which stands in a rule of {left}")
    return probabilities


class TopicGrammar:
    """The probabilistic context-free grammar of one topic.

    Parameters
    ----------
    rules : dict
        `{left side: [(weight, symbols)]}`; a symbol that is no left side is a word. No symbol may derive a sequence
        that begins with itself (left recursion).
    """

    def __init__(self, rules):
        rules = dict(rules)
        for symbol in {symbol for alternatives in rules.values() for _, symbols in alternatives for symbol in symbols}:
            rules.update(helper_rules(symbol, rules))
        self.rules = normalise(rules)
        self._cumulative = {}
        self._lexicon = {}
        for left, alternatives in self.rules.items():
            if all(len(symbols) == 1 and symbols[0] not in self.rules for _, symbols in alternatives):
                words = self._lexicon[left] = {}
                for probability, (word,) in alternatives:
                    words[word.lower()] = words.get(word.lower(), 0.0) + probability
        self._first = {}
        self._usable = {}
        self.vocabulary = {
            symbol.lower()
            for alternatives in self.rules.values()
            for _, symbols in alternatives
            for symbol in symbols
            if symbol not in self.rules and symbol != "^"
        }

    def sample(self, generator, symbol="START"):
        """Return a random derivation of a symbol, a nested `(symbol, [children])`; a word is a leaf, `(word, None)`."""
        alternatives = self.rules.get(symbol)
        if alternatives is None:
            return (symbol, None)
        if symbol not in self._cumulative:
            total, sums = 0.0, []
            for probability, _ in alternatives:
                total += probability
                sums.append(total)
            self._cumulative[symbol] = sums
        (chosen,) = generator.choices(alternatives, cum_weights=self._cumulative[symbol])
        return (symbol, [self.sample(generator, part) for part in chosen[1]])

    def first_words(self, symbol):
        """Return the lower-cased words that a symbol can begin with, and whether it can be empty."""
        if symbol not in self.rules:
            return (frozenset(), True) if symbol == "^" else (frozenset([symbol.lower()]), False)
        if symbol not in self._first:
            words, empty = set(), False
            for _, symbols in self.rules[symbol]:
                part_words, part_empty = self._first_of_sequence(symbols)
                words |= part_words
                empty = empty or part_empty
            self._first[symbol] = (frozenset(words), empty)
        return self._first[symbol]

    def _first_of_sequence(self, symbols):
        words = set()
        for symbol in symbols:
            part_words, part_empty = self.first_words(symbol)
            words |= part_words
            if not part_empty:
                return words, False
        return words, True

    def _usable_rules(self, symbol, word):
        """Return the rules of a symbol that can begin with a word, or can be empty."""
        key = (symbol, word)
        if key not in self._usable:
            found = []
            for probability, symbols in self.rules[symbol]:
                words, empty = self._first_of_sequence(symbols)
                if empty or word in words:
                    found.append((probability, tuple(part for part in symbols if part != "^")))
            self._usable[key] = found
        return self._usable[key]

    def probability(self, tokens, symbol="START"):
        """Return the probability that a symbol derives exactly these lower-cased tokens (the inside algorithm)."""
        if not self.vocabulary.issuperset(tokens):
            return 0.0
        tokens = list(tokens) + [None]
        lexicon, rules, known = self._lexicon, self.rules, {}

        def ends(part, start):
            """Return `{end: probability}`: with which probability `part` derives the tokens from `start` to `end`."""
            key = (part, start)
            if key in known:
                return known[key]
            word = tokens[start]
            if part in lexicon:
                share = lexicon[part].get(word)
                found = {start + 1: share} if share else {}
            elif part not in rules:
                found = {start + 1: 1.0} if part.lower() == word else {}
            else:
                found = {}
                for share, parts in self._usable_rules(part, word):
                    reached = {start: share}
                    for inner in parts:
                        further = {}
                        for position, left in reached.items():
                            for end, right in ends(inner, position).items():
                                further[end] = further.get(end, 0.0) + left * right
                        reached = further
                        if not reached:
                            break
                    for end, share_there in reached.items():
                        found[end] = found.get(end, 0.0) + share_there
            known[key] = found
            return found

        return ends(symbol, 0).get(len(tokens) - 1, 0.0)


class Grammar:
    """The source of comments: a choice of a topic, and a grammar for each.

    Parameters
    ----------
    rules : str
        The rules that all topics share, in the notation of the module's docstring; sentences derive from START.
    topics : dict
        The topics, as in words.py.
    lists : dict
        Word lists that all topics share, `{symbol: [(weight, symbols)]}`.
    """

    def __init__(self, rules, topics, lists):
        total = sum(topic["weight"] for topic in topics.values())
        self.weights = {name: topic["weight"] / total for name, topic in topics.items()}
        self.topics = {}
        for name, topic in topics.items():
            known = {**lists, **topic_lists(topic)}
            parsed = parse_rules(rules) + parse_rules(topic.get("rules", ""))
            self.topics[name] = TopicGrammar({**known, **expand_rules(parsed, topic, known)})

    def sample_topic(self, generator):
        """Return the name of a random topic."""
        return generator.choices(list(self.weights), weights=self.weights.values())[0]

    def probability(self, tokens):
        """Return the probability of a sentence by itself, given as lower-cased tokens."""
        return math.fsum(weight * self.topics[name].probability(tokens) for name, weight in self.weights.items())


@functools.cache
def load_grammar():
    """Return the grammar of the shipped comments."""
    tables = runpy.run_path(str(FOLDER / "words.py"))
    for topic in tables["TOPICS"].values():
        topic["classes"]["X"] = tables["GENERAL"]
        topic["relations"] += tables["GENERAL_RELATIONS"]
    return Grammar(RULES, tables["TOPICS"], shared_lists(tables["SHARED"]))


# ---------------------------------------------------------------------------------------------------------------------
# Text
# ---------------------------------------------------------------------------------------------------------------------


def leaves(tree):
    """Return the words of a derivation, in order."""
    symbol, children = tree
    if children is None:
        return [symbol]
    return [word for child in children for word in leaves(child)]


def surface(words):
    """Return the text of a sentence: capital letters at its beginning, and no blanks where punctuation wants none."""
    text, capital, glue = "", True, True
    for word in words:
        if word == "^":
            capital = True
            continue
        before = "" if glue or re.fullmatch(r"[.,;?!)]|''|'\w+|n't", word) else " "
        glue = word in ("``", "(")
        if capital and word[0].isalnum():
            word, capital = word[0].upper() + word[1:], False
        text += before + ('"' if word in ("``", "''") else word)
    return text


def tokenise(text):
    """Return the lower-cased tokens of one sentence of the comments, as NLTK's word tokenizer splits it.

    Parameters
    ----------
    text : str
        A sentence.

    Returns
    -------
    list of str
        Its tokens; quotes are `` and ''.
    """
    tokens = re.findall(r"\w[\w-]*?(?=n't\b)|n't\b|'\w+|\w[\w-]*|[^\w\s]", text.lower())
    quotes = 0
    for position, token in enumerate(tokens):
        if token == '"':
            tokens[position] = "''" if quotes % 2 else "``"
            quotes += 1
    return tokens


def split_sentences(comment):
    """Return the sentences of a comment."""
    # Within a sentence of the grammar, a full stop, question or exclamation mark stands at most before a closing quote.
    return re.split(r'(?<=[.?!])\s+|(?<=[.?!]")\s+', comment.strip())


def sentence_log_probability(sentence, grammar=None):
    """Return the exact log probability of a sentence by itself, its topic summed out.

    Parameters
    ----------
    sentence : str or sequence of str
        A sentence, or its tokens (as NLTK splits it, in any case), without sentence start and end.
    grammar : Grammar, optional
        The source; the grammar of the shipped comments if not given.

    Returns
    -------
    float
        The logarithm, in nats; minus infinity for what the grammar cannot derive. Dividing by the number of tokens plus
        one, for the sentence end, gives it per word.
    """
    tokens = tokenise(sentence) if isinstance(sentence, str) else [token.lower() for token in sentence]
    probability = (grammar or load_grammar()).probability(tokens)
    return math.log(probability) if probability > 0.0 else -math.inf


def corpus_entropy(comments, grammar=None):
    """Return the per-word entropy of the source, estimated over the sentences of comments.

    Parameters
    ----------
    comments : iterable of str
        Comments that the grammar made.
    grammar : Grammar, optional
        The source; the grammar of the shipped comments if not given.

    Returns
    -------
    dict
        `entropy` (nats a token), `error` (its standard error), `sentences`, `tokens` (with one sentence end each).
    """
    rows = []
    for comment in comments:
        for sentence in split_sentences(comment):
            tokens = tokenise(sentence)
            surprise = -sentence_log_probability(tokens, grammar)
            if math.isinf(surprise):
                raise ValueError(f"the grammar cannot derive this sentence: {sentence}")
            rows.append((surprise, len(tokens) + 1))
    if not rows:
        raise ValueError("no sentences")
    tokens = sum(length for _, length in rows)
    entropy = math.fsum(surprise for surprise, _ in rows) / tokens
    error = math.sqrt(math.fsum((surprise - entropy * length) ** 2 for surprise, length in rows)) / tokens
    return {"entropy": entropy, "error": error, "sentences": len(rows), "tokens": tokens}


def make_comments(seed, sentences, grammar=None):
    """Return comments with a given number of sentences in all, the same for the same seed.

    Parameters
    ----------
    seed : int
        Seed of the random numbers.
    sentences : int
        Number of sentences in all comments together.
    grammar : Grammar, optional
        The source; the grammar of the shipped comments if not given.

    Returns
    -------
    list of str
        The comments, of one to six sentences each.
    """
    grammar = grammar or load_grammar()
    generator = random.Random(seed)
    comments, left = [], sentences
    while left:
        topic = grammar.topics[grammar.sample_topic(generator)]
        (length,) = generator.choices(range(1, len(SENTENCES_PER_COMMENT) + 1), weights=SENTENCES_PER_COMMENT)
        length = min(length, left)
        comments.append(" ".join(surface(leaves(topic.sample(generator))) for _ in range(length)))
        left -= length
    return comments


# ---------------------------------------------------------------------------------------------------------------------
# Agreement
# ---------------------------------------------------------------------------------------------------------------------


def find_nodes(tree, symbol):
    """Return the nodes of a derivation that have a given symbol."""
    found = [tree] if tree[0] == symbol and tree[1] is not None else []
    for child in tree[1] or []:
        found += find_nodes(child, symbol)
    return found


def other_number(topic, label, word):
    """Return the form of a verb in the other number, or None if the symbol is not that of a present-tense verb."""
    match = re.fullmatch(r"((?:IV|TV|BE|DO|SEEM|SHARED)(?:\..+)?)\.(sg|pl)", label)
    if not match:
        return None
    words = [symbols[0] for _, symbols in topic.rules[label]]
    others = topic.rules[f"{match[1]}.{'pl' if match[2] == 'sg' else 'sg'}"]
    return others[words.index(word)][1][0]


def agreement_pair(topic, tree):
    """Turn a derivation into an agreement pair.

    Returns
    -------
    tuple or None
        `(distance, right, wrong, noun, verb forms)`; `right` and `wrong` are lists of words, `distance` is `far` if a
        phrase or a clause stands between the noun of the subject and its verb, and `near` if nothing does. None if the
        sentence has not exactly one main clause, if its verb is not in the present tense, or if an adverb precedes it.
    """
    clauses = find_nodes(tree, "CLAUSE") + find_nodes(tree, "PRESENT")
    if len(clauses) != 1 or len(clauses[0][1]) != 2:  # a clause with a pronoun as its subject has one part
        return None
    (_, (subject, predicate)), words = clauses[0], leaves(tree)
    if len(subject[1]) != 2:  # a name
        return None
    noun_phrase, post = subject[1]
    parts = predicate[1]
    if parts[0][0].startswith("FREQ"):  # the place of an adverb, which may be empty
        if leaves(parts[0]):
            return None
        parts = parts[1:]
    if parts[0][0].startswith("COPULA"):
        parts = parts[0][1]
    label, children = parts[0]
    wrong_form = other_number(topic, label, children[0][0]) if children else None
    if wrong_form is None or label[-2:] != subject[0][-2:]:
        return None
    verb_form = children[0][0]
    clause_words = leaves(clauses[0])
    begin = next(i for i in range(len(words)) if words[i : i + len(clause_words)] == clause_words)
    position = begin + len(leaves(subject))
    wrong = words[:position] + [wrong_form] + words[position + 1 :]
    distance = "far" if leaves(post) else "near"
    return distance, words, wrong, leaves(noun_phrase)[-1], (verb_form, wrong_form)


def agreement_pairs(seed, pairs, comments, grammar=None):
    """Return pairs of a sentence and the same sentence with the wrong form of its verb, half of them far.

    Parameters
    ----------
    seed : int
        Seed of the random numbers.
    pairs : int
        Number of pairs, even.
    comments : list of str
        The comments: no sentence of theirs is taken, only words that they hold, and only subject nouns and verbs both
        of whose forms they hold at least `MIN_COUNT_IN_PAIRS` times.
    grammar : Grammar, optional
        The source; the grammar of the shipped comments if not given.

    Returns
    -------
    list of tuple
        `(distance, right, wrong)`, first the near pairs, then the far ones. The grammar cannot derive a wrong sentence.
    """
    grammar = grammar or load_grammar()
    generator = random.Random(seed)
    known = {sentence for comment in comments for sentence in split_sentences(comment)}
    counts = Counter(token for sentence in known for token in tokenise(sentence))
    found = {"near": {}, "far": {}}
    for _ in range(200 * pairs + 10000):
        if all(len(some) >= pairs // 2 for some in found.values()):
            return [(distance, *pair) for distance, some in found.items() for pair in some.items()]
        topic = grammar.topics[grammar.sample_topic(generator)]
        pair = agreement_pair(topic, topic.sample(generator))
        if pair is None or len(found[pair[0]]) >= pairs // 2:
            continue
        distance, right, wrong, noun, verbs = pair
        right, wrong = surface(right), surface(wrong)
        common = all(counts[word.lower()] >= MIN_COUNT_IN_PAIRS for word in (noun, *verbs))
        if not common or right in known or not all(token in counts for token in tokenise(right)):
            continue
        # "The tulip spread" is the past tense, and no mistake: only what has no derivation is wrong.
        if math.isinf(sentence_log_probability(wrong, grammar)):
            found[distance][right] = wrong
    raise ValueError(f"too few sentences with common words for {pairs} agreement pairs: ask for more --sentences")


# ---------------------------------------------------------------------------------------------------------------------
# Files and command line
# ---------------------------------------------------------------------------------------------------------------------


def read_comments(path):
    """Return the comments of a CSV file with the header `body`."""
    with open(path, encoding="utf-8", newline="") as stream:
        rows = csv.reader(stream)
        if next(rows, None) != ["body"]:
            raise ValueError(f"{path}: the first line is not the header 'body'")
        return [row[0] for row in rows if row]


def write_files(folder, seed, sentences, pairs):
    """Write comments.csv and agreement.tsv into a folder."""
    comments = make_comments(seed, sentences)
    # Another stream of random numbers than that of the comments, but fixed by the same seed.
    found = agreement_pairs(seed + 1, pairs, comments) if pairs else []
    with open(folder / "comments.csv", "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["body"])
        writer.writerows([comment] for comment in comments)
    with open(folder / "agreement.tsv", "w", encoding="utf-8", newline="") as stream:
        stream.writelines("\t".join(row) + "\n" for row in [("distance", "right", "wrong"), *found])
    print(f"{folder / 'comments.csv'}: {len(comments)} comments, {sentences} sentences")
    print(f"{folder / 'agreement.tsv'}: {len(found)} pairs")


def print_entropy(path):
    """Print the per-word entropy of the source, estimated over the sentences of a file."""
    found = corpus_entropy(read_comments(path))
    print(f"sentences   {found['sentences']}")
    print(f"tokens      {found['tokens']} (with one sentence end a sentence)")
    print(f"entropy     {found['entropy']:.4f} nats a token (standard error {found['error']:.4f})")
    print(f"            {found['entropy'] / math.log(2):.4f} bits a token")
    print(f"perplexity  {math.exp(found['entropy']):.3f}")


class OneLineParser(argparse.ArgumentParser):
    """An argument parser that reports a wrong option in one line."""

    def error(self, message):
        """Write one line to the standard error stream and exit with status 2."""
        self.exit(2, f"make_comments.py: {message}\n")


def parse_arguments(arguments):
    """Return the options of the command line."""
    parser = OneLineParser(description="Write the comments and agreement pairs of theano_rnn, or print their entropy.")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="seed of the random numbers (%(default)s)")
    parser.add_argument("--sentences", type=int, default=DEFAULT_SENTENCES, help="how many sentences (%(default)s)")
    parser.add_argument("--pairs", type=int, default=DEFAULT_PAIRS, help="how many agreement pairs (%(default)s)")
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder to write to (beside this file)")
    parser.add_argument(
        "--entropy",
        type=Path,
        nargs="?",
        const=FOLDER / "comments.csv",
        metavar="FILE",
        help="write nothing; print the per-word entropy over FILE (comments.csv beside this file)",
    )
    options = parser.parse_args(arguments)
    if options.sentences < 1:
        parser.error("--sentences must be at least 1")
    if options.pairs < 0 or options.pairs % 2:
        parser.error("--pairs must be an even number, 0 or more")
    if not options.entropy and not options.output.is_dir():
        parser.error(f"--output: no such folder: {options.output}")
    return options


def main(arguments=None):
    """Run the command line; return the exit status."""
    options = parse_arguments(arguments)
    try:
        if options.entropy:
            print_entropy(options.entropy)
        else:
            write_files(options.output, options.seed, options.sentences, options.pairs)
    except (OSError, ValueError) as error:
        print(f"make_comments.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
