"""From documents to sentences: long texts are split in windows, which change no sentence and lose no text."""

import itertools
import random
import re
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import pytest

from theano_rnn.text import sentences as sentences_module
from theano_rnn.text.documents import Documents
from theano_rnn.text.sentence_splitter import SentenceSplitter
from theano_rnn.text.sentences import cut_at_spaces, sample_abbreviations, split_sentences

DATA = Path(__file__).parents[3] / "shared" / "data"
COMMENTS = Path(__file__).parents[2] / "data" / "comments.csv"


class FullStopSplitter:
    """Ends a sentence at each full stop, and counts the characters that it searches."""

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
    splitter = splitter or SentenceSplitter(sample_abbreviations(documents))
    return [sentence for _, sentence in split_sentences(documents, splitter)]


def test_empty_spans_give_no_sentences():
    splitter = SimpleNamespace(spans=lambda text: [(0, 2), (2, 2), (2, 3), (3, 5)])
    assert sentences_of(["A. B."], splitter) == ["A.", "B."]


def test_windows_change_no_sentence_of_a_long_paragraph(monkeypatch):
    monkeypatch.setattr(sentences_module, "LONGEST_SENTENCE", 100)
    sentences = [f"Sentence {'of ' * (i % 12)}number {i}." for i in range(200)]
    assert sentences_of([" ".join(sentences)], FullStopSplitter()) == sentences


@pytest.mark.parametrize(
    "paragraph",
    [
        "word " * 2000,  # no sentence ends
        "x" * 10_000,  # no spaces either
        ("Short. " + "word " * 19) * 100,  # most of each window is searched twice
        "." * 10_000,
    ],
)
def test_a_long_paragraph_is_searched_twice_at_most_and_loses_nothing(monkeypatch, paragraph):
    monkeypatch.setattr(sentences_module, "LONGEST_SENTENCE", 100)
    splitter = FullStopSplitter()
    sentences = sentences_of([paragraph], splitter)
    assert splitter.seen <= 2 * len(paragraph)
    assert "".join(sentences).replace(" ", "") == paragraph.replace(" ", "")
    assert max(map(len, sentences)) <= 100


def test_a_million_blank_lines_are_skipped():
    assert sentences_of(["\n" * 1_000_000 + "Hi." + " \n" * 500_000 + "Ho."]) == ["Hi.", "Ho."]


def test_the_sample_is_spread_evenly_over_a_large_corpus(monkeypatch):
    monkeypatch.setattr(sentences_module, "_SAMPLE_LENGTH", 1000)
    paragraphs = [f"{i:09d}" for i in range(10_000)]
    pieces = sentences_module._sample(paragraphs).split("\n\n")
    assert 1000 <= sum(map(len, pieces)) <= 1000 + 9
    tenths = [int(piece) // 1000 for piece in pieces]
    assert {tenths.count(tenth) for tenth in range(10)} <= {11, 12}


def test_the_sample_of_a_small_corpus_is_the_whole_text():
    kept = sentences_module._sample(["One.", "Two. " * 9000]).replace("\n\n", "")
    assert kept == ("One." + "Two. " * 9000).strip()


def test_sentences_of_a_play_have_plausible_lengths():
    path = DATA / "tinyshakespeare.txt"
    if not path.exists():
        pytest.skip(f"needs {path.name} in shared/data beside the checkout")
    sentences = sentences_of([path.read_text(encoding="utf-8")[:200_000]])
    lengths = sorted(len(sentence.split()) for sentence in sentences)
    assert 8 <= lengths[len(lengths) // 2] <= 16
    assert lengths[-1] <= 200
    assert sum(sentence[-1] in ".?!:'" for sentence in sentences) >= 0.95 * len(sentences)


# Long texts


def test_ends_never_decrease_and_count_blank_text():
    documents = ["  One.  Two. \n \n Three.\n", " \n", "Four."]
    ends = [end for end, _ in split_sentences(documents, SentenceSplitter())]
    assert ends == sorted(ends)
    assert ends[-1] == len("".join(documents))
    assert len(ends) == 4


@pytest.mark.parametrize("seed", range(5))
def test_chunks_of_a_paragraph_are_its_words_with_single_spaces(monkeypatch, seed):
    generator = random.Random(seed)
    text = "".join(generator.choices(["a", "bc", " ", "  ", "\n", "\t", "\xa0", "\x1c", "word" * 9], k=300))
    monkeypatch.setattr("theano_rnn.text.documents.CHUNK_LENGTH", 20)
    found = ["".join(blocks) for _, blocks in sentences_module._paragraphs([text, " ", text[50:150]])]
    expected = [part for part in (text, text[50:150]) for part in re.split(r"\n\s*\n", part)]
    assert found == [" ".join(paragraph.split()) for paragraph in expected if paragraph.strip()]


def test_starts_of_paragraphs_count_all_documents():
    paragraphs = sentences_module._paragraphs([" ab\n\n", "", "c\n \n\n d\n"])
    assert [(start, "".join(blocks)) for start, blocks in paragraphs] == [(1, "ab"), (5, "c"), (10, "d")]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tinyshakespeare.txt", "wikitext-2.valid.txt", "comments.csv"])
@pytest.mark.parametrize("break_paragraphs", [True, False])
def test_sentences_of_real_texts_do_not_depend_on_the_chunks(shared_data, monkeypatch, name, break_paragraphs):
    path = COMMENTS if name == "comments.csv" else shared_data(name)
    text = path.read_text(encoding="utf-8")
    if not break_paragraphs:
        text = re.sub(r"\n\s*\n", "\n", text)
    splitter = SentenceSplitter()
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text)]
    found = sentences_of([text], splitter)
    assert found == [sentence for paragraph in paragraphs for sentence in splitter.split(paragraph)]
    monkeypatch.setattr("theano_rnn.text.documents.CHUNK_LENGTH", 61)
    stored = Documents()
    stored.add([text])
    assert sentences_of(stored, splitter) == found


@pytest.mark.parametrize("block_length", [1, 7, 64, 10_000])
def test_cuts_at_spaces_do_not_depend_on_the_chunks(block_length):
    text = " ".join(f"{'w' * (i * i % 11)}{i}" for i in range(300)) + "x" * 90
    blocks = [text[start : start + block_length] for start in range(0, len(text), block_length)]
    cut = list(cut_at_spaces(blocks, 40))
    assert cut == list(cut_at_spaces([text], 40))
    assert "".join(cut) == text
    assert max(map(len, cut)) <= 40
    assert all(piece.endswith(" ") for piece in cut[:-3])


@pytest.mark.parametrize("block_length", [30, 1000])
def test_sentences_do_not_depend_on_the_chunks(monkeypatch, block_length):
    monkeypatch.setattr(sentences_module, "LONGEST_SENTENCE", 100)
    monkeypatch.setattr("theano_rnn.text.documents.CHUNK_LENGTH", block_length)
    sentences = [f"Sentence {'of ' * (i % 12)}number {i}." for i in range(200)]
    assert sentences_of(["\n".join(sentences)], FullStopSplitter()) == sentences


def test_a_large_paragraph_is_never_copied():
    document = "A line of words.\n" * 300_000
    tracemalloc.start()
    try:
        for _ in itertools.islice(split_sentences([document], FullStopSplitter()), 10_000):
            pass
        assert tracemalloc.get_traced_memory()[1] < len(document) / 2
    finally:
        tracemalloc.stop()
