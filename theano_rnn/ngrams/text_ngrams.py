"""N-gram models of text with the tokens and the vocabulary of a language model: to score, to compare and to mix."""

import itertools
import math
import os
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from theano_rnn.checks import check_count
from theano_rnn.errors import ArgumentTypeError, ArgumentValueError
from theano_rnn.files.corpus_formats import line_batches, read_lines
from theano_rnn.files.output_files import check_output_path, write_output
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.language_models.scoring import perplexity
from theano_rnn.language_models.text_scoring import ScoredSentence
from theano_rnn.ngrams.kneser_ney import KneserNey
from theano_rnn.text.corpus import Ids
from theano_rnn.text.documents import read_documents
from theano_rnn.text.encoded_sentences import EncodedSentences, EncodedSentencesWriter, id_blocks
from theano_rnn.text.encoding import character_ids
from theano_rnn.text.minibatches import replace_words_seen_once
from theano_rnn.text.vocabulary import SENTENCE_END, Vocabulary

_SENTENCES_AT_ONCE = 4096
_SEED = 0


class NGramModel:
    """An n-gram model with interpolated modified Kneser–Ney smoothing.

    It has the tokens and the vocabulary of a language model. The probabilities of both can therefore be compared and
    mixed, token by token. Like `LanguageModel.score`, it scores each sentence by itself.

    If no word of the training text is unknown, half of the words that occur once are counted as UNKNOWN_TOKEN, so that
    unseen words get a suitable probability.

    Parameters
    ----------
    lm : LanguageModel
    data : path or iterable of paths
        The training text. It is read as `theano_rnn.train` reads it.
    order : int
        The length of the longest n-grams.
    column : str, optional
        The column of CSV files.

    Attributes
    ----------
    order : int
    tokens : int
        The number of tokens of the training text, sentence ends included. Each needs about 100 bytes of memory.
    token_counts : int64 array (len(lm.vocabulary),)
        How often each entry of the vocabulary occurs in the training text.

    Raises
    ------
    CorpusError
        If a file cannot be read, or there is no text.
    TypeError, ValueError
        If `order` is not an integer of at least 1, or `lm` is not a language model.

    Examples
    --------
    >>> from pathlib import Path
    >>> from theano_rnn import RNN
    >>> from theano_rnn.text.tokenizer import Tokenizer
    >>> _ = Path("text.txt").write_text("The dog sees the cat. The cat sees the dog.", encoding="utf-8")
    >>> words = ["the", "dog", "cat", "sees", "."]
    >>> vocabulary = Vocabulary(["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN", *words])
    >>> lm = LanguageModel(RNN(8, 5, seed=1), vocabulary, Tokenizer())
    >>> trigram = NGramModel(lm, "text.txt")
    >>> trigram
    NGramModel(order=3, tokens=14)
    >>> trigram.perplexity("The dog sees the dog.") < trigram.perplexity("The sees dog the dog.")
    True
    """

    def __init__(
        self,
        lm: LanguageModel,
        data: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        order: int = 3,
        column: str | None = None,
    ) -> None:
        if not isinstance(lm, LanguageModel):
            raise ArgumentTypeError(f"lm: expected a LanguageModel, got {type(lm).__name__}")
        self.order: int = check_count("order", order)
        self._lm = lm
        text = _encoded_text(lm, data, column)
        self.tokens: int = text.tokens if isinstance(text, EncodedSentences) else len(text) - 1
        size, vocabulary = len(lm.vocabulary), lm.vocabulary
        self.token_counts: npt.NDArray[np.int64] = np.zeros(size, np.int64)
        for block in id_blocks(text):
            self.token_counts += np.bincount(block, minlength=size)
        text = _with_unknown_words(text, self.token_counts, vocabulary)
        self.kneser_ney: KneserNey = KneserNey(text, size, order, vocabulary.start)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(order={self.order}, tokens={self.tokens})"

    def scored_sentences(self, texts: Iterable[str], split: bool | None = None) -> list[list[ScoredSentence]]:
        """Return the sentences of each text with the scores of their tokens, as `LanguageModel.scored_sentences` does.

        Parameters
        ----------
        texts : iterable of str
        split : bool, optional
            Whether to split each text into sentences. Default: as `LanguageModel.score`.
        """
        if isinstance(texts, str) or not isinstance(texts, Iterable):
            raise ArgumentTypeError(f"texts: expected an iterable of str, got {type(texts).__name__}")
        parts = [self._lm.split(text, split) for text in texts]
        scored = self._scored([sentence for part in parts for sentence in part])
        return [list(itertools.islice(scored, len(part))) for part in parts]

    def _scored(self, sentences: list[str]) -> Iterator[ScoredSentence]:
        vocabulary = self._lm.vocabulary
        token_lists = [self._lm.tokenize(sentence) for sentence in sentences]
        encoded = EncodedSentences(self._lm.frame(vocabulary.encode(tokens)) for tokens in token_lists)
        values = self.kneser_ney.log_probabilities(encoded, continuous=False)
        ends = np.cumsum(encoded.steps)
        for sentence, tokens, ids, end in zip(sentences, token_lists, encoded, ends, strict=True):
            of_sentence = values[end - len(ids) + 1 : end]
            yield ScoredSentence(sentence, [*tokens, SENTENCE_END], of_sentence, ids[1:] != vocabulary.unknown)

    def score(self, text: str, split: bool | None = None) -> float:
        """Return ln P(text), sentence ends included; `split` is as in `scored_sentences`."""
        return float(sum(one.values.sum() for one in self.scored_sentences([_text(text)], split)[0]))

    def perplexity(self, sentences: str | Iterable[str], split: bool | None = None) -> float:
        """Return the perplexity per token, each SENTENCE_END counted as a token.

        Raises
        ------
        ValueError
            If there are no sentences.
        """
        texts = [sentences] if isinstance(sentences, str) else sentences
        values = [one.values for part in self.scored_sentences(texts, split) for one in part]
        if not values:
            raise ArgumentValueError("sentences: expected at least one, got none")
        joined = np.concatenate(values)
        return perplexity(float(joined.sum()), len(joined))

    def write_scores(
        self,
        path: str | os.PathLike[str],
        text: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        column: str | None = None,
    ) -> None:
        """Write the log10 probability of each token of a text in the format that ``score.py --mix`` reads.

        Each token has a line with the number, ``known`` or ``unknown``, and the token, as from ``score.py --words
        --log-base 10``. As with ``--mix``, each line is scored as one sentence. Memory use does not grow with the text.

        Parameters
        ----------
        path : path
            The file to write.
        text : path or iterable of paths
            The text to score. It is read as ``score.py`` reads it.
        column : str, optional
            The column of CSV files.

        Raises
        ------
        CorpusError
            If a file cannot be read.
        OptionError
            If `path` is one of the texts, or no file has a column of this name.
        OutputFileError
            If the file cannot be written. An existing file is then unchanged.
        """
        texts = [text] if isinstance(text, (str, os.PathLike)) else list(text)
        if not texts:
            raise ArgumentValueError("text: expected at least one file, got none")
        lines = read_lines(texts, None, column)
        write_output(check_output_path(path, texts), self._score_lines(lines))

    def _score_lines(self, lines: Iterable[str]) -> Iterator[str]:
        for block in line_batches(lines):
            for sentence in self._scored(block):
                rows = zip((sentence.values / math.log(10)).tolist(), sentence.known, sentence.tokens, strict=True)
                for value, known, token in rows:
                    shown = token.replace("\n", "\\n").replace("\r", "\\r")
                    yield f"{value:.10f}\t{'known' if known else 'unknown'}\t{shown}\n"


def _text(text: object) -> str:
    if not isinstance(text, str):
        raise ArgumentTypeError(f"text: expected a str, got {type(text).__name__}")
    return text


def _encoded_text(
    lm: LanguageModel, data: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], column: str | None
) -> Ids:
    """Read text files as training does, and encode them with the tokens and the vocabulary of a model."""
    documents = read_documents(data, column=column, joins_lines=lm.tokenizer.lines)
    if lm.tokenizer.level == "char":
        return character_ids(documents.joined().excerpt(), lm.vocabulary)
    sentences = map(lm.encode, lm.tokenizer.iterate_sentences(documents))
    writer = EncodedSentencesWriter()
    while block := list(itertools.islice(sentences, _SENTENCES_AT_ONCE)):
        encoded = EncodedSentences(block)
        writer.add(encoded.ids, np.diff(encoded.offsets))
    return writer.finish()


def _with_unknown_words(text: Ids, counts: npt.NDArray[np.int64], vocabulary: Vocabulary) -> Ids:
    """Replace half of the words that occur once by UNKNOWN_TOKEN if the text has none."""
    if not isinstance(text, EncodedSentences) or counts[vocabulary.unknown]:
        return text
    seen_once = counts == 1
    seen_once[: vocabulary.unknown + 1] = False
    return replace_words_seen_once(text, seen_once, vocabulary.unknown, np.random.default_rng(_SEED))
