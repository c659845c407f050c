"""Abbreviations: a table, and a test that finds more of them in a text.

An abbreviation is written here in lower case and without its final full stop. The table covers written English and the
most common forms of some other languages. Each row says when a sentence can end after its words.
"""

import itertools
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

# A sentence never ends after these.
TITLES = frozenset(
    "mr mrs ms mx messrs mme mmes mlle dr drs revd capt cpt sgt cmdr hr "
    "e.g i.e eg ie cf viz vs v.s c.f p.s z.b d.h u.a p.ej bzw vgl evtl inkl exkl bijv".split()
)
# The same, but only when capitalized. In lower case these are words, or abbreviate a word that can end a sentence.
CAPITALIZED_TITLES = frozenset(
    "atty ste mt mts ft fr sra srta dra ud uds lt col gen rep reps sen sens hon pres adm pvt cpl pfc rev maj brig gov "
    "insp supt prof profs sig dott dhr mevr".split()
)
# Abbreviations only where a number follows: No. 5, fig. 3, Jan. 5.
NUMBERED = frozenset(
    "no nos nr núm vol vols fig figs ch pp pt nn ll vv bks eq eqs tel ext jan feb apr aug sept oct nov".split()
)
# The same, but only when capitalized: Art. 3, Sec. 2.
CAPITALIZED_NUMBERED = frozenset(
    "chap chaps sec secs sect art arts pts par para tab ex op app ver rte apt mar jun jul sep dec abb abs bd kap str "
    "mon tue wed thu fri sat sun".split()
)
# The same, but only in lower case: c. 1850, b. 1920, est. 1990.
LOWER_CASE_NUMBERED = frozenset("b c d n p v est max min incl ca geb pág".split())
# A sentence ends after these if the next word is one that often begins a sentence (The, He, In, ...).
CLOSABLE = frozenset(
    "inc ltd llc corp co cos bros plc gmbh dept depts univ assn assoc ave blvd rd hwy st approx sr jr esq phd eds "
    "ft lb lbs oz tsp tbsp hrs yrs misc abbr mfg intl natl govt usw jh mio mrd tsd ecc enz".split()
)
# The same, but only when capitalized, or only in lower case.
CAPITALIZED_CLOSABLE = frozenset(
    "ala ariz calif colo conn fla kan ky mich minn neb nev okla tenn tex vt wis wyo".split()
)
LOWER_CASE_CLOSABLE = frozenset(["al", "et", "med"])
# Abbreviations only where a word in lower case follows: Mon. morning, prof. smith.
CONTINUED = frozenset("prof profs gov insp supt maj".split())
CAPITALIZED_CONTINUED = frozenset(
    "mon tue wed thu fri sat sun jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
# A sentence ends after these if the next word begins with a capital.
LIST_ENDS = frozenset(["etc", "&c"])
# Likewise, except before the names of days, months and time zones: 5 p.m. Monday, 9 a.m. EST.
TIMES_OF_DAY = frozenset(["a.m", "p.m"])
AFTER_TIMES = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun january february march april "
    "may june july august september october november december jan feb mar apr jun jul aug sep sept oct nov dec est edt "
    "cst cdt mst mdt pst pdt gmt utc cet cest bst et ct mt pt eastern central mountain pacific".split()
)
# When capitalized, these begin a sentence far more often than they are part of a name.
SENTENCE_STARTERS = frozenset(
    "a about according after again all almost already also although always among an and another any anyone are as "
    "at because been before both but by can could did do does during each either even eventually every everyone "
    "everything few finally first for from furthermore had has have he hence her here his how however i if in "
    "indeed instead into is it its last later let likewise many maybe meanwhile more moreover most much my "
    "neither never nevertheless next no nobody none nor not nothing now of often on once one only or other others "
    "our over perhaps please several she should similarly since so some someone something sometimes soon still "
    "such than that the their them then there therefore these they this those though through thus to today "
    "together tomorrow tonight too two under unfortunately unless until up upon was we were what when whenever "
    "where whereas whether which while who whoever whom whose why with within without would yes yesterday yet you "
    "your".split()
)

_TABLE = (
    TITLES
    | CAPITALIZED_TITLES
    | NUMBERED
    | CAPITALIZED_NUMBERED
    | LOWER_CASE_NUMBERED
    | CLOSABLE
    | CAPITALIZED_CLOSABLE
    | LOWER_CASE_CLOSABLE
    | LIST_ENDS
)

# Letters with full stops between them: U.S, Ph.D, e.g, U.S.A.
_DOTTED = re.compile(r"(?:[^\W\d_]{1,3}\.)+[^\W\d_]{1,2}")

# The conditions of `find_abbreviations`.
_VOWELS = frozenset("aeiouyаеёиоуыэюяіє")
_LEAST_COUNT = 3
_MOST_CHANCE = 1e-4
_LENGTHS = range(2, 7)
# Words without a vowel, and abbreviations that are written without a full stop.
_NO_ABBREVIATIONS = frozenset("hm hmm shh psst pst brr grr pfft tv cd dvd pc km kg cm mm mph kph html www nth".split())

OPENING_MARKS = "\"'`([{“‘«„¿¡*_"
CLOSING_MARKS = "\"'`)]}”’»“‘«›‹」』*_"


def is_dotted(word: str) -> bool:
    """Tell whether a word has full stops between its letters.

    Parameters
    ----------
    word : str
        The word without its final full stop.

    Examples
    --------
    >>> is_dotted("U.S"), is_dotted("Ph.D"), is_dotted("etc")
    (True, True, False)
    """
    return "." in word and _DOTTED.fullmatch(word) is not None


def find_abbreviations(words: Iterable[str]) -> tuple[str, ...]:
    """Find abbreviations in a text, in addition to those of the table.

    If an ordinary word counted as an abbreviation, sentences that end with it would be joined to the next. So only
    words without a vowel are considered (``sp.``, ``bzw.``). They must occur at least three times, always with a full
    stop, and be followed by something that cannot begin a sentence (a lower-case letter, a digit, a comma)
    significantly more often than other full stops in this text: a binomial test with a significance level of 1e-4.

    Parameters
    ----------
    words : iterable of str
        The whitespace-separated words of the text, in order.

    Returns
    -------
    tuple of str
        In lower case and without the final full stop, sorted.

    Examples
    --------
    >>> find_abbreviations(("The sp. nigra grows here. It is green. " * 9).split())
    ('sp',)
    """
    stopped: Counter[str] = Counter()
    going_on: Counter[str] = Counter()
    bare = set()
    all_stopped = all_going_on = 0
    for word, following in itertools.pairwise(words):
        ending = word.rstrip(",;:").rstrip(CLOSING_MARKS)
        if not ending.endswith("."):
            core = ending.strip(OPENING_MARKS + "!?")
            if len(core) in _LENGTHS:
                bare.add(core.lower())
            continue
        first = following.lstrip(OPENING_MARKS)[:1]
        goes_on = word[-1] in ",;:" or first.islower() or first.isdigit()
        all_stopped += 1
        all_going_on += goes_on
        core = ending[:-1].lstrip(OPENING_MARKS)
        if _may_be_abbreviation(core):
            stopped[core.lower()] += 1
            going_on[core.lower()] += goes_on

    def is_significant(word: str) -> bool:
        count, others = stopped[word], all_stopped - stopped[word]
        usual_share = (all_going_on - going_on[word] + 1) / (others + 2)
        return _tail(going_on[word], count, usual_share) <= _MOST_CHANCE

    known = bare | _TABLE
    candidates = (word for word, count in stopped.items() if count >= _LEAST_COUNT and word not in known)
    return tuple(sorted(filter(is_significant, candidates)))


def _tail(successes: int, trials: int, share: float) -> float:
    """Return the probability of at least `successes` in `trials`, if each succeeds with probability `share`."""
    return sum(math.comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(successes, trials + 1))


def _may_be_abbreviation(word: str) -> bool:
    """Tell whether the letters of a word suggest an abbreviation: none of them is a vowel."""
    if len(word) not in _LENGTHS or not word.isalpha() or word[1:] != word[1:].lower():
        return False
    letters = unicodedata.normalize("NFD", word.lower())
    if not all(unicodedata.name(letter, "").startswith(("LATIN", "CYRILLIC", "COMBINING")) for letter in letters):
        return False
    return _VOWELS.isdisjoint(letters) and word.lower() not in _NO_ABBREVIATIONS
