"""Write the sample of labelled texts: reviews made by a seeded grammar, with the exact probability of each label.

A review has one to three sentences, some of which judge something. Each sentence has a score of -1, 0 or 1 that follows
from its words by rule: a negation turns an adjective round ("not bad"), only the part after "but" counts, what was
expected or wished for did not come true, and facts judge nothing. The scores of a review are added up, and their sum is
cut to -1, 0 or 1. The label is drawn given this number (`LABEL_PROBABILITIES`), as if a careless person had written it
down. So P(label | text) is known exactly, and with it the best possible accuracy and loss: the mean of the largest of
the three probabilities, and that of -ln P(label | text).

Command line::

    python data/make_reviews.py                    # write reviews.tsv beside this file
    python data/make_reviews.py --output FOLDER    # ... or elsewhere; also --seed, --reviews
    python data/make_reviews.py --best             # the best possible accuracy and loss on reviews.tsv

For import: `Reviewer`, which writes reviews, and `probabilities`, which reads a review's score from its third column.
"""

import argparse
import csv
import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parent
DEFAULT_SEED = 20150917
DEFAULT_REVIEWS = 4000
LABELS = ("negative", "neutral", "positive")
# P(label | score), for scores of -1, 0 and 1.
LABEL_PROBABILITIES = {-1: (0.96, 0.03, 0.01), 0: (0.03, 0.94, 0.03), 1: (0.01, 0.03, 0.96)}
SENTENCES = (45, 35, 20)  # weights of one to three sentences
EXPONENT = 0.8  # the weight of the word of rank r is (r + 1) ** -EXPONENT

GOOD = """good great lovely excellent wonderful pleasant reliable beautiful clever comfortable delicious charming superb
solid elegant fantastic friendly tasty impressive brilliant handy smart delightful gorgeous amazing fresh generous
marvelous splendid sturdy terrific thoughtful warm witty admirable cozy crisp dependable exquisite flawless graceful
heavenly inspiring luxurious magnificent perfect polished refined remarkable satisfying sublime touching""".split()
BAD = """bad poor terrible awful boring ugly useless disappointing cheap noisy dull horrible weak dirty rude bland
broken annoying flimsy dreadful slow stale clumsy cold dreary faulty greasy mediocre miserable nasty overpriced shabby
sloppy tedious tasteless unreliable abysmal atrocious careless confusing dismal drab filthy grim hideous irritating
lousy messy pathetic shoddy tiresome unpleasant worthless""".split()
PLAIN = """red small large round new heavy short long wooden white black plain blue thin wide green metal square old
modern""".split()
THINGS = """film hotel camera soup book lamp phone chair room coffee song jacket radio cake bicycle play printer kettle
clock tent pillow museum sandwich keyboard guitar sofa bus garden ring umbrella""".split()
PARTS = """color price sound taste design end service handle beginning size story view smell music staff cover menu
battery manual weight""".split()
PEOPLE = "my sister | my boss | our neighbor | a friend | my uncle | the whole family | my teacher | our guide".split(
    " | "
)
TIMES = "in March | last week | on Monday | two years ago | in spring | yesterday | at noon | on my birthday".split(
    " | "
)
DEGREES = ("very", "really", "quite", "so", "rather", "extremely")
NEGATIONS = ("is not", "isn't", "was never", "is hardly", "wasn't")


class Judgment(NamedTuple):
    """A part of a sentence and its score."""

    text: str
    score: int


class Review(NamedTuple):
    """A review with its score and a label drawn given the score."""

    label: str
    text: str
    score: int


class Reviewer:
    """Writes reviews from a seed."""

    def __init__(self, seed: int = DEFAULT_SEED) -> None:
        self.random = random.Random(seed)

    def word(self, words: Sequence[str]) -> str:
        """A word of a list; the first are the most frequent."""
        return self.random.choices(words, [(rank + 2) ** -EXPONENT for rank in range(len(words))])[0]

    def happens(self, percent: float) -> bool:
        """True with this probability."""
        return self.random.random() < percent / 100

    def adjective(self, score: int | None = None) -> Judgment:
        """A good or a bad word, perhaps with a word of degree before it."""
        score = self.random.choice([-1, 1]) if score is None else score
        word = self.word(GOOD if score > 0 else BAD)
        return Judgment(f"{self.word(DEGREES)} {word}" if self.happens(30) else word, score)

    def subject(self) -> str:
        """A thing, or a part of one."""
        return f"the {self.word(PARTS)} of the {self.word(THINGS)}" if self.happens(25) else f"the {self.word(THINGS)}"

    def clause(self) -> Judgment:
        """A clause that judges something, perhaps with a negation."""
        adjective, subject = self.adjective(), self.subject()
        kind = self.random.random()
        if kind < 0.5:
            return Judgment(f"{subject} {self.word(['is', 'was', 'looks', 'seems'])} {adjective.text}", adjective.score)
        if kind < 0.75:
            return Judgment(f"{subject} {self.word(NEGATIONS)} {adjective.text}", -adjective.score)
        if kind < 0.9:
            return Judgment(f"{self.word(PEOPLE)} found {subject} {adjective.text}", adjective.score)
        return Judgment(f"nobody would call {subject} {adjective.text}", -adjective.score)

    def sentence(self) -> Judgment:
        """A sentence: a judgment, two of which one counts, or a fact."""
        kind, (text, score) = self.random.random(), self.clause()
        other = self.clause()
        if kind < 0.34:
            return Judgment(f"{text}.", score)
        if kind < 0.48:
            return Judgment(f"{text}, but {other.text}.", other.score)
        if kind < 0.58:
            return Judgment(f"although {text}, {other.text}.", other.score)
        if kind < 0.66:
            return Judgment(f"I thought that {text}, until I saw it again.", -score)
        if kind < 0.74:
            expected, found = self.adjective(), self.adjective()
            return Judgment(f"I expected it to be {expected.text}, and it was {found.text}.", found.score)
        if kind < 0.80:
            wished = self.adjective(1)
            return Judgment(f"if only {self.subject()} were {wished.text}!", -wished.score)
        return Judgment(f"{self.fact()}.", 0)

    def fact(self) -> str:
        """A clause that judges nothing."""
        thing, kind = f"the {self.word(PLAIN)} {self.word(THINGS)}", self.random.random()
        if kind < 0.35:
            return f"I bought {thing} {self.word(TIMES)}"
        if kind < 0.6:
            return f"{self.word(PEOPLE)} saw {thing} {self.word(TIMES)}"
        if kind < 0.8:
            return f"{self.subject()} is {self.word(PLAIN)} and {self.word(PLAIN)}"
        return f"{self.word(PEOPLE)} asked me whether {self.subject()} was {self.adjective().text}"

    def review(self) -> Review:
        """A review, and a label drawn given its score."""
        count = self.random.choices((1, 2, 3), SENTENCES)[0]
        sentences = [self.sentence() for _ in range(count)]
        score = max(-1, min(1, sum(sentence.score for sentence in sentences)))
        text = " ".join(sentence.text[0].upper() + sentence.text[1:] for sentence in sentences)
        return Review(self.random.choices(LABELS, LABEL_PROBABILITIES[score])[0], text, score)


def probabilities(score: int) -> dict[str, float]:
    """P(label | text) of a review with this score.

    >>> probabilities(1)["positive"]
    0.96
    """
    return dict(zip(LABELS, LABEL_PROBABILITIES[score], strict=True))


def best_possible(reviews: Sequence[Review]) -> tuple[float, float]:
    """The accuracy and the loss in nats that nobody can expect to surpass on these reviews."""
    given = [LABEL_PROBABILITIES[one.score] for one in reviews]
    accuracy = sum(map(max, given)) / len(given)
    return accuracy, -sum(sum(p * math.log(p) for p in row) for row in given) / len(given)


def read_reviews(path: Path) -> Iterator[Review]:
    """The reviews of a file that this script has written."""
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield Review(row["label"], row["text"], int(row["score"]))


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Write reviews.tsv, a sample of labelled texts.")
    parser.add_argument("--output", type=Path, default=FOLDER, metavar="FOLDER")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--reviews", type=int, default=DEFAULT_REVIEWS, metavar="N")
    parser.add_argument("--best", action="store_true", help="print the best possible accuracy and loss on reviews.tsv")
    arguments = parser.parse_args(argv)
    path = arguments.output / "reviews.tsv"
    if arguments.best:
        reviews = list(read_reviews(path))
        accuracy, loss = best_possible(reviews)
        print(f"reviews   {len(reviews)}\naccuracy  {100 * accuracy:.2f} %\nloss      {loss:.4f} nats")
        return
    reviewer = Reviewer(arguments.seed)
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write("label\ttext\tscore\n")
        for _ in range(arguments.reviews):
            file.write("\t".join(map(str, reviewer.review())) + "\n")


if __name__ == "__main__":
    main()
