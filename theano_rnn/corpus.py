"""The texts of a training run: read, divided into training and held-out text, and encoded."""

import hashlib
import logging
from dataclasses import dataclass

import numpy as np

from theano_rnn.batches import EncodedSentences
from theano_rnn.corpus_files import read_documents
from theano_rnn.errors import CorpusError
from theano_rnn.text import Tokenizer
from theano_rnn.vocabulary import Vocabulary, count_tokens

logger = logging.getLogger(__name__)

SENTENCES_BETWEEN_CALLS = 1000


@dataclass(frozen=True)
class Corpus:
    """Encoded text.

    Attributes
    ----------
    train, valid : EncodedSentences, or at character level int32 arrays, one continuous text each
        `valid` is None where nothing is held out.
    rare : array (word_dim,) of bool, or None
        The words that occur once in the training text, where the vocabulary holds every word of it. Nothing would then
        ever be UNKNOWN_TOKEN in training; `with_unknown_words` lets these stand for the words that are yet unseen.
    fingerprint : str
        Differs for different texts.
    """

    tokenizer: Tokenizer
    vocabulary: Vocabulary
    train: EncodedSentences | np.ndarray
    valid: EncodedSentences | np.ndarray | None
    rare: np.ndarray | None
    fingerprint: str


def read_corpus(paths, options, note=logger.info, progress=None):
    """Read and encode the texts of a run.

    Parameters
    ----------
    paths : one path or several
    options : TrainingOptions
    note : callable
        Is told, in a line, what is being done and what was found.
    progress : callable, optional
        Called as ``progress(done, total)``, in sentences, while words are found.

    Raises
    ------
    CorpusError
        For a file that cannot be read, and texts with too little in them.
    """
    tokenizer = Tokenizer(level=options.level, lowercase=not options.keep_case, tokenized=options.tokenized)
    documents = read_documents(paths)
    held_out = None if options.valid is None else read_documents(options.valid)
    note(f"encoding {sum(map(len, documents)):,} characters of text")
    read = read_characters if options.level == "char" else read_words
    vocabulary, train, valid, rare = read(documents, held_out, tokenizer, options, progress)
    fingerprint = hashlib.sha256(repr(vocabulary.index_to_word).encode(errors="surrogatepass"))
    for part in (train, valid):
        if part is not None:
            fingerprint.update(part.ids.tobytes() if isinstance(part, EncodedSentences) else part.tobytes())
    unit = "characters" if options.level == "char" else "sentences"
    held_out = 0 if valid is None else len(valid)
    note(f"training on {len(train):,} {unit}, {held_out:,} held out; {len(vocabulary):,} entries in the vocabulary")
    return Corpus(tokenizer, vocabulary, train, valid, rare, fingerprint.hexdigest())


def tokenized_sentences(documents, tokenizer, progress=None):
    """The sentences of documents as lists of tokens."""
    sentences = tokenizer.sentences(documents)
    tokens = []
    for done, sentence in enumerate(sentences):
        if progress is not None and done % SENTENCES_BETWEEN_CALLS == 0:
            progress(done, len(sentences))
        tokens.append(tokenizer.tokenize(sentence))
    return tokens


def read_words(documents, held_out, tokenizer, options, progress):
    sentences = tokenized_sentences(documents, tokenizer, progress)
    if held_out is not None:
        train, valid = sentences, tokenized_sentences(held_out, tokenizer)
    else:
        train, valid = hold_out(sentences, options.valid_fraction, options.seed)
    counts = count_tokens(train)
    vocabulary = Vocabulary.build(counts, options.vocabulary_size)

    def encode(sentences):
        markers = np.array([vocabulary.start], np.int32), np.array([vocabulary.end], np.int32)
        return EncodedSentences(
            np.concatenate([markers[0], vocabulary.encode(tokens), markers[1]]) for tokens in sentences
        )

    encoded = encode(train)
    rare = None
    if not options.tutorial and not (encoded.ids == vocabulary.unknown).any():
        rare = np.array([counts.get(word) == 1 for word in vocabulary.index_to_word])
    return vocabulary, encoded, encode(valid) if valid else None, rare


def hold_out(sentences, fraction, seed):
    """A random share of the sentences, at least one, for validation; the others, in their order, for training."""
    if not sentences:
        raise CorpusError("the text holds no sentences to learn from")
    count = max(1, round(fraction * len(sentences))) if fraction > 0 else 0
    if count >= len(sentences):
        count = 0
        logger.info("too little text to hold any out: progress is measured on the training text")
    chosen = np.zeros(len(sentences), bool)
    chosen[np.random.default_rng([seed, 0]).permutation(len(sentences))[:count]] = True
    train = [sentence for sentence, out in zip(sentences, chosen, strict=True) if not out]
    return train, [sentence for sentence, out in zip(sentences, chosen, strict=True) if out]


def read_characters(documents, held_out, tokenizer, options, progress):
    text = as_one_text(documents)
    if held_out is not None:
        train, valid = text, as_one_text(held_out)
    else:
        count = round(options.valid_fraction * len(text))
        train, valid = text[: len(text) - count], text[len(text) - count :]
    if len(train) < 2:
        raise CorpusError(f"the training text has {len(train)} characters; at least 2 are needed")
    vocabulary = Vocabulary.build(count_tokens([train]), options.vocabulary_size, newline_ends_sentence=True)

    def encode(text):
        # A text begins where a line before it has ended.
        return np.concatenate([[vocabulary.end], vocabulary.encode_text(text)]).astype(np.int32)

    return vocabulary, encode(train), encode(valid) if valid else None, None


def as_one_text(documents):
    """Documents one after the other, each ending with a newline if there is another."""
    return "".join(
        document if document.endswith("\n") or i + 1 == len(documents) else document + "\n"
        for i, document in enumerate(documents)
    )


def with_unknown_words(sentences, rare, unknown, generator):
    """The same sentences with each occurrence of a rare word made UNKNOWN_TOKEN with probability one half.

    Words seen once are the best guess at where words never seen will stand (Good and Turing); each is still learnt,
    in half of the epochs.
    """
    replaced = rare[sentences.ids] & (generator.random(len(sentences.ids)) < 0.5)
    copy = EncodedSentences([])
    copy.offsets, copy.ids = sentences.offsets, np.where(replaced, np.int32(unknown), sentences.ids)
    return copy
