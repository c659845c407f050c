"""Scores files with a language model, and analyzes where it loses most."""

import os
from collections.abc import Iterable

from theano_rnn.checks import check_count
from theano_rnn.error_analysis.analysis import ErrorAnalysis
from theano_rnn.error_analysis.groups import FrequencyBands
from theano_rnn.errors import CorpusError
from theano_rnn.files.corpus_formats import line_batches
from theano_rnn.files.corpus_reader import CorpusReader
from theano_rnn.language_models.language_model import LanguageModel
from theano_rnn.ngrams.baselines import ORDERS
from theano_rnn.ngrams.text_ngrams import NGramModel


def ngrams_of(
    lm: LanguageModel, paths: Iterable[str | os.PathLike[str]], column: str | None = None
) -> NGramModel | None:
    """Count the n-grams of training texts, trigrams of words or 5-grams of characters; None if there are no texts."""
    paths = list(paths)
    return NGramModel(lm, paths, ORDERS[lm.tokenizer.level][-1], column) if paths else None


def analyzed_files(
    lm: LanguageModel, readers: Iterable[CorpusReader], ngrams: NGramModel | None = None, most: int = 10
) -> ErrorAnalysis:
    """Score texts line by line, as score.py does. Memory use does not grow with them.

    Parameters
    ----------
    lm : LanguageModel
    readers : iterable of CorpusReader
        One for each file.
    ngrams : NGramModel, optional
        Of the training text, to compare with. Bands of frequency are then those of occurrences in this text; by
        default, they are those of ranks in the vocabulary.
    most : int
        See `ErrorAnalysis`.

    Raises
    ------
    CorpusError
        If there are no lines.
    """
    check_count("most", most)
    vocabulary = lm.vocabulary
    if ngrams is None:
        bands = FrequencyBands.by_rank(vocabulary)
    else:
        bands = FrequencyBands.by_count(vocabulary, ngrams.token_counts)
    analysis = ErrorAnalysis(vocabulary, bands, ngrams is not None, most)
    for reader in readers:
        number = 0
        for batch in line_batches(reader.lines(), reader.is_waiting):
            others = None if ngrams is None else ngrams.scored_sentences(batch)
            for index, sentences in enumerate(lm.scored_sentences(batch)):
                number += 1
                for position, one in enumerate(sentences):
                    other = None if others is None else others[index][position].values
                    text = batch[index] if len(sentences) == 1 else one.text
                    analysis.add_sentence(reader.place(number), text, one.tokens, one.values, one.known, other)
    if not analysis.statistics.sentences:
        raise CorpusError("no sentences to analyze; give one per line")
    return analysis
