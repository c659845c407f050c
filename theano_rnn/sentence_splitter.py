"""Documents cut into sentences by Punkt, NLTK's sentence splitter, without any of NLTK's downloads.

NLTK is slow to import, so the functions that need it import it themselves.
"""

import functools
import itertools
import operator
import re
from collections import defaultdict

from theano_rnn.documents import parts

# Learning to tell abbreviations takes about a second for 400,000 characters, and more of them hardly help; with half
# of them, one in 170 sentence ends of wikitext is another.
_TRAINING_LENGTH = 400_000
_TRAINING_PIECE_LENGTH = 20_000
# No sentence is longer; the time that NLTK takes for one piece of text, which it limits, stays short.
LONGEST_PIECE = 100_000

_PARAGRAPH_BREAK = re.compile(r"\n\s*\n")
# How many words, and how many pairs of words with a possible sentence end between them, are remembered.
_REMEMBERED = 16_384

# Those which a short text may not show often enough to learn.
_TITLES = {"mr", "mrs", "ms", "dr", "prof", "rev", "st", "sr", "jr", "gen", "col", "sgt", "capt", "lt"}
_COMMON_ABBREVIATIONS = _TITLES | {"vs", "e.g", "i.e", "a.m", "p.m", "u.s", "u.k"}
_LEAST_ABBREVIATION_COUNT = 2
_LEAST_ABBREVIATION_FOLLOWERS = 5
_LEAST_ABBREVIATION_SURPLUS = 0.2
_OPENING_MARKS = "\"'`([{“‘«"
_CLOSING_MARKS = "\"')]}”’»"


def split_sentences(documents):
    """Cut documents into sentences with Punkt, NLTK's sentence splitter.

    Punkt uses NLTK's English model where that is installed, and otherwise learns its abbreviations from these
    documents. A blank line always ends a sentence; any other white space inside a sentence comes out as one blank.
    A stretch of 100,000 characters without a sentence end is cut where there is a blank.

    Parameters
    ----------
    documents : Documents or sequence of str
        They are gone through three times, a part at a time, so that they are never in memory as a whole.

    Yields
    ------
    end : int
        How many characters of the documents are behind this sentence, at the least; never falls.
    sentence : str
        Not empty.
    """
    if next(_paragraphs(documents), None) is None:
        return
    punkt = _installed_punkt() or _trained_punkt(documents)
    for start, blocks in _paragraphs(documents):
        for end, sentence in _paragraph_sentences(blocks, punkt):
            yield start + end, sentence


def _paragraphs(documents):
    """Yield (where it starts in all documents together, its text in blocks) of each paragraph that is not blank.

    The blocks follow each other directly and have single blanks for white space. A paragraph may be the whole text: it
    is never copied as a whole, let alone as a list of its words. Its blocks are there until the next one is asked for.
    """
    for start, blocks in itertools.groupby(_blocks(documents), operator.itemgetter(0)):
        yield start, map(operator.itemgetter(1), blocks)


def _blocks(documents):
    """Yield (where its paragraph starts, text) of the blocks of all paragraphs."""
    passed = 0
    for document in documents:
        start, newlines, gap = None, 0, ""  # of the paragraph; what stands between its last word and the next
        for part in parts(document):
            begin = len(part) - len(part.lstrip())
            newlines += part.count("\n", 0, begin)
            if begin < len(part):
                if start is None or newlines > 1:
                    start, gap = passed + begin, ""
                elif begin:
                    gap = " "
                end = len(part.rstrip())
                for mark in _PARAGRAPH_BREAK.finditer(part, begin, end):
                    yield start, gap + " ".join(part[begin : mark.start()].split())
                    begin = mark.end()
                    start, gap = passed + begin, ""
                yield start, gap + " ".join(part[begin:end].split())
                newlines, gap = part.count("\n", end), " " if end < len(part) else ""
            elif part:
                gap = " "
            passed += len(part)


def _paragraph_sentences(blocks, punkt):
    """Yield (end of the sentence, sentence), looking at one window of a long paragraph at a time."""
    text = ""
    passed = start = 0
    for block in itertools.chain(blocks, [None]):
        passed, text, start = passed + start, text[start:] + (block or ""), 0
        while len(text) - start > (0 if block is None else LONGEST_PIECE):
            stop = _cut(text, start, LONGEST_PIECE)
            spans = list(punkt.span_tokenize(text[start:stop]))
            if stop < len(text) and len(spans) > 1:
                stop = start + spans.pop()[0]  # the last sentence may go on beyond the window
            for begin, end in spans:
                sentence = text[start + begin : start + end].strip()
                if sentence:
                    yield passed + start + end, sentence
            start = stop


def _cut(text, start, length):
    """Where a piece of at most `length` characters that begins at `start` ends: at a blank if there is one."""
    if len(text) - start <= length:
        return len(text)
    blank = text.rfind(" ", start + 1, start + length)
    return start + length if blank < 0 else blank + 1


def pieces(blocks, length):
    """Yield a text, given in blocks, in pieces of at most `length` characters, cut after a blank if there is one."""
    text = ""
    start = 0
    for block in blocks:
        text, start = text[start:] + block, 0
        while len(text) - start > length:
            stop = _cut(text, start, length)
            yield text[start:stop]
            start = stop
    if start < len(text):
        yield text[start:]


def _installed_punkt():
    """NLTK's own English Punkt, or None where its data are not installed."""
    from nltk.tokenize.punkt import PunktTokenizer

    try:
        return PunktTokenizer("english")
    except LookupError:
        return None


def _trained_punkt(documents):
    """Punkt with the abbreviations that these documents show."""
    from nltk.tokenize.punkt import PunktTrainer

    token_class, splitter_class = _remembering_classes()
    text = _training_text(documents)
    parameters = PunktTrainer(text, token_cls=token_class).get_params()
    kept = _evident_abbreviations(parameters.abbrev_types, text)
    parameters.abbrev_types = kept | _COMMON_ABBREVIATIONS
    # What Punkt takes for collocations over a full stop ("in 1932. The") mostly ends a sentence: without them, 50
    # more of 13,000 sentence ends in wikitext are found, and 10 more false ones.
    parameters.collocations = set()
    return splitter_class(parameters, token_cls=token_class)


@functools.cache
def _remembering_classes():
    """Punkt's classes for tokens and splitter, made to find out only once what the same words come to.

    They answer as NLTK's own do, in less than half the time. A text repeats its words, and often what stands on both
    sides of a full stop.
    """
    from nltk.tokenize.punkt import PunktSentenceTokenizer, PunktToken

    @functools.lru_cache(maxsize=_REMEMBERED)
    def facts(word):
        token = PunktToken(word)
        return word, token.type, token.period_final, bool(token.is_ellipsis), bool(token.is_initial)

    class Token(PunktToken):
        __slots__ = ("is_ellipsis", "is_initial")

        def __init__(self, word, parastart=None, linestart=None):
            # One string for all occurrences of a word.
            self.tok, self.type, self.period_final, self.is_ellipsis, self.is_initial = facts(word)
            self.parastart, self.linestart = parastart, linestart
            self.sentbreak = self.abbr = self.ellipsis = None

    class Splitter(PunktSentenceTokenizer):
        def __init__(self, *arguments, **settings):
            super().__init__(*arguments, **settings)
            self.text_contains_sentbreak = functools.lru_cache(maxsize=_REMEMBERED)(super().text_contains_sentbreak)

    return Token, Splitter


def _training_text(documents):
    """At most about 400,000 characters, evenly spread over the paragraphs."""
    total = sum(len(block) for _, blocks in _paragraphs(documents) for block in blocks)
    chosen = []
    kept = passed = 0
    for _, blocks in _paragraphs(documents):
        for piece in pieces(blocks, _TRAINING_PIECE_LENGTH):
            if kept * total <= passed * _TRAINING_LENGTH or total <= _TRAINING_LENGTH:
                chosen.append(piece)
                kept += len(piece)
            passed += len(piece)
    return "\n\n".join(chosen)


def _evident_abbreviations(candidates, text):
    """Those of Punkt's abbreviations for which there is evidence beyond a full stop after each occurrence.

    In a short or repetitive text, a short word that only ever ends sentences ("I like it. You like it.") looks like
    an abbreviation to Punkt, and then no sentence ends there. So an abbreviation must occur at least twice, and hold
    a full stop inside (U.S.), or be followed by many different words (names, after a title), or be followed by what
    begins no sentence (a lower-case letter, a digit, a comma) more often than full stops are in this text.
    """
    goes_on = defaultdict(int)
    count = defaultdict(int)
    followers = defaultdict(set)
    for word, following in itertools.pairwise(text.split()):
        bare = word.rstrip(",;:").rstrip(_CLOSING_MARKS)
        if not bare.endswith("."):
            continue
        word_type = bare[:-1].lstrip(_OPENING_MARKS).lower()
        first = following.lstrip(_OPENING_MARKS)[:1]
        count[word_type] += 1
        goes_on[word_type] += word[-1] in ",;:" or first.islower() or first.isdigit()
        followers[word_type].add(following)
    usual_share = sum(goes_on.values()) / max(sum(count.values()), 1)

    def is_evident(candidate):
        if count[candidate] < _LEAST_ABBREVIATION_COUNT:
            return False
        share = goes_on[candidate] / count[candidate]
        return (
            "." in candidate
            or len(followers[candidate]) >= _LEAST_ABBREVIATION_FOLLOWERS
            or share > usual_share + _LEAST_ABBREVIATION_SURPLUS
        )

    return {candidate for candidate in candidates if is_evident(candidate)}
