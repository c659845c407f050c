"""From tokens back to readable text: which punctuation marks attach to the word before, and which to the word after."""

import functools
import re
from collections.abc import Sequence

# The role of a token in the written text. Each is one character, so that the roles of several tokens are a string.
_WORD = "w"
_OPENING = "("  # attaches to the next word
_CLOSING = ")"  # attaches to the previous word and closes what an opening mark opened
_TRAILING = ","  # attaches to the previous word
_JOINING = "-"  # attaches to both

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

# NLTK splits these words in two, and they are written as one word again. "cannot" is not among them: "can not" is
# readable, too, and neither half shows by itself that it adds no word.
_CONTRACTIONS = {("gon", "na"), ("wan", "na"), ("got", "ta"), ("gim", "me"), ("lem", "me")}
_FIRST_HALVES = {"gon", "wan", "gim", "lem"}
_SECOND_HALVES = {"ta"}
_DEPENDS_ON_NEXT = {first for first, _ in _CONTRACTIONS} | {"'t"}
# Words with an apostrophe in place of their first letters: 'em, 'tis, the '90s.
_ELIDED = {"em", "til", "cause", "bout", "round", "tis", "twas"}


@functools.lru_cache(maxsize=100_000)
def _role(token: str, tokenized: bool) -> str:
    """Return the role of a token without context. A straight quote counts as an opening quote."""
    role = _ROLES.get(token.lower())
    if role is not None:
        return role
    if token in _STRAIGHT_QUOTES:
        return _OPENING
    if _END_MARKS.fullmatch(token):
        return _TRAILING
    if tokenized:
        return _JOINING if _JOINER.fullmatch(token) else _WORD
    # NLTK splits a URL into "http", ":" and "//…".
    return _TRAILING if token.startswith("//") and len(token) > 2 else _WORD


def words_added(token: str, tokenized: bool = False) -> int:
    """Return how many whitespace-separated words a token adds to the written text.

    Parameters
    ----------
    token : str
    tokenized : bool
        Whether the tokens are from a text that was tokenized already, such as wikitext, where ``@-@`` joins words.

    Returns
    -------
    int
        1 for a word, 0 for a punctuation mark or a part of a word, -1 for a mark that makes one word of two.

    Examples
    --------
    >>> [words_added(token) for token in ["do", "n't", "go", "!"]]
    [1, 0, 1, 0]
    """
    if not tokenized and token.lower() in _FIRST_HALVES | _SECOND_HALVES:
        return 0
    return {_WORD: 1, _JOINING: -1}.get(_role(token, tokenized), 0)


def detokenize(tokens: Sequence[str], tokenized: bool = False) -> str:
    """Write word-level tokens as readable text.

    The text between two spaces is one word, with the marks that attach to it. A mark without a word on the side to
    which it belongs (a closing bracket at the start of the text, an opening one at its end) attaches to the other side.
    So ``len(detokenize(tokens).split())`` is the sum of `words_added` over the tokens, provided that there is at least
    one word, that a joining mark is between two words, and that the halves of a contraction (gon na) are together.

    Parameters
    ----------
    tokens : sequence of str
    tokenized : bool
        See `words_added`.

    Returns
    -------
    str

    Examples
    --------
    >>> detokenize(["he", "did", "n't", "say", "``", "no", "''", "."])
    'he didn\\'t say "no".'
    """
    return "".join(written_tokens(tokens, tokenized)[0])


def written_tokens(tokens: Sequence[str], tokenized: bool = False) -> tuple[list[str], int]:
    """Return what each token adds to the written text, including the space before it, and how much of it is final.

    Parameters
    ----------
    tokens : sequence of str
    tokenized : bool
        See `words_added`.

    Returns
    -------
    written : list of str
        One for each token. Joined they are the text that `detokenize` returns.
    settled : int
        How many of the first tokens are written like this whatever follows the last token. An opening mark is not
        settled until its word follows, nor a straight single quote whose partner may still follow, nor the first half
        of a contraction.

    Examples
    --------
    >>> written_tokens(["he", "said", "``"])
    (['he', ' said', '"'], 2)
    """
    given, tokens = tokens, [token for token in tokens if token]
    roles, roles_settled = _roles_in_context(tokens, tokenized)
    written = [_written(token, tokenized) for token in tokens]
    marks_from = 0  # the first mark since the last word
    mark_roles = ""
    settled = 0
    for i, role in enumerate(roles):
        if role == _WORD:
            space = _space_position(mark_roles) if marks_from else None
            if space is not None:
                written[marks_from + space] = " " + written[marks_from + space]
            marks_from, mark_roles = i + 1, ""
        else:
            mark_roles += role
        # A mark gets a space only if it, or a mark before it, is an opening one, and never at the start of the text.
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
def _written(token: str, tokenized: bool) -> str:
    if tokenized:
        joiner = _JOINER.fullmatch(token)
        if joiner:
            return joiner[1]
    return _WRITTEN.get(token, token)


def _space_position(mark_roles: str) -> int | None:
    """Find the place of the space among the marks between two words; None if they join the words."""
    if _JOINING in mark_roles:
        return None
    first_open = mark_roles.find(_OPENING, mark_roles.rfind(_CLOSING) + 1)
    return len(mark_roles) if first_open < 0 else first_open


def _roles_in_context(tokens: Sequence[str], tokenized: bool) -> tuple[list[str], int]:
    """Return the role of each token, and how many of the first roles are final whatever follows the last token.

    The context decides the roles of straight quotes and of the halves of contractions.
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
                if following in _ELIDED or following[:1].isdigit():
                    continue
                # Without a later partner it is an apostrophe at the end of a word: the boys' toys.
                is_open[token] = i == 0 or left[token] > 0
                if not is_open[token]:
                    settled = min(settled, i)  # a partner may still follow
            else:
                is_open[token] = not is_open[token]
            roles[i] = _OPENING if is_open[token] else _CLOSING
        elif (token.lower(), following) in _CONTRACTIONS:
            if token.lower() in _FIRST_HALVES:
                roles[i] = _OPENING
            else:
                roles[i + 1] = _TRAILING
        elif token.lower() == "'t" and following in ("is", "was"):
            roles[i] = _OPENING
    return roles, settled
