"""Which full stops end a sentence."""

import ast
import random
import textwrap
from pathlib import Path

import pytest

from theano_rnn.text import sentence_splitter
from theano_rnn.text.sentence_splitter import SentenceSplitter
from theano_rnn.text.sentences import sample_abbreviations, split_sentences


def sentences_of(documents):
    splitter = SentenceSplitter(sample_abbreviations(documents))
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
def test_short_text_is_split_at_its_sentence_ends(sentences):
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
def test_repetitive_text_has_no_false_abbreviations(sentences, repetitions):
    assert sentences_of([" ".join(sentences * repetitions)]) == sentences * repetitions


def test_abbreviations_are_found_in_the_text():
    sentence = "The sp. nigra and the sp. alba are {} plants of the genus."
    sentences = [sentence.format(word) for word in ("rare", "common", "tall", "small", "green", "old")]
    assert sentences_of([" ".join(sentences)]) == sentences


def test_a_blank_line_ends_a_sentence_and_other_whitespace_becomes_one_space():
    document = "A heading\n \t\nOne\nsentence  over\r\nlines\tof text\n\n\n\nand another"
    assert sentences_of([document]) == ["A heading", "One sentence over lines of text", "and another"]


def test_the_end_of_a_document_ends_a_sentence():
    assert sentences_of(["no full stop", "here either"]) == ["no full stop", "here either"]


@pytest.mark.parametrize("documents", [[], [""], [" \n\n\t\n"]])
def test_blank_documents_have_no_sentences(documents):
    assert sentences_of(documents) == []


# Which full stops end a sentence


@pytest.mark.parametrize(
    "sentences",
    [
        [
            "My aunt has a Ph.D. in botany.",
            "It was the Ph.D.'s turn.",
            "He is an M.D.: a surgeon.",
        ],  # only before spaces
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
def test_abbreviations_do_not_end_sentences(sentences):
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
    """Generate sentences that end with ordinary words. Half of them hold an abbreviation."""
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
def test_line_breaks_do_not_change_the_sentences(number, seeds):
    for seed in range(seeds):
        sentences = generated_sentences(number, seed)
        text = " ".join(sentences)
        wrapped = "\n".join(textwrap.wrap(text, 60, break_on_hyphens=False))
        for layout in (text, "\n".join(sentences) + "\n", wrapped, "\r\n".join(sentences).replace("\r\n", " \n")):
            assert sentences_of([layout]) == sentences


def test_many_sentences_with_titles_are_split():
    pairs = [("Dr. Lee", "a fox"), ("Mr. Fox", "the lee side"), ("the fox", "Mr. Fox"), ("my dog", "Dr. Lee")]
    sentences = [f"{a.capitalize() if a[0].islower() else a} likes {b}." for a, b in pairs] * 75
    assert sentences_of([" ".join(sentences)]) == sentences


@pytest.mark.parametrize("word", ["x" * 100_000, "." * 100_000, '."' * 50_000, "a." * 50_000, ")" * 100_000 + "."])
def test_words_of_any_length_are_kept(word):
    text = f"One. {word} two. Three."
    assert "".join(SentenceSplitter().split(text)).replace(" ", "") == text.replace(" ", "")


def test_splitting_a_sentence_again_changes_nothing():
    splitter = SentenceSplitter()
    for sentence in generated_sentences(500, 3):
        assert splitter.split(sentence) == [sentence]


def test_the_splitter_does_not_import_nltk():
    tree = ast.parse(Path(sentence_splitter.__file__).read_text(encoding="utf-8"))
    modules = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    modules += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert "re" in modules and not [name for name in modules if name.startswith("nltk")]
