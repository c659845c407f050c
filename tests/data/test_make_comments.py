"""The shipped corpus: its grammar's probabilities are exact, and its files are what the generator writes."""

import csv
import importlib.util
import math
import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from nltk.tokenize import NLTKWordTokenizer
from nltk.tokenize.punkt import PunktSentenceTokenizer, PunktTrainer

DATA = Path(__file__).resolve().parents[2] / "data"
SCRIPT = DATA / "make_comments.py"


def load_script():
    specification = importlib.util.spec_from_file_location("make_comments", SCRIPT)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


make_comments = load_script()

# A grammar of the same notation and machinery with few sentences: two topics that share a word, an optional adverb,
# articles, agreement across a relative clause, a capital-letter mark, and an ambiguity ("will" the name, and the verb).
SMALL_RULES = """
START: 3 CLAUSE . | 1 `` ^ CLAUSE . '' | 1 NAME will IV.P.pl . | 1 will NAME IV.P.pl ?
CLAUSE: 1 NP.{c}.{n} VP.{c}.{n}
NP.{c}.sg: 2 the N.{c}.sg RC.{c}.sg | 1 a:N.{c}.sg
NP.{c}.pl: 2 the N.{c}.pl RC.{c}.pl
RC.{c}.{n}: 3 <> | 1 that the N.{s}.{m} TV.{s}.{c}.{m}
VP.{c}.{n}: 2 FREQ?25 IV.{c}.{n} | 1 NEVER?50 IV.{c}.{n}
FREQ: 2 often | 1 never
NEVER: 1 never
NAME: 1 Will | 2 Anna
"""


def small_topic(weight, people, animals, verbs, animal_verbs, relation):
    def members(share, nouns, its_verbs):
        return {"weight": share, "people": True, "nouns": nouns, "verbs": its_verbs, "adjectives": "old"}

    return {
        "weight": weight,
        "classes": {"P": members(2, people, verbs), "A": members(1, animals, animal_verbs)},
        "relations": [("P", 1, "A", relation)],
        "places": [],
        "activities": "waiting",
    }


SMALL_TOPICS = {
    "farm": small_topic(3, "farmer", "dog ewe", "sleep", "bark sleep/slept", "feed/fed see/saw"),
    "zoo": small_topic(1, "keeper farmer", "owl ape", "sleep", "sleep bite/bit", "feed/fed"),
}


@pytest.fixture(scope="module")
def small():
    return make_comments.Grammar(SMALL_RULES, SMALL_TOPICS, {})


@pytest.fixture(scope="module")
def comments():
    return make_comments.read_comments(DATA / "comments.csv")


@pytest.fixture(scope="module")
def sentences(comments):
    return [sentence for comment in comments for sentence in make_comments.split_sentences(comment)]


@pytest.fixture(scope="module")
def pairs():
    with open(DATA / "agreement.tsv", encoding="utf-8", newline="") as stream:
        header, *rows = [line.rstrip("\n").split("\t") for line in stream]
    assert header == ["distance", "right", "wrong"]
    return rows


def derivations(rules, symbols):
    """Yield `(probability, words)` for every derivation of a sequence of symbols, without the inside algorithm."""
    if not symbols:
        yield 1.0, ()
        return
    first, rest = symbols[0], symbols[1:]
    alternatives = rules.get(first)
    heads = (
        [(1.0, () if first == "^" else (first.lower(),))]
        if alternatives is None
        else [(share * inner, words) for share, parts in alternatives for inner, words in derivations(rules, parts)]
    )
    for share, words in heads:
        for inner, more in derivations(rules, rest):
            yield share * inner, words + more


def enumerate_sentences(grammar):
    """Return `{words: probability}` of all sentences, summed over derivations and topics."""
    found = Counter()
    for name, weight in grammar.weights.items():
        for share, words in derivations(grammar.topics[name].rules, ("START",)):
            found[words] += weight * share
    return found


def test_the_probabilities_of_a_reduced_grammar_sum_to_one(small):
    every = enumerate_sentences(small)
    assert len(every) > 500
    total = math.fsum(math.exp(make_comments.sentence_log_probability(words, small)) for words in every)
    assert total == pytest.approx(1.0, abs=1e-12)


def test_each_probability_is_the_sum_over_derivations_and_topics(small):
    for words, expected in enumerate_sentences(small).items():
        assert small.probability(words) == pytest.approx(expected, rel=1e-12)


def test_ambiguities_and_shared_words_are_summed(small):
    # "the farmer sleeps" comes from both topics; "never" comes from two lists of words.
    farm, zoo = (small.topics[name].probability(["the", "farmer", "sleeps", "."]) for name in ("farm", "zoo"))
    assert farm > 0 and zoo > 0
    assert small.probability(["the", "farmer", "sleeps", "."]) == pytest.approx(0.75 * farm + 0.25 * zoo)
    never = ["the", "farmer", "never", "sleeps", "."]
    assert len([1 for _, words in derivations(small.topics["farm"].rules, ("START",)) if list(words) == never]) == 2


def test_a_sentence_that_the_reduced_grammar_cannot_derive_has_no_probability(small):
    impossible = ["the dogs barks .", "the dog bark .", "a ape sleeps .", "the dog that the farmers feeds barks ."]
    impossible += ["the dog barks", "the dog barks . .", "", "the owl barks .", "an ewe sleeps . ''"]
    for text in impossible:
        assert make_comments.sentence_log_probability(text.split(), small) == -math.inf
    assert make_comments.sentence_log_probability("the dogs that the farmer feeds bark .".split(), small) > -math.inf


def test_sampling_frequencies_agree_with_the_probabilities(small):
    draws, generator = 30000, random.Random(5)
    counts = Counter()
    for _ in range(draws):
        topic = small.topics[small.sample_topic(generator)]
        words = [word.lower() for word in make_comments.leaves(topic.sample(generator)) if word != "^"]
        counts[tuple(words)] += 1
    every = enumerate_sentences(small)
    assert set(counts) <= set(every)
    for words, probability in every.most_common(60):
        deviation = math.sqrt(draws * probability * (1 - probability))
        assert abs(counts[words] - draws * probability) < 4.5 * deviation + 1


def test_articles_agree_with_the_next_word(small):
    words = [" ".join(words) for words in enumerate_sentences(small)]
    assert any("an owl" in text for text in words) and any("a dog" in text for text in words)
    assert not any(re.search(r"\ba [aeiou]|\ban [^aeiou]", text) for text in words)


def test_the_error_names_an_undefined_rule():
    with pytest.raises(ValueError, match="no rule for MISSING, which stands in a rule of START"):
        make_comments.Grammar("START: 1 MISSING .", SMALL_TOPICS, {})


def test_the_comments_depend_on_the_seed_alone():
    assert make_comments.make_comments(3, 200) == make_comments.make_comments(3, 200)
    assert make_comments.make_comments(3, 200) != make_comments.make_comments(4, 200)


@pytest.mark.slow
def test_the_shipped_files_are_what_the_generator_writes(tmp_path):
    command = [sys.executable, str(SCRIPT), "--output", str(tmp_path)]
    # Use another hash seed than this process, because the text must not depend on the order of sets.
    subprocess.run(command, check=True, capture_output=True, env={"PYTHONHASHSEED": "77"})
    for name in ("comments.csv", "agreement.tsv"):
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes()


def test_the_file_is_plain_csv(comments):
    content = (DATA / "comments.csv").read_bytes()
    assert content.startswith(b"body\n") and content.endswith(b"\n") and b"\r" not in content
    with open(DATA / "comments.csv", encoding="utf-8", newline="") as stream:
        assert [row["body"] for row in csv.DictReader(stream)] == comments


def test_the_corpus_has_the_documented_size(comments, sentences):
    assert 19500 <= len(sentences) <= 20500
    lengths = Counter(len(make_comments.split_sentences(comment)) for comment in comments)
    assert sorted(lengths) == [1, 2, 3, 4, 5, 6]
    words = Counter(token for sentence in sentences for token in make_comments.tokenise(sentence))
    alphabetic = [word for word in words if word[0].isalpha()]
    assert len(alphabetic) >= 2500
    assert sum(count == 1 for count in words.values()) >= 300  # a tail of rare words


def test_word_frequencies_follow_zipfs_law(sentences):
    counts = Counter(token for sentence in sentences for token in make_comments.tokenise(sentence))
    ranked = [count for _, count in counts.most_common()]
    points = [(math.log(rank), math.log(ranked[rank - 1])) for rank in (10, 30, 100, 300, 1000, 2500)]
    slopes = [(low[1] - high[1]) / (high[0] - low[0]) for low, high in zip(points, points[1:], strict=False)]
    assert all(0.4 < slope < 2.5 for slope in slopes)


def test_every_kind_of_sentence_occurs_and_quotes_and_brackets_balance(sentences):
    ends = Counter(sentence.rstrip('"')[-1] for sentence in sentences)
    assert set(ends) == {".", "?", "!"} and min(ends.values()) > 1000
    assert sum('"' in sentence for sentence in sentences) > 500
    assert sum("(" in sentence for sentence in sentences) > 500
    for sentence in sentences:
        tokens = make_comments.tokenise(sentence)
        assert sentence.count('"') % 2 == 0
        assert tokens.count("(") == tokens.count(")") and "()" not in re.sub(r"[^()]", "", sentence).replace("()", "")
        assert re.match(r'["(]?[A-Z0-9]', sentence)


def test_a_comment_has_one_topic(comments):
    signs = {"cooking": {"soup", "soups"}, "football": {"player", "players"}, "pets": {"dog", "dogs"}}
    seen = {name: 0 for name in signs}
    for comment in comments:
        words = set(make_comments.tokenise(comment))
        topics = [name for name, some in signs.items() if words & some]
        assert len(topics) <= 1
        for name in topics:
            seen[name] += 1
    assert min(seen.values()) > 50


def test_tokens_are_those_of_nltk(sentences):
    tokenizer = NLTKWordTokenizer()
    for sentence in sentences[:2000]:
        assert make_comments.tokenise(sentence) == [token.lower() for token in tokenizer.tokenize(sentence)]


@pytest.mark.slow
def test_punkt_trained_on_the_comments_finds_their_sentences(comments):
    trainer = PunktTrainer()
    trainer.train("\n".join(comments))
    punkt = PunktSentenceTokenizer(trainer.get_params())
    wrong = sum(punkt.tokenize(comment) != make_comments.split_sentences(comment) for comment in comments)
    assert wrong <= len(comments) // 1000


@pytest.mark.slow
def test_every_shipped_sentence_has_a_probability_and_the_readme_has_the_entropy(comments):
    found = make_comments.corpus_entropy(comments)
    assert 0 < found["error"] < 0.01
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    assert f"entropy     {found['entropy']:.4f} nats a token" in readme
    assert f"tokens      {found['tokens']} (" in readme
    assert f"perplexity  {math.exp(found['entropy']):.3f}" in readme


def test_the_probability_accepts_text_and_tokens(sentences):
    for sentence in sentences[:200]:
        tokens = NLTKWordTokenizer().tokenize(sentence)
        from_text = make_comments.sentence_log_probability(sentence)
        assert from_text == make_comments.sentence_log_probability(tokens)
        assert -200 < from_text < 0
    assert make_comments.sentence_log_probability("Colourless green ideas sleep furiously.") == -math.inf


def test_agreement_pairs_are_new_and_differ_in_one_word(pairs, sentences):
    assert len(pairs) >= 400
    assert Counter(distance for distance, _, _ in pairs) == {"near": len(pairs) // 2, "far": len(pairs) // 2}
    assert len({right for _, right, _ in pairs}) == len(pairs)
    known = set(sentences)
    words = {token for sentence in sentences for token in make_comments.tokenise(sentence)}
    for _, right, wrong in pairs:
        assert right not in known and wrong not in known
        differences = [(a, b) for a, b in zip(right.split(), wrong.split(), strict=True) if a != b]
        assert len(differences) == 1
        assert set(make_comments.tokenise(right)) | set(make_comments.tokenise(wrong)) <= words
        assert make_comments.sentence_log_probability(right) > -math.inf
        assert make_comments.sentence_log_probability(wrong) == -math.inf


def test_distant_pairs_have_a_phrase_between_subject_and_verb(pairs):
    # Before the verb of a far pair, there must be a relative clause, a phrase with a preposition, or a bracket.
    between = re.compile(r"\b(that|who|in|from|near|behind|with|for|without|on|of|about|before|after)\b|\(")
    for distance, right, wrong in pairs:
        words = right.split()
        verb = next(i for i, (a, b) in enumerate(zip(words, wrong.split(), strict=True)) if a != b)
        if distance == "far":
            assert between.search(" ".join(words[:verb]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sentences", "0"], "--sentences must be at least 1"),
        (["--sentences", "many"], "argument --sentences: invalid int value: 'many'"),
        (["--pairs", "3"], "--pairs must be an even number, 0 or more"),
        (["--output", "no/such/folder"], "--output: no such folder: no/such/folder"),
        (["--colour"], "unrecognized arguments: --colour"),
    ],
)
def test_an_invalid_option_gives_one_line_and_status_2(arguments, message, capsys):
    with pytest.raises(SystemExit) as caught:
        make_comments.main(arguments)
    assert caught.value.code == 2
    assert capsys.readouterr().err == f"make_comments.py: {message}\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file or directory"),
        ("text\nHello.\n", "the first line is not the header 'body'"),
        ("body\n", "no sentences"),
        ("body\nColourless green ideas sleep furiously.\n", "the grammar cannot derive this sentence: Colourless"),
        (b"body\n\xff\n", "can't decode byte 0xff"),
    ],
)
def test_an_invalid_file_gives_one_line_and_status_2(content, message, tmp_path, capsys):
    path = tmp_path / "some.csv"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert make_comments.main(["--entropy", str(path)]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_too_few_sentences_for_the_pairs_is_an_error(tmp_path, capsys):
    assert make_comments.main(["--sentences", "20", "--pairs", "40", "--output", str(tmp_path)]) == 2
    assert "too few sentences with common words for 40 agreement pairs" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_entropy_command_prints_its_result(tmp_path, capsys):
    assert make_comments.main(["--sentences", "50", "--pairs", "0", "--output", str(tmp_path)]) == 0
    capsys.readouterr()
    assert make_comments.main(["--entropy", str(tmp_path / "comments.csv")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "sentences   50"
    nats, bits, perplexity = float(lines[2].split()[1]), float(lines[3].split()[0]), float(lines[4].split()[1])
    assert bits * math.log(2) == pytest.approx(nats, abs=1e-3)
    assert math.exp(nats) == pytest.approx(perplexity, rel=1e-3)
