"""Documents cut into sentences and sentences into tokens, by NLTK, without any of NLTK's downloads.

NLTK is slow to import, so the functions that need it import it themselves.
"""

import functools
import itertools
import re
from collections import defaultdict
from dataclasses import asdict, dataclass, fields

from theano_rnn import detokenize as _detokenize
from theano_rnn.errors import OptionError

LEVELS = ("word", "char")

# Learning to tell abbreviations takes 2 to 4 s for each million characters, and more of them hardly help.
_TRAINING_LENGTH = 400_000
_TRAINING_PIECE_LENGTH = 20_000
# No sentence is longer; the time that NLTK takes for one piece of text, which it limits, stays short.
_LONGEST_PIECE = 100_000

_PARAGRAPH_BREAK = re.compile(r"\n\s*\n")
_CURLY_APOSTROPHE = re.compile(r"(?<=\w)’(?=\w)")

# Those which a short text may not show often enough to learn.
_TITLES = {"mr", "mrs", "ms", "dr", "prof", "rev", "st", "sr", "jr", "gen", "col", "sgt", "capt", "lt"}
_COMMON_ABBREVIATIONS = _TITLES | {"vs", "e.g", "i.e", "a.m", "p.m", "u.s", "u.k"}
_LEAST_ABBREVIATION_COUNT = 2
_LEAST_ABBREVIATION_FOLLOWERS = 5
_LEAST_ABBREVIATION_SURPLUS = 0.2
_OPENING_MARKS = "\"'`([{“‘«"
_CLOSING_MARKS = "\"')]}”’»"


def split_sentences(documents, *, progress=None):
    """Cut documents into sentences with Punkt, NLTK's sentence splitter.

    Punkt uses NLTK's English model where that is installed, and otherwise learns its abbreviations from these
    documents. A blank line always ends a sentence; any other white space inside a sentence comes out as one blank.
    A stretch of 100,000 characters without a sentence end is cut where there is a blank.

    Parameters
    ----------
    documents : sequence of str
    progress : callable, optional
        Called as ``progress(done, total)``, in characters, about a hundred times, the last time with the total.

    Returns
    -------
    list of str
        None of them empty.
    """
    paragraphs = [
        paragraph
        for document in documents
        for raw in _PARAGRAPH_BREAK.split(document)
        if (paragraph := " ".join(raw.split()))
    ]
    if not paragraphs:
        return []
    punkt = _installed_punkt() or _trained_punkt(paragraphs)
    total = sum(map(len, paragraphs))
    done = reported = 0
    sentences = []
    for paragraph in paragraphs:
        for end, sentence in _paragraph_sentences(paragraph, punkt):
            sentences.append(sentence)
            if progress and done + end - reported >= total / 100 and done + end < total:
                reported = done + end
                progress(reported, total)
        done += len(paragraph)
    if progress:
        progress(total, total)
    return sentences


def _paragraph_sentences(paragraph, punkt):
    """Yield (end of the sentence, sentence), looking at one window of a long paragraph at a time."""
    start = 0
    while start < len(paragraph):
        stop = _cut(paragraph, start, _LONGEST_PIECE)
        spans = list(punkt.span_tokenize(paragraph[start:stop]))
        if stop < len(paragraph) and len(spans) > 1:
            stop = start + spans.pop()[0]  # the last sentence may go on beyond the window
        for begin, end in spans:
            sentence = paragraph[start + begin : start + end].strip()
            if sentence:
                yield start + end, sentence
        start = stop


def _cut(text, start, length):
    """Where a piece of at most `length` characters that begins at `start` ends: at a blank if there is one."""
    if len(text) - start <= length:
        return len(text)
    blank = text.rfind(" ", start + 1, start + length)
    return start + length if blank < 0 else blank + 1


def _pieces(text, length):
    start = 0
    while start < len(text):
        stop = _cut(text, start, length)
        yield text[start:stop]
        start = stop


def _installed_punkt():
    """NLTK's own English Punkt, or None where its data are not installed."""
    from nltk.tokenize.punkt import PunktTokenizer

    try:
        return PunktTokenizer("english")
    except LookupError:
        return None


def _trained_punkt(paragraphs):
    """Punkt with the abbreviations that these paragraphs show."""
    from nltk.tokenize.punkt import PunktSentenceTokenizer, PunktTrainer

    text = _training_text(paragraphs)
    parameters = PunktTrainer(text).get_params()
    kept = _evident_abbreviations(parameters.abbrev_types, text)
    parameters.abbrev_types = kept | _COMMON_ABBREVIATIONS
    # What Punkt takes for collocations over a full stop ("in 1932. The") mostly ends a sentence: without them, 50
    # more of 13,000 sentence ends in wikitext are found, and 10 more false ones.
    parameters.collocations = set()
    return PunktSentenceTokenizer(parameters)


def _training_text(paragraphs):
    """At most about 400,000 characters, evenly spread over the paragraphs."""
    total = sum(map(len, paragraphs))
    pieces = []
    kept = passed = 0
    for paragraph in paragraphs:
        for piece in _pieces(paragraph, _TRAINING_PIECE_LENGTH):
            if kept * total <= passed * _TRAINING_LENGTH or total <= _TRAINING_LENGTH:
                pieces.append(piece)
                kept += len(piece)
            passed += len(piece)
    return "\n\n".join(pieces)


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


@functools.cache
def _word_tokenizer():
    from nltk.tokenize import NLTKWordTokenizer

    return NLTKWordTokenizer()


@dataclass(frozen=True)
class Tokenizer:
    """How text becomes tokens, and tokens text again.

    Parameters
    ----------
    level : {"word", "char"}
        Words by NLTK's word tokenizer, or the text as it is, every character a token.
    lowercase : bool
        Whether words are lower-cased. Characters never are.
    tokenized : bool
        The text is one sentence a line, its tokens divided by blanks, and is left as it is, capitals too.

    Raises
    ------
    OptionError
        For a value that is none of these, and for characters of a tokenized text.
    """

    level: str = "word"
    lowercase: bool = True
    tokenized: bool = False

    def __post_init__(self):
        if self.level not in LEVELS:
            raise OptionError(f"level is {self.level!r}; expected 'word' or 'char'")
        for name in ("lowercase", "tokenized"):
            if not isinstance(getattr(self, name), bool):
                raise OptionError(f"{name} is {getattr(self, name)!r}; expected True or False")
        if self.level == "char" and self.tokenized:
            raise OptionError("tokenized text has words as its tokens; use level 'word' for it, or tokenized=False")

    def sentences(self, documents, *, progress=None):
        """Cut documents into sentences: by Punkt, or a line each if tokenized or at character level.

        Parameters
        ----------
        documents : sequence of str
        progress : callable, optional
            As for `split_sentences`.

        Returns
        -------
        list of str
            None of them empty. At character level a line keeps its white space.
        """
        if self.level == "word" and not self.tokenized:
            return split_sentences(documents, progress=progress)
        lines = (line for document in documents for line in document.split("\n"))
        if self.level == "char":
            return [line for line in lines if line]
        return [stripped for line in lines if (stripped := line.strip())]

    def tokenize(self, sentence):
        """Cut one sentence into tokens.

        A curly apostrophe inside a word counts as a straight one, so that "don’t" and "don't" are the same tokens.

        Parameters
        ----------
        sentence : str

        Returns
        -------
        list of str
        """
        if self.level == "char":
            return list(sentence)
        if self.tokenized:
            return sentence.split()
        if "’" in sentence:
            sentence = _CURLY_APOSTROPHE.sub("'", sentence)
        if len(sentence) <= _LONGEST_PIECE:
            tokens = _word_tokenizer().tokenize(sentence)
        else:
            pieces = _pieces(sentence, _LONGEST_PIECE)
            tokens = [token for piece in pieces for token in _word_tokenizer().tokenize(piece)]
        return [token.lower() for token in tokens] if self.lowercase else tokens

    def detokenize(self, tokens):
        """Write tokens as readable text: ``he said `` no '' .`` becomes ``he said "no".``

        Parameters
        ----------
        tokens : iterable of str

        Returns
        -------
        str
        """
        if self.level == "char":
            return "".join(tokens)
        return _detokenize.detokenize(tokens, self.tokenized)

    def words_added(self, token):
        """How many blank-separated words a token adds to what `detokenize` writes.

        Parameters
        ----------
        token : str

        Returns
        -------
        int
            1 for a word; 0 for a mark or a part of a word; -1 for a mark that makes one word of two (``@-@`` in
            tokenized text). The sum over a sentence's tokens is ``len(text.split())`` of its text, with the
            exceptions that `theano_rnn.detokenize.detokenize` names. Characters always count 1.
        """
        return 1 if self.level == "char" else _detokenize.words_added(token, self.tokenized)

    def starts_word(self, token):
        """Whether the written text gets one more blank-separated word with this token.

        As `words_added`, which also knows that the word after ``@-@`` is not one more.

        Parameters
        ----------
        token : str

        Returns
        -------
        bool
        """
        return self.words_added(token) > 0

    def to_configuration(self):
        """A plain dict that JSON can write and `from_configuration` reads."""
        return asdict(self)

    @classmethod
    def from_configuration(cls, configuration):
        """Make the tokenizer that `to_configuration` described.

        Raises
        ------
        ValueError
            If a key is unknown or missing, or its value is of the wrong kind; the message names the key.
        """
        if not isinstance(configuration, dict):
            raise ValueError(f"expected the tokenizer's settings as a dict, got {type(configuration).__name__}")
        expected = {field.name for field in fields(cls)}
        for problem, keys in (
            ("unknown", configuration.keys() - expected),
            ("missing", expected - configuration.keys()),
        ):
            if keys:
                raise ValueError(f"{problem} key in the tokenizer's settings: {', '.join(sorted(map(str, keys)))}")
        return cls(**configuration)
