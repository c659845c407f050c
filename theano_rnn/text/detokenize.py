"""Tokens written back as readable text: which marks lean on the word before, and which on the word after."""

import functools
import re

# A token's role in the written text, one character each, so that a run of tokens has its roles as a string.
_WORD = "w"
_OPENING = "("  # leans on the word after it
_CLOSING = ")"  # leans on the word before it and closes what an opening mark opened
_TRAILING = ","  # leans on the word before it
_JOINING = "-"  # leans on both

_ROLES = {
    **dict.fromkeys(["(", "[", "{", "``", "“", "‘", "„", "«", "$", "£", "#", "@", "¿", "¡"], _OPENING),
    **dict.fromkeys([")", "]", "}", "''", "”", "’", "»"], _CLOSING),
    **dict.fromkeys([",", ";", ":", "%"], _TRAILING),
    **dict.fromkeys(["n't", "'s", "'m", "'d", "'ll", "'re", "'ve", "'ye", "'n", "'t"], _TRAILING),
}
_STRAIGHT_QUOTES = ('"', "'")
_WRITTEN = {"``": '"', "''": '"'}
_END_MARKS = re.compile(r"[.!?…]+")
_JOINER = re.compile(r"@([^\w\s])@")  # wikitext: 0 @.@ 7, 1 @,@ 000, well @-@ known

# NLTK cuts these words in two; they are written in one piece again. "cannot" is not among them: "can not" is
# readable too, and neither half would tell by itself that it adds no word.
_CUT_WORDS = {("gon", "na"), ("wan", "na"), ("got", "ta"), ("gim", "me"), ("lem", "me")}
_CUT_FIRST_HALVES = {"gon", "wan", "gim", "lem"}
_CUT_SECOND_HALVES = {"ta"}
_DEPENDS_ON_NEXT = {first for first, _ in _CUT_WORDS} | {"'t"}
# What an apostrophe may stand before in place of letters left out: 'em, 'tis, the '90s.
_SHORTENED = {"em", "til", "cause", "bout", "round", "tis", "twas"}


@functools.lru_cache(maxsize=100_000)
def _role(token, tokenized):
    """The role of a token by itself. A straight quote counts as an opening one here."""
    role = _ROLES.get(token.lower())
    if role is not None:
        return role
    if token in _STRAIGHT_QUOTES:
        return _OPENING
    if _END_MARKS.fullmatch(token):
        return _TRAILING
    if tokenized:
        return _JOINING if _JOINER.fullmatch(token) else _WORD
    # NLTK cuts an address into "http", ":" and "//…".
    return _TRAILING if token.startswith("//") and len(token) > 2 else _WORD


def words_added(token, tokenized=False):
    """How many blank-separated words this token adds to the written text.

    Parameters
    ----------
    token : str
    tokenized : bool
        Whether the tokens come from a text that was already tokenized (as wikitext), where ``@-@`` joins words.

    Returns
    -------
    int
        1 for a word, 0 for a mark or word part that leans on a word, -1 for a mark that makes one word of two.
    """
    if not tokenized and token.lower() in _CUT_FIRST_HALVES | _CUT_SECOND_HALVES:
        return 0
    return {_WORD: 1, _JOINING: -1}.get(_role(token, tokenized), 0)


def detokenize(tokens, tokenized=False):
    """Write word-level tokens as readable text.

    Each stretch of text between blanks holds one word, with the marks that lean on it. A mark with no word on the
    side where it belongs (a closing bracket that begins the text, an opening one that ends it) leans on the other.
    So ``len(detokenize(tokens).split())`` is the sum of ``words_added`` over the tokens, as long as there is a word
    at all, a joining mark stands between two words, and the halves of a cut word (gon na) stand together.

    Parameters
    ----------
    tokens : sequence of str
    tokenized : bool
        As for `words_added`.

    Returns
    -------
    str

    Examples
    --------
    >>> detokenize(["he", "did", "n't", "say", "``", "no", "''", "."])
    'he didn\\'t say "no".'
    """
    return "".join(written_tokens(tokens, tokenized)[0])


def written_tokens(tokens, tokenized=False):
    """What each token adds to the written text, the blank before it included, and how much of that is settled.

    Parameters
    ----------
    tokens : sequence of str
    tokenized : bool
        As for `words_added`.

    Returns
    -------
    written : list of str
        One for each token; joined they are what `detokenize` gives.
    settled : int
        So many of the first tokens are written like this whatever follows the last one. Not settled are an opening
        mark, which leans on a word that is still to come, a straight single quote that may get a partner, and the
        first half of a cut word.
    """
    given, tokens = tokens, [token for token in tokens if token]
    roles, roles_settled = _roles_in_context(tokens, tokenized)
    written = [_written(token, tokenized) for token in tokens]
    marks_from = 0  # the first mark since the last word
    mark_roles = ""
    settled = 0
    for i, role in enumerate(roles):
        if role == _WORD:
            blank = _blank_position(mark_roles) if marks_from else None
            if blank is not None:
                written[marks_from + blank] = " " + written[marks_from + blank]
            marks_from, mark_roles = i + 1, ""
        else:
            mark_roles += role
        # A mark gets a blank before it only if it, or one before it, is an opening one, and never at the beginning.
        if i < roles_settled and (not marks_from or _OPENING not in mark_roles):
            settled = i + 1
    if len(given) == len(tokens):
        return written, settled
    places = [i for i, token in enumerate(given) if token]
    spread = [""] * len(given)
    for place, text in zip(places, written, strict=True):
        spread[place] = text
    return spread, places[settled] if settled < len(places) else len(given)


@functools.lru_cache(maxsize=100_000)
def _written(token, tokenized):
    if tokenized:
        joiner = _JOINER.fullmatch(token)
        if joiner:
            return joiner[1]
    return _WRITTEN.get(token, token)


def _blank_position(mark_roles):
    """Where, among the marks between two words, the one blank goes; None if they join the words."""
    if _JOINING in mark_roles:
        return None
    first_open = mark_roles.find(_OPENING, mark_roles.rfind(_CLOSING) + 1)
    return len(mark_roles) if first_open < 0 else first_open


def _roles_in_context(tokens, tokenized):
    """The role of each token, those decided that a token does not tell by itself: straight quotes, cut words.

    Returns the roles, and how many of the first of them stay whatever follows the last token.
    """
    settled = len(tokens)
    roles = [_role(token, tokenized) for token in tokens]
    left = {quote: tokens.count(quote) for quote in _STRAIGHT_QUOTES}
    is_open = dict.fromkeys(_STRAIGHT_QUOTES, False)
    for i, token in enumerate(tokens):
        if token not in left and (tokenized or token.lower() not in _DEPENDS_ON_NEXT):
            continue
        is_last = i + 1 == len(tokens)
        following = "" if is_last else tokens[i + 1].lower()
        if is_last and not (token in left and (token == '"' or is_open[token])):
            settled = min(settled, i)
        if token in left:
            left[token] -= 1
            if token == "'" and not is_open[token]:
                if following in _SHORTENED or following[:1].isdigit():
                    continue
                # Without a partner further on it is an apostrophe at a word's end: the boys' toys.
                is_open[token] = i == 0 or left[token] > 0
                if not is_open[token]:
                    settled = min(settled, i)  # as long as no partner has come
            else:
                is_open[token] = not is_open[token]
            roles[i] = _OPENING if is_open[token] else _CLOSING
        elif (token.lower(), following) in _CUT_WORDS:
            if token.lower() in _CUT_FIRST_HALVES:
                roles[i] = _OPENING
            else:
                roles[i + 1] = _TRAILING
        elif token.lower() == "'t" and following in ("is", "was"):
            roles[i] = _OPENING
    return roles, settled
