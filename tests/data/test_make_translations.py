"""The sample of translations: made again byte for byte, with probabilities that are right."""

import math
import random
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[2] / "data"
sys.path.insert(0, str(DATA))
import choices  # noqa: E402
import make_translations as maker  # noqa: E402
import translation_words as words  # noqa: E402

sys.path.remove(str(DATA))
LINES = (DATA / "translations.tsv").read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def drawn():
    return list(maker.pairs())


@pytest.fixture(scope="module")
def sentences():
    speaker = maker.Speaker(7)
    return [speaker.sentence() for _ in range(500)]


@pytest.mark.slow
def test_the_script_writes_the_shipped_file_again(tmp_path):
    maker.main(["--output", str(tmp_path)])
    assert (tmp_path / "translations.tsv").read_bytes() == (DATA / "translations.tsv").read_bytes()


def test_the_script_writes_the_first_lines_of_the_shipped_file_again(tmp_path):
    maker.main(["--output", str(tmp_path), "--pairs", "100"])
    assert (tmp_path / "translations.tsv").read_text(encoding="utf-8").splitlines() == LINES[:100]


def test_another_seed_gives_other_sentences_of_the_same_words(tmp_path):
    maker.main(["--output", str(tmp_path), "--pairs", "100", "--seed", "2"])
    found = (tmp_path / "translations.tsv").read_text(encoding="utf-8").splitlines()
    assert len(found) == 100 and not set(found) & set(LINES[:100])
    for side in (0, 1):
        known = {word for line in LINES for word in line.split("\t")[side].split()}
        assert {word for line in found for word in line.split("\t")[side].split()} <= known


def test_the_format_and_the_lengths():
    assert len(LINES) == maker.DEFAULT_PAIRS and (DATA / "translations.tsv").stat().st_size < 1e6
    sources = [line.split("\t")[0] for line in LINES]
    assert len(set(sources)) == len(sources)
    for line in LINES:
        assert re.fullmatch(r"[a-z]+( [a-z,.?]+)+ [.?]\t[a-z]+( [a-z]+)+ [.?]", line), line
        assert all(4 <= len(text.split()) <= 14 for text in line.split("\t"))


@pytest.mark.slow
def test_the_best_possible_figures_are_those_of_the_data_readme(drawn, capsys):
    maker.main(["--best"])
    shown, readme = capsys.readouterr().out, (DATA / "README.md").read_text(encoding="utf-8")
    best, perplexity = maker.best_possible(drawn)
    for figure in (f"{best:.2f}", f"{perplexity:.4f}"):
        assert figure in shown and figure in readme


def test_probabilities_of_the_translations_of_a_sentence_sum_to_1(sentences):
    several = 0
    for sentence in sentences:
        found = maker.translations(sentence)
        assert sum(found.values()) == pytest.approx(1) and min(found.values()) > 0
        several += len(found) > 1
    assert 0.3 < several / len(sentences) < 0.9


def test_sentences_with_the_same_source_are_the_same_sentence(sentences):
    found = {}
    for sentence in sentences:
        assert found.setdefault(maker.source(sentence), sentence) == sentence


def test_translations_are_drawn_with_their_probabilities(sentences):
    # of translations that were drawn, -ln P has the mean and the variance that the probabilities say
    generator, difference, variance = random.Random(1), 0.0, 0.0
    for sentence in sentences:
        found = maker.translations(sentence)
        text = generator.choices(list(found), list(found.values()))[0]
        entropy = -sum(p * math.log(p) for p in found.values())
        difference += -math.log(found[text]) - entropy
        variance += sum(p * math.log(p) ** 2 for p in found.values()) - entropy**2
    assert abs(difference) < 4 * math.sqrt(variance)


def test_shipped_translations_are_as_probable_as_the_perplexity_says(drawn):
    difference = variance = 0.0
    for pair, line in zip(drawn, LINES, strict=True):
        assert line == f"{' '.join(pair.source)}\t{' '.join(pair.target)}"
        found = maker.translations(pair.sentence)
        entropy = -sum(p * math.log(p) for p in found.values())
        difference += -math.log(found[pair.target]) - entropy
        variance += sum(p * math.log(p) ** 2 for p in found.values()) - entropy**2
    assert abs(difference) < 4 * math.sqrt(variance)


def meaning(english):
    """The word of the source for a noun, a verb, an adjective or an adverb that is sure to mean this."""
    tables = (words.VERBS, words.ADJECTIVE_WORDS)
    for table in tables:
        for word, kinds in table.items():
            if any(english in options for options in kinds.values()):
                return word
    return next(word for word, senses in words.SENSES.items() if english in senses)


def phrase(noun, **rest):
    return maker.Phrase(meaning(noun), **rest)


def english(clause, **rest):
    return {" ".join(text): p for text, p in maker.translations(maker.Sentence(clause, **rest)).items()}


def test_the_verb_tells_the_number_of_the_subject():
    for plural, expected in ((False, "the king sleeps ."), (True, "the kings sleep .")):
        clause = maker.Clause(phrase("king", determiner="le", plural=plural), meaning("sleep"), "present")
        assert english(clause) == pytest.approx({expected: 1.0})
        source = maker.source(maker.Sentence(clause))
        assert source[:3] == (meaning("king"), "le", "na") and source[3].endswith("n") == plural


def test_the_adverb_tells_the_tense_and_may_come_first():
    adverb = next(word for word, english in words.ADVERB_WORDS.items() if english == "yesterday")
    clause = maker.Clause(phrase("queen", determiner="un"), meaning("dance"), "past", adverb=adverb)
    assert english(clause) == pytest.approx({"a queen danced yesterday .": 0.75, "yesterday a queen danced .": 0.25})
    assert not set(maker.source(maker.Sentence(clause))) & set(words.TENSES.values())


@pytest.mark.parametrize(
    ("subject", "thing", "expected"),
    [
        ("queen", "apple", {"the queen eats her apple .": 1.0}),
        ("king", "beer", {"the king drinks his beer .": 1.0}),
        ("dog", "egg", {"the dog eats its egg .": 1.0}),
        ("baker", "egg", {"the baker eats his egg .": 0.6, "the baker eats her egg .": 0.4}),
        ("king", "tea", {"the king eats his pie .": 0.65, "the king drinks his tea .": 0.35}),
        ("king", "plum", {"the king eats his plum .": 1.0}),
    ],
)
def test_the_context_decides_between_translations(subject, thing, expected):
    owned = phrase(thing, determiner="su")
    assert english(maker.Clause(phrase(subject, determiner="le"), meaning("eat"), "present", owned)) == pytest.approx(
        expected
    )


def test_a_reason_comes_first_in_the_source_and_last_in_english():
    main = maker.Clause(maker.Phrase("milara"), meaning("find"), "past", phrase("harp", determiner="le"))
    sentence = maker.Sentence(main, maker.Clause(maker.Phrase("ta"), meaning("wait"), "past"))
    assert english(*sentence[:1], reason=sentence.reason) == {"milara found the harp because she waited .": 1.0}
    source = maker.source(sentence)
    assert source.index("yun") < source.index("milara") and source[0] == "ta"


def test_questions_and_negations_need_an_auxiliary():
    apple = phrase("apple", determiner="un")
    clause = maker.Clause(maker.Phrase("vu"), meaning("eat"), "past", apple)
    assert english(clause, is_question=True) == {"did you eat an apple ?": 1.0}
    assert english(clause._replace(negated=True)) == {"you did not eat an apple .": 1.0}
    assert english(clause._replace(tense="future", negated=True)) == {"you will not eat an apple .": 1.0}


def test_each_word_of_the_source_is_in_one_list_alone():
    particles = "na no ro rom ne yun ka le un sit su ta".split()
    lists = [words.VERBS, words.ADJECTIVE_WORDS, words.ADVERB_WORDS, words.SENSES, words.POSTPOSITIONS, words.PRONOUNS]
    lists += [words.NUMERALS, words.TENSES.values(), *(names.split() for names in words.NAMES.values()), particles]
    lists += [[verb + "n" for verb in words.VERBS]]
    assert max(Counter(word for one in lists for word in one).values()) == 1


def test_bleu_equals_sacrebleu():
    sacrebleu = pytest.importorskip("sacrebleu")
    outputs, references = ([line.split("\t")[1] for line in LINES[start : start + 300]] for start in (0, 300))
    outputs = [a if n % 2 else b[: len(b) // 2] for n, (a, b) in enumerate(zip(outputs, references, strict=True))]
    others = list(reversed(references))
    expected = sacrebleu.corpus_bleu(outputs, [references, others], tokenize="none").score
    found = choices.bleu(
        [text.split() for text in outputs],
        [[one.split(), other.split()] for one, other in zip(references, others, strict=True)],
    )
    assert found[-1] == pytest.approx(expected)
