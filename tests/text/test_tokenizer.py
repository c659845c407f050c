"""The tokenizer: sentences and tokens at each level, and settings."""

import json
import random
from dataclasses import FrozenInstanceError

import pytest

from theano_rnn.errors import OptionError
from theano_rnn.text import tokenizer
from theano_rnn.text.tokenizer import Tokenizer


@pytest.mark.parametrize("tokenizer", [Tokenizer(), Tokenizer(tokenized=True), Tokenizer(level="char")], ids=repr)
def test_progress_starts_at_zero_and_increases_to_the_total(tokenizer):
    reports = []
    documents = ["One sentence.\nAnother one here."] * 500
    for _ in tokenizer.iterate_sentences(documents, progress=lambda *report: reports.append(report)):
        pass
    total = sum(map(len, documents))
    assert [done for done, _ in reports] == sorted({done for done, _ in reports})
    assert (reports[0], reports[-1]) == ((0, total), (total, total))
    assert {total for _, total in reports} == {total}
    assert 50 <= len(reports) <= 102


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
def test_tokenized_text_is_not_changed(lowercase):
    tokenizer = Tokenizer(tokenized=True, lowercase=lowercase)
    documents = [" = Title = \n \n He did n't . She @-@ did \n", "Mr. X\n"]
    sentences = tokenizer.sentences(documents)
    assert sentences == ["= Title =", "He did n't . She @-@ did", "Mr. X"]
    assert tokenizer.tokenize(sentences[1]) == ["He", "did", "n't", ".", "She", "@-@", "did"]


def test_character_level_does_not_change_the_text():
    tokenizer = Tokenizer(level="char")
    assert tokenizer.sentences(["One  Two. \n\nThree", "Four"]) == ["One  Two. ", "Three", "Four"]
    assert tokenizer.tokenize("A b\n") == ["A", " ", "b", "\n"]
    assert tokenizer.detokenize(["A", " ", "b", "\n"]) == "A b\n"
    assert [tokenizer.words_added(character) for character in "a ,"] == [1, 1, 1]
    assert tokenizer.starts_word(",") is True


def test_word_level_splits_sentences():
    assert Tokenizer().sentences(["One here. Two."]) == ["One here.", "Two."]


@pytest.mark.parametrize("tokenizer", [Tokenizer(), Tokenizer(lowercase=False), Tokenizer("char")], ids=repr)
def test_token_mapper_maps_the_tokens_of_tokenize(tokenizer):
    map_tokens = tokenizer.token_mapper(lambda token: (token, len(token)))
    for sentence in ["He isn’t “here”.", "", "The U.S. is here, Mr. Smith!", "Ǆ ẞ İI"]:
        expected = [(token, len(token)) for token in tokenizer.tokenize(sentence)]
        assert map_tokens(sentence) == expected
        assert map_tokens(sentence) == expected


@pytest.mark.parametrize("string", ["x\ud800y.", "nul\0nul.", "fine 😀.", "שלום עולם.", "'\"" * 1000, "…‽。" * 100])
@pytest.mark.parametrize("tokenizer", [Tokenizer(), Tokenizer(tokenized=True), Tokenizer(level="char")], ids=repr)
def test_unusual_text_loses_nothing(tokenizer, string):
    sentences = tokenizer.sentences([string])
    tokens = [token for sentence in sentences for token in tokenizer.tokenize(sentence)]
    written = tokenizer.detokenize(tokens)
    plain = str.maketrans("", "", " `'\"")  # NLTK changes quotes
    assert written.translate(plain) == string.translate(plain)


def test_a_very_long_sentence_is_tokenized_in_pieces(monkeypatch):
    monkeypatch.setattr(tokenizer, "LONGEST_SENTENCE", 50)
    words = [f"word{i}" for i in range(100)]
    assert Tokenizer().tokenize(" ".join(words)) == words


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"level": "words"}, "level: expected 'word' or 'char', got 'words'"),
        ({"level": None}, "level: .*, got None"),
        ({"lowercase": 1}, "lowercase: expected True or False, got 1"),
        ({"tokenized": "no"}, "tokenized: expected True or False, got 'no'"),
        ({"level": "char", "tokenized": True}, "tokenized: needs words as tokens"),
        ({"separator": "-"}, "separator: expected whitespace, got '-'"),
    ],
)
def test_an_invalid_setting_is_rejected(settings, message):
    with pytest.raises(OptionError, match=message):
        Tokenizer(**settings)
    configuration = Tokenizer().to_configuration() | settings
    with pytest.raises(ValueError, match=message):
        Tokenizer.from_configuration(configuration)


def test_the_tokenizer_is_immutable():
    with pytest.raises(FrozenInstanceError):
        Tokenizer().level = "char"


@pytest.mark.parametrize(
    "tokenizer", [Tokenizer(lowercase=False), Tokenizer(tokenized=True), Tokenizer("char"), Tokenizer(separator="\n")]
)
def test_the_configuration_survives_json(tokenizer):
    assert Tokenizer.from_configuration(json.loads(json.dumps(tokenizer.to_configuration()))) == tokenizer


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"level": "word", "lowercase": True}, "missing key in the tokenizer's settings: tokenized"),
        (Tokenizer().to_configuration() | {"stem": 1}, "unknown key in the tokenizer's settings: stem"),
        ([], "expected the tokenizer's settings as a dict, got list"),
    ],
)
def test_a_configuration_with_wrong_keys_is_rejected(configuration, message):
    with pytest.raises(ValueError, match=message):
        Tokenizer.from_configuration(configuration)


@pytest.mark.parametrize("settings", [{"level": "char"}, {"tokenized": True}], ids=str)
@pytest.mark.parametrize("length", [1, 5, 100])
def test_lines_and_progress_do_not_depend_on_the_chunks(monkeypatch, settings, length):
    documents = ["a b\n\n  c\t \n", "\n", "d\x0be\x85f", "last line\n  " * 9, ""]
    tokenizer = Tokenizer(**settings)
    monkeypatch.setattr("theano_rnn.text.sentences.LONGEST_SENTENCE", 12)

    def reported():
        reports = []
        return list(tokenizer.iterate_sentences(documents, progress=lambda *report: reports.append(report))), reports

    expected = reported()
    plain = [line for document in documents for line in document.split("\n")]
    if "level" in settings:
        assert expected[0] == [line for line in plain if line]
    else:
        assert expected[0] == [line.strip() for line in plain if line.strip()]
    monkeypatch.setattr("theano_rnn.text.documents.CHUNK_LENGTH", length)
    assert reported() == expected


# Sentences and their tokens


TEXT = 'He came. She left etc. (and so on.) Dr. Lee saw the U.S. then. We live in the U.S. "It is late." Is it? Yes.'


def test_tokens_of_a_text_are_those_of_its_sentences():
    tokenizer = Tokenizer()
    sentences = tokenizer.split(TEXT)
    assert len(sentences) == 7
    assert tokenizer.tokenize(TEXT) == [token for sentence in sentences for token in tokenizer.tokenize(sentence)]
    assert tokenizer.sentences([TEXT.replace(" ", "\n")]) == sentences


@pytest.mark.parametrize("tokenizer", [Tokenizer(), Tokenizer(lines=True)], ids=["sentences", "lines"])
@pytest.mark.parametrize("word", ["came", "late", "milk", "can't", "well-known"])
@pytest.mark.parametrize(
    "place", ["{}.", "{}. Then", "{}. then", "({}.) and so", '"{}." he', "{}.), and", "{}. ... or"]
)
def test_a_full_stop_does_not_change_the_word_before_it(tokenizer, word, place):
    tokens = tokenizer.tokenize("x " + place.format(word))
    plain = tokenizer.tokenize(word)
    assert tokens[tokens.index(plain[0]) :][: len(plain) + 1] == [*plain, "."]


@pytest.mark.parametrize("word", ["U.S.", "etc.", "Dr.", "Ph.D.", "p.m.", "Inc."])
@pytest.mark.parametrize("place", ["{}", "{} then", "({}) then", '"{}"', "{}, then", "at {}\tthen"])
def test_an_abbreviation_keeps_its_full_stop_in_any_position(word, place):
    assert word.lower() in Tokenizer().tokenize("x " + place.format(word))


def test_older_models_detach_full_stops_as_nltk_does():
    old = Tokenizer.from_configuration({"level": "word", "lowercase": True, "tokenized": False})
    assert old == Tokenizer(abbreviations=None)
    assert old.tokenize("He came. She is in the U.S.") == ["he", "came.", "she", "is", "in", "the", "u.s", "."]
    assert old.split("He came. She left.") == ["He came.", "She left."]
    assert Tokenizer.from_configuration(old.to_configuration()) == old
    assert old.separator == " "


def test_earlier_versions_can_read_the_settings_unless_the_separator_is_unusual():
    for usual in (Tokenizer(), Tokenizer(lines=True), Tokenizer(tokenized=True), Tokenizer(separator=" ")):
        assert "separator" not in usual.to_configuration()
    assert Tokenizer(separator="\n").to_configuration()["separator"] == "\n"


def test_abbreviations_of_a_text_survive_json():
    sentence = "The sp. nigra and the sp. alba are {} plants of the genus."
    text = " ".join(sentence.format(word) for word in ("rare", "common", "tall", "small", "green", "old"))
    fitted = Tokenizer().with_abbreviations_of([text])
    assert fitted.abbreviations == ("sp",) and Tokenizer().abbreviations == ()
    assert Tokenizer.from_configuration(json.loads(json.dumps(fitted.to_configuration()))) == fitted
    assert fitted.split("A sp. nigra is rare.") == ["A sp. nigra is rare."]
    assert Tokenizer().split("A sp. nigra is rare.") == ["A sp.", "nigra is rare."]
    for kind in (Tokenizer("char"), Tokenizer(tokenized=True)):
        assert kind.with_abbreviations_of([text]) is kind


def test_blank_lines_end_sentences_in_a_text_as_in_training():
    text = "Chapter one\n\nIt was late. He\nleft."
    assert Tokenizer().split(text) == Tokenizer().sentences([text]) == ["Chapter one", "It was late.", "He left."]
    assert Tokenizer().split("\n \n") == ["\n \n"]


def test_each_line_is_a_sentence_if_lines_is_set():
    tokenizer = Tokenizer(lines=True)
    documents = ["He came. She left.\n\n  library wins  \nAnn Lee\n", "Go. Now"]
    assert tokenizer.sentences(documents) == ["He came. She left.", "library wins", "Ann Lee", "Go. Now"]
    assert tokenizer.split("He came. She left.") == ["He came. She left."]
    assert not tokenizer.splits_sentences and not Tokenizer("char").splits_sentences
    assert Tokenizer(tokenized=True).lines is True
    with pytest.raises(OptionError, match="lines: at level 'char'"):
        Tokenizer("char", lines=True)


OTHER_SPACES = "\xa0\u2009\u3000\x85\u2028\u2029\u1680\u200a\x1c\x1f"


@pytest.mark.parametrize("space", OTHER_SPACES)
def test_tokenized_text_is_split_at_ascii_whitespace_only(space):
    tokenizer = Tokenizer(tokenized=True)
    line = f" {space} a{space}b\tc  {space}d\x0be\x0cf{space} "
    expected = [space, f"a{space}b", "c", f"{space}d", "e", f"f{space}"]
    assert tokenizer.tokenize(line) == expected
    assert tokenizer.token_mapper(str)(line) == expected
    [sentence] = tokenizer.sentences([f"{line}\n"])
    assert tokenizer.tokenize(sentence) == expected


def test_generated_tokenized_text_keeps_its_tokens():
    generator = random.Random(1)
    letters = "ab." + OTHER_SPACES
    for _ in range(200):
        tokens = [
            "".join(generator.choices(letters, k=generator.randint(1, 4))) for _ in range(generator.randint(1, 9))
        ]
        line = "".join(token + generator.choice([" ", "  ", "\t"]) for token in tokens)
        assert Tokenizer(tokenized=True).tokenize(line) == tokens


def test_installed_nltk_data_make_no_difference(tmp_path, monkeypatch):
    import nltk

    texts = ["Anna likes tea. Ben likes milk.", "Dr. Lee can't come, e.g. today. It's late."]

    def results():
        abbreviations = Tokenizer().with_abbreviations_of(texts).abbreviations
        return [(abbreviations, Tokenizer().split(text), Tokenizer().tokenize(text)) for text in texts]

    before = results()
    folder = tmp_path / "tokenizers" / "punkt_tab" / "english"
    folder.mkdir(parents=True)
    (folder / "abbrev_types.txt").write_text("tea\nmilk\nlate\n", encoding="utf-8")
    for name in ("collocations.tab", "ortho_context.tab", "sent_starters.txt"):
        (folder / name).touch()
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    assert nltk.tokenize.sent_tokenize(texts[0]) == [texts[0]]  # NLTK finds the data
    tokenizer._splitter.cache_clear()
    tokenizer._cached_tokenize.cache_clear()
    assert results() == before
