"""Sentences and tokens: where Punkt cuts, what is left alone, and that no text makes it slow or crash."""

import ast
import json
from dataclasses import FrozenInstanceError
from pathlib import Path

import nltk.tokenize.punkt
import pytest

from theano_rnn import text
from theano_rnn.errors import OptionError
from theano_rnn.text import Tokenizer, split_sentences

DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def no_installed_model(monkeypatch):
    """As on most machines: NLTK has none of its data."""

    def fail(language):
        raise LookupError(language)

    monkeypatch.setattr(nltk.tokenize.punkt, "PunktTokenizer", fail)


class FullStopSplitter:
    """In place of Punkt: a sentence ends at each full stop. Counts the characters that it is given."""

    seen = 0

    def span_tokenize(self, string):
        self.seen += len(string)
        start = 0
        for end in [i + 1 for i, character in enumerate(string) if character == "."]:
            yield start, end
            start = end
        if start < len(string):
            yield start, len(string)


@pytest.fixture
def full_stop_splitter(monkeypatch):
    splitter = FullStopSplitter()
    monkeypatch.setattr(text, "_installed_punkt", lambda: splitter)
    return splitter


@pytest.mark.parametrize(
    "sentences",
    [
        ['He said "Stop."', "Then he left."],
        ["“Go away.”", "He ran."],
        ["(It was late.)", "Really?", "Yes!", "[See below.]", "Good."],
        ["Mr. Smith met Dr. Jones at 5 p.m. today.", "He lives in the U.S. now."],
        ["We like J. S. Bach.", "He wrote a lot, i.e. more than I."],
        ["It was 3.14 in 1932.", "The end."],
    ],
)
def test_short_text_is_cut_at_its_sentence_ends(sentences):
    assert split_sentences([" ".join(sentences)]) == sentences


@pytest.mark.parametrize("repetitions", [1, 300])
@pytest.mark.parametrize(
    "sentences",
    [
        ["I like it.", "You like it.", "They like it."],  # "it." is no abbreviation
        ["the cat sat on the mat.", "the dog ran."],
        ["I have 3.", "You have 4.", "We have 5."],  # "3. You" is no collocation
    ],
)
def test_repetitive_text_does_not_teach_false_abbreviations(sentences, repetitions):
    assert split_sentences([" ".join(sentences * repetitions)]) == sentences * repetitions


def test_abbreviation_is_learned_from_the_text():
    sentence = "The sp. nigra and the sp. alba are {} plants of the genus."
    sentences = [sentence.format(word) for word in ("rare", "common", "tall", "small", "green", "old")]
    assert split_sentences([" ".join(sentences)]) == sentences


@pytest.mark.parametrize(
    ("contexts", "is_kept"),
    [
        (["xy. then", "xy. and"], True),  # followed by what begins no sentence
        (["xy. 7", "xy., Then"], True),
        (["xy. then"], False),  # only once
        (["xy. Then", "xy. And"], False),
        (["xy. Ann", "xy. Bob", "xy. Cid", "xy. Dan", "xy. Eve"], True),  # followed by many words, as a title is
        (["xy. Ann", "xy. Bob", "xy. Cid", "xy. Dan", "xy. Ann"], False),
    ],
)
def test_abbreviation_needs_evidence(contexts, is_kept):
    ends = "One. Two. Three. Four. Five. Six. Seven."
    assert text._evident_abbreviations({"xy"}, " ".join([*contexts, ends])) == ({"xy"} if is_kept else set())


def test_full_stop_inside_is_evidence_for_an_abbreviation():
    assert text._evident_abbreviations({"x.y"}, '"x.y. Then (X.Y.) And more.') == {"x.y"}


def test_blank_line_ends_a_sentence_and_other_white_space_is_one_blank():
    document = "A heading\n \t\nOne\nsentence  over\r\nlines\tof text\n\n\n\nand another"
    assert split_sentences([document]) == ["A heading", "One sentence over lines of text", "and another"]


def test_document_ends_a_sentence():
    assert split_sentences(["no full stop", "here either"]) == ["no full stop", "here either"]


@pytest.mark.parametrize("documents", [[], [""], [" \n\n\t\n"]])
def test_blank_documents_have_no_sentences(documents):
    assert split_sentences(documents) == []


def test_sentence_is_never_empty(monkeypatch):
    monkeypatch.setattr(FullStopSplitter, "span_tokenize", lambda self, string: [(0, 2), (2, 2), (2, 3), (3, 5)])
    monkeypatch.setattr(text, "_installed_punkt", FullStopSplitter)
    assert split_sentences(["A. B."]) == ["A.", "B."]


def test_installed_model_is_preferred(monkeypatch):
    monkeypatch.setattr(nltk.tokenize.punkt, "PunktTokenizer", lambda language: FullStopSplitter())
    assert split_sentences(["Mr. X. y"]) == ["Mr.", "X.", "y"]


def test_cutting_a_long_paragraph_by_windows_changes_no_sentence(monkeypatch, full_stop_splitter):
    monkeypatch.setattr(text, "_LONGEST_PIECE", 100)
    sentences = [f"Sentence {'of ' * (i % 12)}number {i}." for i in range(200)]
    assert split_sentences([" ".join(sentences)]) == sentences


@pytest.mark.parametrize(
    "paragraph",
    [
        "word " * 2000,  # no sentence ends
        "x" * 10_000,  # no blanks either
        ("Short. " + "word " * 19) * 100,  # a window is mostly looked at twice
        "." * 10_000,
    ],
)
def test_long_paragraph_is_looked_at_twice_at_most_and_loses_nothing(monkeypatch, full_stop_splitter, paragraph):
    monkeypatch.setattr(text, "_LONGEST_PIECE", 100)
    sentences = split_sentences([paragraph])
    assert full_stop_splitter.seen <= 2 * len(paragraph)
    assert "".join(sentences).replace(" ", "") == paragraph.replace(" ", "")
    assert max(map(len, sentences)) <= 100


def test_million_blank_lines_are_passed_over():
    assert split_sentences(["\n" * 1_000_000 + "Hi." + " \n" * 500_000 + "Ho."]) == ["Hi.", "Ho."]


def test_training_text_is_spread_evenly_over_a_large_corpus(monkeypatch):
    monkeypatch.setattr(text, "_TRAINING_LENGTH", 1000)
    paragraphs = [f"{i:09d}" for i in range(10_000)]
    pieces = text._training_text(paragraphs).split("\n\n")
    assert 1000 <= sum(map(len, pieces)) <= 1000 + 9
    tenths = [int(piece) // 1000 for piece in pieces]
    assert {tenths.count(tenth) for tenth in range(10)} <= {11, 12}


def test_training_text_of_a_small_corpus_is_all_of_it():
    assert text._training_text(["One.", "Two. " * 9000]).replace("\n\n", "") == "One." + "Two. " * 9000


def test_progress_rises_to_the_total():
    reports = []
    documents = ["One sentence. Another one here."] * 500
    split_sentences(documents, progress=lambda done, total: reports.append((done, total)))
    total = sum(map(len, documents))
    assert [done for done, _ in reports] == sorted({done for done, _ in reports})
    assert reports[-1] == (total, total)
    assert {total for _, total in reports} == {total}
    assert 50 <= len(reports) <= 101


@pytest.mark.parametrize(
    ("sentence", "tokens"),
    [
        ('He said "Stop."', ["he", "said", "``", "stop", ".", "''"]),
        ("He said “Stop.”", ["he", "said", "“", "stop", ".", "”"]),
        ("(It was late.)", ["(", "it", "was", "late", ".", ")"]),
        ("Don't pay $3.50!", ["do", "n't", "pay", "$", "3.50", "!"]),
        ("Don’t, it’s ‘ours’.", ["do", "n't", ",", "it", "'s", "‘", "ours", "’", "."]),
        ("", []),
    ],
)
def test_words_are_those_of_nltk_in_lower_case(sentence, tokens):
    assert Tokenizer().tokenize(sentence) == tokens


def test_lowercase_false_keeps_capitals():
    assert Tokenizer(lowercase=False).tokenize("He is Bob.") == ["He", "is", "Bob", "."]


@pytest.mark.parametrize("lowercase", [True, False])
def test_tokenized_text_is_left_alone(lowercase):
    tokenizer = Tokenizer(tokenized=True, lowercase=lowercase)
    documents = [" = Title = \n \n He did n't . She @-@ did \n", "Mr. X\n"]
    sentences = tokenizer.sentences(documents)
    assert sentences == ["= Title =", "He did n't . She @-@ did", "Mr. X"]
    assert tokenizer.tokenize(sentences[1]) == ["He", "did", "n't", ".", "She", "@-@", "did"]


def test_characters_are_the_text_as_it_is():
    tokenizer = Tokenizer(level="char")
    assert tokenizer.sentences(["One  Two. \n\nThree", "Four"]) == ["One  Two. ", "Three", "Four"]
    assert tokenizer.tokenize("A b\n") == ["A", " ", "b", "\n"]
    assert tokenizer.detokenize(["A", " ", "b", "\n"]) == "A b\n"
    assert [tokenizer.words_added(character) for character in "a ,"] == [1, 1, 1]
    assert tokenizer.starts_word(",") is True


def test_word_level_sentences_are_those_of_punkt():
    reports = []
    sentences = Tokenizer().sentences(["One here. Two."], progress=lambda *report: reports.append(report))
    assert sentences == ["One here.", "Two."]
    assert reports[-1] == (14, 14)


@pytest.mark.parametrize("string", ["x\ud800y.", "nul\0nul.", "fine 😀.", "שלום עולם.", "'\"" * 1000, "…‽。" * 100])
@pytest.mark.parametrize("tokenizer", [Tokenizer(), Tokenizer(tokenized=True), Tokenizer(level="char")], ids=repr)
def test_odd_text_passes_through(tokenizer, string):
    sentences = tokenizer.sentences([string])
    tokens = [token for sentence in sentences for token in tokenizer.tokenize(sentence)]
    written = tokenizer.detokenize(tokens)
    plain = str.maketrans("", "", " `'\"")  # NLTK changes quotes
    assert written.translate(plain) == string.translate(plain)


def test_very_long_sentence_is_tokenized_in_pieces(monkeypatch):
    monkeypatch.setattr(text, "_LONGEST_PIECE", 50)
    words = [f"word{i}" for i in range(100)]
    assert Tokenizer().tokenize(" ".join(words)) == words


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"level": "words"}, "level is 'words'; expected 'word' or 'char'"),
        ({"level": None}, "level is None"),
        ({"lowercase": 1}, "lowercase is 1; expected True or False"),
        ({"tokenized": "no"}, "tokenized is 'no'; expected True or False"),
        ({"level": "char", "tokenized": True}, "tokenized text has words as its tokens"),
    ],
)
def test_wrong_setting_is_refused(settings, message):
    with pytest.raises(OptionError, match=message):
        Tokenizer(**settings)
    configuration = Tokenizer().to_configuration() | settings
    with pytest.raises(ValueError, match=message):
        Tokenizer.from_configuration(configuration)


def test_tokenizer_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        Tokenizer().level = "char"


@pytest.mark.parametrize("tokenizer", [Tokenizer(lowercase=False), Tokenizer(tokenized=True), Tokenizer("char")])
def test_configuration_survives_json(tokenizer):
    assert Tokenizer.from_configuration(json.loads(json.dumps(tokenizer.to_configuration()))) == tokenizer


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"level": "word", "lowercase": True}, "missing key in the tokenizer's settings: tokenized"),
        (Tokenizer().to_configuration() | {"stem": 1}, "unknown key in the tokenizer's settings: stem"),
        ([], "expected the tokenizer's settings as a dict, got list"),
    ],
)
def test_configuration_with_wrong_keys_is_refused(configuration, message):
    with pytest.raises(ValueError, match=message):
        Tokenizer.from_configuration(configuration)


def test_sentences_of_a_play_are_of_sensible_length():
    path = DATA / "tinyshakespeare.txt"
    if not path.exists():
        pytest.skip(f"needs {path.name} in shared/data beside the checkout")
    sentences = split_sentences([path.read_text(encoding="utf-8")[:200_000]])
    lengths = sorted(len(sentence.split()) for sentence in sentences)
    assert 8 <= lengths[len(lengths) // 2] <= 16
    assert lengths[-1] <= 200
    assert sum(sentence[-1] in ".?!:'" for sentence in sentences) >= 0.95 * len(sentences)


def imported_modules(node):
    for child in ast.walk(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield child.module


def test_nltk_is_imported_only_when_it_is_needed():
    tree = ast.parse(Path(text.__file__).read_text(encoding="utf-8"))
    at_once = [m for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom) for m in imported_modules(node)]
    assert "dataclasses" in at_once
    assert not [module for module in at_once if module.startswith("nltk")]
