"""Choices between words with known probabilities, and BLEU: what the samples of translations and of scenes share."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

Words = tuple[str, ...]
Options = dict[str, float]  # words with probabilities
Choices = dict[Words, float]  # texts with probabilities


def fixed(*words: str) -> Choices:
    """No choice."""
    return {words: 1.0}


def one_of(options: Mapping[str, float]) -> Choices:
    """A choice between texts, whose words are separated by blanks."""
    return {tuple(text.split()): p for text, p in options.items()}


def joined(*parts: Choices) -> Choices:
    """Independent choices, one after the other."""
    found: Choices = {(): 1.0}
    for part in parts:
        found = {(*words, *more): p * q for words, p in found.items() for more, q in part.items()}
    return found


def mixture(parts: Iterable[tuple[float, Choices]]) -> Choices:
    """Add up weighted choices; those with a probability of 0 are left out.

    >>> mixture([(0.5, fixed("a")), (0.5, mixture([(0.5, fixed("a")), (0.5, fixed("b"))]))])
    {('a',): 0.75, ('b',): 0.25}
    """
    found: Choices = {}
    for weight, choices in parts:
        for words, p in choices.items():
            if weight * p:
                found[words] = found.get(words, 0.0) + weight * p
    return found


def most_probable(choices: Choices) -> Words:
    """The text with the highest probability, the first of equals."""
    return max(choices, key=choices.__getitem__)


def ngrams(words: Sequence[str], n: int) -> Counter[Words]:
    """How often each sequence of n words occurs."""
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def bleu(outputs: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]]) -> list[float]:
    """BLEU-1 to BLEU-4 of a corpus in percent, as sacrebleu computes them, without smoothing.

    Parameters
    ----------
    outputs : sequence of texts, which are sequences of words
    references : sequence of sequences of texts
        One or more for each output.

    Examples
    --------
    >>> [round(one, 1) for one in bleu(["the big dog sees a cat .".split()], [["the large dog sees a cat .".split()]])]
    [85.7, 75.6, 70.0, 64.3]
    """
    right, total = [0] * 4, [0] * 4
    written = wanted = 0
    for output, those in zip(outputs, references, strict=True):
        written += len(output)
        wanted += min((abs(len(one) - len(output)), len(one)) for one in those)[1]
        for n in range(4):
            given = ngrams(output, n + 1)
            allowed: Counter[Words] = Counter()
            for one in those:
                allowed |= ngrams(one, n + 1)
            right[n] += (given & allowed).total()
            total[n] += given.total()
    logs = [math.log(one / whole) if one else -math.inf for one, whole in zip(right, total, strict=True)]
    brevity = min(0.0, 1 - wanted / written)
    return [100 * math.exp(brevity + sum(logs[:n]) / n) for n in range(1, 5)]
