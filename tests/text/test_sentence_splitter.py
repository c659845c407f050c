"""Sentences: where they end, what is left alone, and that no text makes it slow or large."""

import ast
import itertools
import random
import re
import textwrap
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import pytest

from theano_rnn.text import sentence_splitter
from theano_rnn.text.documents import Documents
from theano_rnn.text.sentence_splitter import SentenceSplitter, pieces, split_sentences

DATA = Path(__file__).parents[3] / "shared" / "data"
COMMENTS = Path(__file__).parents[2] / "data" / "comments.csv"


class FullStopSplitter:
    """A sentence ends at each full stop. Counts the characters that it is given."""

    seen = 0

    def spans(self, string):
        self.seen += len(string)
        start = 0
        for end in [i + 1 for i, character in enumerate(string) if character == "."]:
            yield start, end
            start = end
        if start < len(string):
            yield start, len(string)


def sentences_of(documents, splitter=None):
    splitter = splitter or SentenceSplitter(sentence_splitter.learned_abbreviations(documents))
    return [sentence for _, sentence in split_sentences(documents, splitter)]


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
    assert sentences_of([" ".join(sentences)]) == sentences


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
    assert sentences_of([" ".join(sentences * repetitions)]) == sentences * repetitions


def test_abbreviation_is_learned_from_the_text():
    sentence = "The sp. nigra and the sp. alba are {} plants of the genus."
    sentences = [sentence.format(word) for word in ("rare", "common", "tall", "small", "green", "old")]
    assert sentences_of([" ".join(sentences)]) == sentences


def test_blank_line_ends_a_sentence_and_other_white_space_is_one_blank():
    document = "A heading\n \t\nOne\nsentence  over\r\nlines\tof text\n\n\n\nand another"
    assert sentences_of([document]) == ["A heading", "One sentence over lines of text", "and another"]


def test_document_ends_a_sentence():
    assert sentences_of(["no full stop", "here either"]) == ["no full stop", "here either"]


@pytest.mark.parametrize("documents", [[], [""], [" \n\n\t\n"]])
def test_blank_documents_have_no_sentences(documents):
    assert sentences_of(documents) == []


def test_sentence_is_never_empty():
    splitter = SimpleNamespace(spans=lambda text: [(0, 2), (2, 2), (2, 3), (3, 5)])
    assert sentences_of(["A. B."], splitter) == ["A.", "B."]


def test_cutting_a_long_paragraph_by_windows_changes_no_sentence(monkeypatch):
    monkeypatch.setattr(sentence_splitter, "LONGEST_PIECE", 100)
    sentences = [f"Sentence {'of ' * (i % 12)}number {i}." for i in range(200)]
    assert sentences_of([" ".join(sentences)], FullStopSplitter()) == sentences


@pytest.mark.parametrize(
    "paragraph",
    [
        "word " * 2000,  # no sentence ends
        "x" * 10_000,  # no blanks either
        ("Short. " + "word " * 19) * 100,  # a window is mostly looked at twice
        "." * 10_000,
    ],
)
def test_long_paragraph_is_looked_at_twice_at_most_and_loses_nothing(monkeypatch, paragraph):
    monkeypatch.setattr(sentence_splitter, "LONGEST_PIECE", 100)
    splitter = FullStopSplitter()
    sentences = sentences_of([paragraph], splitter)
    assert splitter.seen <= 2 * len(paragraph)
    assert "".join(sentences).replace(" ", "") == paragraph.replace(" ", "")
    assert max(map(len, sentences)) <= 100


def test_million_blank_lines_are_passed_over():
    assert sentences_of(["\n" * 1_000_000 + "Hi." + " \n" * 500_000 + "Ho."]) == ["Hi.", "Ho."]


def test_training_text_is_spread_evenly_over_a_large_corpus(monkeypatch):
    monkeypatch.setattr(sentence_splitter, "_TRAINING_LENGTH", 1000)
    paragraphs = [f"{i:09d}" for i in range(10_000)]
    pieces = sentence_splitter._training_text(paragraphs).split("\n\n")
    assert 1000 <= sum(map(len, pieces)) <= 1000 + 9
    tenths = [int(piece) // 1000 for piece in pieces]
    assert {tenths.count(tenth) for tenth in range(10)} <= {11, 12}


def test_training_text_of_a_small_corpus_is_all_of_it():
    kept = sentence_splitter._training_text(["One.", "Two. " * 9000]).replace("\n\n", "")
    assert kept == ("One." + "Two. " * 9000).strip()


def test_sentences_of_a_play_are_of_sensible_length():
    path = DATA / "tinyshakespeare.txt"
    if not path.exists():
        pytest.skip(f"needs {path.name} in shared/data beside the checkout")
    sentences = sentences_of([path.read_text(encoding="utf-8")[:200_000]])
    lengths = sorted(len(sentence.split()) for sentence in sentences)
    assert 8 <= lengths[len(lengths) // 2] <= 16
    assert lengths[-1] <= 200
    assert sum(sentence[-1] in ".?!:'" for sentence in sentences) >= 0.95 * len(sentences)


# Long texts


def test_ends_rise_within_the_documents_and_blank_parts_move_them():
    documents = ["  One.  Two. \n \n Three.\n", " \n", "Four."]
    ends = [end for end, _ in split_sentences(documents, SentenceSplitter())]
    assert ends == sorted(ends)
    assert ends[-1] == len("".join(documents))
    assert len(ends) == 4


@pytest.mark.parametrize("seed", range(5))
def test_blocks_of_a_paragraph_are_its_words_with_single_blanks(monkeypatch, seed):
    generator = random.Random(seed)
    text = "".join(generator.choices(["a", "bc", " ", "  ", "\n", "\t", "\xa0", "\x1c", "word" * 9], k=300))
    monkeypatch.setattr("theano_rnn.text.documents.PART_LENGTH", 20)
    found = ["".join(blocks) for _, blocks in sentence_splitter._paragraphs([text, " ", text[50:150]])]
    expected = [part for part in (text, text[50:150]) for part in re.split(r"\n\s*\n", part)]
    assert found == [" ".join(paragraph.split()) for paragraph in expected if paragraph.strip()]


def test_paragraphs_begin_where_they_begin_in_all_documents_together():
    paragraphs = sentence_splitter._paragraphs([" ab\n\n", "", "c\n \n\n d\n"])
    assert [(start, "".join(blocks)) for start, blocks in paragraphs] == [(1, "ab"), (5, "c"), (10, "d")]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tinyshakespeare.txt", "wikitext-2.valid.txt", "comments.csv"])
@pytest.mark.parametrize("break_paragraphs", [True, False])
def test_sentences_of_real_texts_do_not_depend_on_the_parts(shared_data, monkeypatch, name, break_paragraphs):
    path = COMMENTS if name == "comments.csv" else shared_data(name)
    text = path.read_text(encoding="utf-8")
    if not break_paragraphs:
        text = re.sub(r"\n\s*\n", "\n", text)
    splitter = SentenceSplitter()
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text)]
    found = sentences_of([text], splitter)
    assert found == [sentence for paragraph in paragraphs for sentence in splitter.split(paragraph)]
    monkeypatch.setattr("theano_rnn.text.documents.PART_LENGTH", 61)
    stored = Documents()
    stored.add([text])
    assert sentences_of(stored, splitter) == found


@pytest.mark.parametrize("block_length", [1, 7, 64, 10_000])
def test_pieces_do_not_depend_on_the_blocks(block_length):
    text = " ".join(f"{'w' * (i * i % 11)}{i}" for i in range(300)) + "x" * 90
    blocks = [text[start : start + block_length] for start in range(0, len(text), block_length)]
    cut = list(pieces(blocks, 40))
    assert cut == list(pieces([text], 40))
    assert "".join(cut) == text
    assert max(map(len, cut)) <= 40
    assert all(piece.endswith(" ") for piece in cut[:-3])


@pytest.mark.parametrize("block_length", [30, 1000])
def test_sentences_do_not_depend_on_the_blocks(monkeypatch, block_length):
    monkeypatch.setattr(sentence_splitter, "LONGEST_PIECE", 100)
    monkeypatch.setattr("theano_rnn.text.documents.PART_LENGTH", block_length)
    sentences = [f"Sentence {'of ' * (i % 12)}number {i}." for i in range(200)]
    assert sentences_of(["\n".join(sentences)], FullStopSplitter()) == sentences


def test_one_paragraph_of_a_large_text_is_never_copied():
    document = "A line of words.\n" * 300_000
    tracemalloc.start()
    try:
        for _ in itertools.islice(split_sentences([document], FullStopSplitter()), 50_000):
            pass
        assert tracemalloc.get_traced_memory()[1] < len(document) / 2
    finally:
        tracemalloc.stop()


# Which full stops end a sentence


@pytest.mark.parametrize(
    "sentences",
    [
        [
            "My aunt has a Ph.D. in botany.",
            "It was the Ph.D.'s turn.",
            "He is an M.D.: a surgeon.",
        ],  # only before blanks
        ["They sell nuts, e.g. almonds, i.e. what grows here.", "The U.S.'s trains were late."],
        ["We were late.", "Late trains are a pity.", "5 trains were late.", "iPhones are late."],
        ["The dog was kind.", "That is kind.", "kind people came.", "3 fish.", "They ate fish.", "fish swim."],
        ["Dr. Lund et al. came at 6 p.m.", "The rest came at 7 p.m. Monday.", "Bob came at 8 a.m.", "Ann came too."],
        ["No. 5 is alive.", "See nos. 3 and 4.", "I said no.", "No.", "No dog.", "See p. 5, fig. 3 and Vol. II of it."],
        ["It was on Jan. 5.", "I met Jan.", "She left.", "In Sept. 1939 it rained."],
        ["Gen. Lee and Col. Fox met Lt. Day.", "He is from Mt. Vernon.", "He lives on Main St.", "The street is long."],
        ["He left Acme Inc. in May.", "She works for Acme Inc.", "They pay well."],
        ["We saw J. S. Bach, G. W. Bush and C. elegans.", "It was Plan B.", "The end."],
        ['"What?" she asked.', "He left (did he?) and came back.", "Really?!", "Stop!", "go.", "“Go!” he said."],
        ["Well... yes.", "I know … not.", "It rained...", "We left.", "So. ..."],
        ["1. Go home.", "2. Eat.", "It was 3.", "We have 4.", "a. b."],
        ["apples, pears, etc. and so on.", "apples, pears, etc.", "Bob ate them."],
        ["He came to see Dr. He and Mrs. So.", "Mr. It is no name."],  # a title never ends a sentence
        ["the cat sat.", "i like it.", "was it kind?", "yes."],
        ["He wrote z.B. this and bzw. that.", "Das war's."],
        ["你好。", "你喜欢茶吗？", "是的。"],
        ["He is a good chap.", "I like him.", "He ate the fig.", "I ate it.", "See Vol. II and ch. ix, p. xii."],
        ["They sat in the brig.", "He stayed.", "I asked my prof.", "She said no.", "I saw Prof. Lee and prof. smith."],
        ["I LOVE YOU, HON.", "LET US GO.", "I LOVE ART.", "I PAINT.", "DR. LEE DOES TOO."],
        ["„Er geht.“", "Sie bleibt.", "»Er geht.«", "Sie bleibt.", "「行く。」", "彼は行く。"],
        ["He left.[1]", "She stayed.²", "Good.😀", "Yes."],
        ["He comes on Mon. morning or Tue. 5.", "We met in Jan. 1990.", "Call tel. 555, ext. 5.", "P.S. I love you."],
        ["1.) Go home.", "2.) Eat.", "ii. Sleep.", "Wait . . . and see.", "So . . .", "He left."],
        ["Herr Hr. Meier kam, vgl. Abb. 3.", "Er wohnt in der Str. 5, geb. 1850."],
    ],
)
def test_sentences_are_told_from_abbreviations(sentences):
    assert SentenceSplitter().split(" ".join(sentences)) == sentences


@pytest.mark.parametrize("word", ["Mr", "Mrs", "Dr", "Prof", "dr", "Capt", "vs", "e.g", "i.e"])
@pytest.mark.parametrize("following", ["The", "He", "Lee", "lee", "5", '"A"', "I"])
def test_some_abbreviations_never_end_a_sentence(word, following):
    assert SentenceSplitter().split(f"We met {word}. {following} there.") == [f"We met {word}. {following} there."]


@pytest.mark.parametrize(
    "word", ["late", "fish", "kind", "it", "sat", "dog", "fox", "milk", "is", "art", "sun", "ill", "am"]
)
@pytest.mark.parametrize("following", ["The", "the", "I", "Lee", "5", "-", '"A', "(b", "iPhones"])
def test_an_ordinary_word_ends_a_sentence_whatever_follows(word, following):
    first, second = f"We saw {word}.", f"{following} there."
    assert SentenceSplitter().split(f"{first} {second}") == [first, second]


NOUNS = "dog cat boat train river moon garden lamp apple door fox baker clock fish kind art sun sea milk tea".split()
VERBS = "likes sees hears paints keeps forgets follows repairs late".split()
SHORTENED = [
    "Dr. Lee", "Mr. Fox", "Mrs. May", "J. S. Bach", "the U.S. team", "No. 5", "nuts, e.g. almonds", "a Ph.D. thesis",
    "6 p.m. trains", "Prof. So", "tea, milk, etc. and", "p. 12", "Acme Inc. of", "Gen. The", "cats vs. dogs",
]  # fmt: skip


def generated_sentences(number, seed):
    """Sentences that end in ordinary words, half of them with an abbreviation inside."""
    generator = random.Random(seed)
    found = []
    for _ in range(number):
        words = [generator.choice(["The", "My", "A", "Ben", "Dr. Lee", "Mr. Fox", "Late", "kind", "12", "the"])]
        words += generator.choices(NOUNS, k=generator.randint(0, 2))
        if generator.random() < 0.5:
            words.append(generator.choice(SHORTENED))
        words += [generator.choice(VERBS), "the", generator.choice(NOUNS)]
        found.append(" ".join(words) + generator.choice([".", ".", ".", "?", "!", '."']))
        if found[-1].endswith('"'):
            found[-1] = '"' + found[-1]
    return found


@pytest.mark.parametrize(("number", "seeds"), [(20, 20), (300, 5), (20_000, 1)])
def test_generated_text_has_its_sentences_on_one_line_on_lines_and_wrapped(number, seeds):
    for seed in range(seeds):
        sentences = generated_sentences(number, seed)
        text = " ".join(sentences)
        wrapped = "\n".join(textwrap.wrap(text, 60, break_on_hyphens=False))
        for layout in (text, "\n".join(sentences) + "\n", wrapped, "\r\n".join(sentences).replace("\r\n", " \n")):
            assert sentences_of([layout]) == sentences


def test_three_hundred_sentences_about_dr_lee_and_mr_fox():
    pairs = [("Dr. Lee", "a fox"), ("Mr. Fox", "the lee side"), ("the fox", "Mr. Fox"), ("my dog", "Dr. Lee")]
    sentences = [f"{a.capitalize() if a[0].islower() else a} likes {b}." for a, b in pairs] * 75
    assert sentences_of([" ".join(sentences)]) == sentences


@pytest.mark.parametrize("word", ["x" * 100_000, "." * 100_000, '."' * 50_000, "a." * 50_000, ")" * 100_000 + "."])
def test_words_of_any_length_are_passed_through(word):
    text = f"One. {word} two. Three."
    assert "".join(SentenceSplitter().split(text)).replace(" ", "") == text.replace(" ", "")


def test_splitting_its_own_sentences_again_changes_nothing():
    splitter = SentenceSplitter()
    for sentence in generated_sentences(500, 3):
        assert splitter.split(sentence) == [sentence]


def test_nltk_has_no_part_in_it():
    tree = ast.parse(Path(sentence_splitter.__file__).read_text(encoding="utf-8"))
    modules = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    modules += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert "re" in modules and not [name for name in modules if name.startswith("nltk")]
