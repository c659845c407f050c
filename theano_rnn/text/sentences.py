"""From documents to sentences, one window of text at a time, so that a document is never in memory as a whole."""

import itertools
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from theano_rnn.text import abbreviations
from theano_rnn.text.documents import Documents, StoredDocument, document_chunks, total_characters
from theano_rnn.text.sentence_splitter import SentenceSplitter

LONGEST_SENTENCE = 100_000  # characters
# The characters at which KenLM, SRILM and Moses split: a no-break space is part of a token.
ASCII_WHITESPACE = " \t\n\r\f\v"

# A sample of this many characters shows the abbreviations of a text.
_SAMPLE_LENGTH = 400_000
_SAMPLE_CHUNK_LENGTH = 20_000
_PARAGRAPH_BREAK = re.compile(r"\n\s*\n")
_PROGRESS_CALLS = 100


def split_sentences(
    documents: Documents | Sequence[str], splitter: SentenceSplitter | None = None
) -> Iterator[tuple[int, str]]:
    """Split documents into sentences.

    A blank line always ends a sentence. Any other whitespace inside a sentence becomes one space. If there is no
    sentence boundary within 100,000 characters, the text is cut at a space.

    Parameters
    ----------
    documents : Documents or sequence of str
        They are read once.
    splitter : SentenceSplitter, optional
        Default: a splitter that knows the abbreviations of the documents, which are read twice more to find them.

    Yields
    ------
    end : int
        The number of characters read so far, at least up to the end of the sentence. It never decreases.
    sentence : str
        Not empty.

    Examples
    --------
    >>> list(split_sentences(["Dr. Lee left. She came\\nback."], SentenceSplitter()))
    [(13, 'Dr. Lee left.'), (28, 'She came back.')]
    """
    splitter = splitter or SentenceSplitter(sample_abbreviations(documents))
    for start, chunks in _paragraphs(documents):
        for end, sentence in _paragraph_sentences(chunks, splitter):
            yield start + end, sentence


def split_lines(documents: Documents | Sequence[str], stripped: str | None) -> Iterator[tuple[int, str]]:
    """Split documents into lines, and leave out the empty ones.

    Parameters
    ----------
    documents : Documents or sequence of str
    stripped : str or None
        The characters to strip from both ends of each line; None: all whitespace.

    Yields
    ------
    end : int
        The number of characters up to the end of the line in all documents.
    line : str
        Not empty.

    Examples
    --------
    >>> list(split_lines(["One. Two.\\n\\n three"], None))
    [(9, 'One. Two.'), (17, 'three')]
    """
    passed = 0
    for document in documents:
        line_start: list[str] = []  # the text of the line in earlier chunks
        for chunk in document_chunks(document):
            *whole, last = chunk.split("\n")
            for line in whole:
                passed += len(line)
                if line_start:
                    line, line_start = "".join([*line_start, line]), []
                line = line.strip(stripped)
                if line:
                    yield passed, line
                passed += 1
            if last:
                line_start.append(last)
                passed += len(last)
        line = "".join(line_start).strip(stripped)
        if line:
            yield passed, line


def split_short_lines(documents: Documents | Sequence[str], stripped: str | None) -> Iterator[tuple[int, str]]:
    """Split documents into lines as `split_lines` does, and cut lines of more than 100,000 characters at a space."""
    for end, line in split_lines(documents, stripped):
        for piece in cut_at_spaces([line], LONGEST_SENTENCE):
            sentence = piece.strip(stripped)
            if sentence:
                yield end, sentence


def with_progress(
    sentences: Iterable[tuple[int, str]],
    documents: Documents | Sequence[str],
    progress: Callable[[int, int], object] | None,
) -> Iterator[str]:
    """Yield sentences without their ends, and report progress.

    Parameters
    ----------
    sentences : iterable of (int, str)
        As `split_sentences` yields them.
    documents : Documents or sequence of str
        The documents that they come from.
    progress : callable or None
        Called as ``progress(done, total)``, in characters: with 0 at the start, about a hundred times in between, and
        with `total` at the end.
    """
    if progress is None:
        yield from (sentence for _, sentence in sentences)
        return
    reported, total = 0, total_characters(documents)
    progress(0, total)
    for end, sentence in sentences:
        yield sentence
        if total > end >= reported + total / _PROGRESS_CALLS:
            reported = end
            progress(end, total)
    progress(total, total)


def sample_abbreviations(documents: Documents | Sequence[str]) -> tuple[str, ...]:
    """Find abbreviations in a sample: see `theano_rnn.text.abbreviations.find_abbreviations`.

    Parameters
    ----------
    documents : Documents or sequence of str
        They are read twice.
    """
    return abbreviations.find_abbreviations(_sample(documents).split())


def cut_at_spaces(chunks: Iterable[str], length: int) -> Iterator[str]:
    """Cut a text, given in chunks, into pieces of at most `length` characters, after a space if there is one.

    Examples
    --------
    >>> list(cut_at_spaces(["one two th", "ree"], 9))
    ['one two ', 'three']
    """
    text = ""
    start = 0
    for chunk in chunks:
        text, start = text[start:] + chunk, 0
        while len(text) - start > length:
            stop = _cut_position(text, start, length)
            yield text[start:stop]
            start = stop
    if start < len(text):
        yield text[start:]


def _cut_position(text: str, start: int, length: int) -> int:
    """Find the end of a piece of at most `length` characters: after a space if there is one."""
    if len(text) - start <= length:
        return len(text)
    space = text.rfind(" ", start + 1, start + length)
    return start + length if space < 0 else space + 1


def _paragraphs(documents: Documents | Sequence[str]) -> Iterator[tuple[int, Iterator[str]]]:
    """Yield the start, in all documents together, and the chunks of each paragraph that is not blank.

    The chunks follow each other directly, and their only whitespace is single spaces. A paragraph may be the whole
    text, so it is never copied as a whole. Its chunks must be used before the next paragraph is asked for.
    """
    for start, chunks in itertools.groupby(_paragraph_chunks(documents), operator.itemgetter(0)):
        yield start, map(operator.itemgetter(1), chunks)


def _paragraph_chunks(documents: Documents | Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield the start of its paragraph and the text of each chunk of all paragraphs."""
    passed = 0
    document: str | StoredDocument
    for document in documents:
        start, newlines = None, 0  # where the paragraph starts; newlines since its last word
        gap = ""  # the whitespace between its last word and the next
        for chunk in document_chunks(document):
            begin = len(chunk) - len(chunk.lstrip())
            newlines += chunk.count("\n", 0, begin)
            if begin < len(chunk):
                if start is None or newlines > 1:
                    start, gap = passed + begin, ""
                elif begin:
                    gap = " "
                end = len(chunk.rstrip())
                for paragraph_break in _PARAGRAPH_BREAK.finditer(chunk, begin, end):
                    yield start, gap + " ".join(chunk[begin : paragraph_break.start()].split())
                    begin = paragraph_break.end()
                    start, gap = passed + begin, ""
                yield start, gap + " ".join(chunk[begin:end].split())
                newlines, gap = chunk.count("\n", end), " " if end < len(chunk) else ""
            elif chunk:
                gap = " "
            passed += len(chunk)


def _paragraph_sentences(chunks: Iterable[str], splitter: SentenceSplitter) -> Iterator[tuple[int, str]]:
    """Yield the end and the text of each sentence of a paragraph, which is searched one window at a time."""
    text = ""
    passed = start = 0
    for chunk in itertools.chain(chunks, [None]):
        passed, text, start = passed + start, text[start:] + (chunk or ""), 0
        while len(text) - start > (0 if chunk is None else LONGEST_SENTENCE):
            stop = _cut_position(text, start, LONGEST_SENTENCE)
            spans = list(splitter.spans(text[start:stop]))
            if stop < len(text) and len(spans) > 1:
                stop = start + spans.pop()[0]  # the last sentence may continue after the window
            for begin, end in spans:
                sentence = text[start + begin : start + end].strip()
                if sentence:
                    yield passed + start + end, sentence
            start = stop


def _sample(documents: Documents | Sequence[str]) -> str:
    """Take at most about 400,000 characters, spread evenly over the paragraphs."""
    total = sum(len(chunk) for _, chunks in _paragraphs(documents) for chunk in chunks)
    sample = []
    kept = passed = 0
    for _, chunks in _paragraphs(documents):
        for piece in cut_at_spaces(chunks, _SAMPLE_CHUNK_LENGTH):
            if kept * total <= passed * _SAMPLE_LENGTH or total <= _SAMPLE_LENGTH:
                sample.append(piece)
                kept += len(piece)
            passed += len(piece)
    return "\n\n".join(sample)
