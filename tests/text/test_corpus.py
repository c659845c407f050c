"""Reading the corpus of a training run: held-out text, vocabulary, and words seen once."""

import hashlib
import itertools
import random
import tracemalloc
from collections import Counter

import numpy as np
import pytest

from theano_rnn.errors import CorpusError
from theano_rnn.text.corpus import read_corpus
from theano_rnn.text.documents import read_documents
from theano_rnn.text.encoded_sentences import EncodedSentences
from theano_rnn.text.minibatches import replace_words_seen_once
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary
from theano_rnn.training.options import TrainingOptions

SENTENCES = [
    f"The {a} {b} the {c}."
    for a, b, c in itertools.product(["dog", "cat", "bird"], ["sees", "likes", "eats"], ["dog", "cat", "bird"])
]


def write(path, sentences):
    path.write_text("\n\n".join(sentences) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def toy(tmp_path):
    return write(tmp_path / "toy.txt", SENTENCES)


def words(corpus, part):
    return [corpus.vocabulary.decode(sentence[1:-1]) for sentence in part]


def test_each_sentence_has_boundary_tokens_and_is_in_one_part(toy):
    corpus = read_corpus(toy, TrainingOptions(valid_fraction=0.2))
    for sentence in [*corpus.train, *corpus.valid]:
        assert (sentence[0], sentence[-1]) == (corpus.vocabulary.start, corpus.vocabulary.end)
    assert (len(corpus.train), len(corpus.valid)) == (22, 5)
    everything = words(corpus, corpus.train) + words(corpus, corpus.valid)
    expected = [[*sentence.lower()[:-1].split(), "."] for sentence in SENTENCES]
    assert sorted(everything) == sorted(expected)


def test_the_tokenizer_learns_what_separates_sentences_unless_it_is_that_of_another_model(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(SENTENCES))
    assert read_corpus(path, TrainingOptions()).tokenizer.separator == "\n"
    assert read_corpus(path, TrainingOptions(), tokenizer=Tokenizer()).tokenizer.separator == " "
    path.write_text("\n\n".join(" ".join(SENTENCES[i : i + 3]) for i in range(0, len(SENTENCES), 3)))
    assert read_corpus(path, TrainingOptions()).tokenizer.separator == " "


def test_held_out_sentences_of_a_small_text_are_the_same_for_every_seed(toy):
    first, second = (read_corpus(toy, TrainingOptions(seed=seed)) for seed in (1, 2))
    assert words(first, first.valid) == words(second, second.valid)
    assert TrainingOptions(seed=7).held_out_seed(19_000) == 0
    assert TrainingOptions(seed=7).held_out_seed(20_000) == 7
    assert TrainingOptions(seed=7, valid_fraction=0.1).held_out_seed(100) == 7


def test_held_out_sentences_depend_only_on_the_seed(toy):
    parts = [
        words(c, c.valid) for c in (read_corpus(toy, TrainingOptions(valid_fraction=0.2, seed=s)) for s in (1, 1, 2))
    ]
    assert parts[0] == parts[1] != parts[2]


@pytest.mark.parametrize("level", ["word", "char"])
def test_min_count_above_every_frequency_is_rejected(toy, level):
    with pytest.raises(
        CorpusError, match="`min_count` is 999, but no token of the training text occurs more than [0-9]+"
    ):
        read_corpus(toy, TrainingOptions(level=level, min_count=999))


def test_characters_below_min_count_are_unknown(tmp_path):
    (tmp_path / "t.txt").write_text("aaabbbcd\n" * 2, encoding="utf-8")
    corpus = read_corpus(tmp_path / "t.txt", TrainingOptions(level="char", min_count=3, valid_fraction=0.0))
    assert corpus.vocabulary.index_to_word[3:] == ["a", "b"]
    assert corpus.train[:10].tolist() == [1, 3, 3, 3, 4, 4, 4, 2, 2, 1]


def test_words_below_min_count_are_unknown_and_not_marked_as_seen_once(toy, tmp_path):
    text = write(tmp_path / "t.txt", [*SENTENCES, "The aardvark sees the zebra."])
    corpus = read_corpus(text, TrainingOptions(valid_fraction=0.0, min_count=2))
    assert corpus.seen_once is None
    assert (corpus.train.ids == corpus.vocabulary.unknown).sum() == 2
    corpus = read_corpus(toy, TrainingOptions(valid_fraction=0.0, min_count=2))
    assert not corpus.seen_once.any()


# With the vocabulary of another model


@pytest.mark.parametrize("level", ["word", "char"])
def test_a_given_vocabulary_and_tokenizer_are_used(tmp_path, toy, level):
    options = TrainingOptions(level=level, vocabulary_size=4, min_count=99, valid_fraction=0.2)
    vocabulary = Vocabulary.build({"The": 3, "dog": 2, "T": 2, "h": 1}, 9, newline_ends_sentence=level == "char")
    tokenizer = Tokenizer(level=level, lowercase=False)
    corpus = read_corpus(toy, options, vocabulary=vocabulary, tokenizer=tokenizer)
    assert corpus.vocabulary is vocabulary and corpus.tokenizer is tokenizer and corpus.seen_once is None
    if level == "char":
        text = toy.read_text()
        np.testing.assert_array_equal(corpus.train, [1, *vocabulary.encode_text(text)[: len(corpus.train) - 1]])
        return
    plain = read_corpus(toy, TrainingOptions(keep_case=True, valid_fraction=0.2))
    for part in ("train", "valid"):
        expected = [vocabulary.encode(one).tolist() for one in words(plain, getattr(plain, part))]
        assert [sentence[1:-1].tolist() for sentence in getattr(corpus, part)] == expected


def test_words_seen_once_are_counted_in_this_text_and_not_in_that_of_the_given_vocabulary(tmp_path):
    vocabulary = Vocabulary.build({"aa": 1, "bb": 9, "cc": 9}, 9)
    text = tmp_path / "t.txt"
    text.write_text("aa bb aa\n", encoding="utf-8")
    options = TrainingOptions(tokenized=True, valid_fraction=0.0)
    corpus = read_corpus(text, options, vocabulary=vocabulary)
    assert vocabulary.decode(np.flatnonzero(corpus.seen_once)) == ["bb"]


# Encoding, against a plain implementation


def plainly_encoded(paths, options):
    """(vocabulary, train, valid, rare): lists of tokens, counted and looked up one by one."""
    tokenizer = Tokenizer(lowercase=not options.keep_case, tokenized=options.tokenized)

    def tokenized(paths):
        return [tokenizer.tokenize(sentence) for sentence in tokenizer.sentences(read_documents(paths))]

    train = tokenized(paths)
    if options.valid:
        valid = tokenized(options.valid)
    else:
        fraction, seed = options.valid_fraction, options.seed
        if fraction is None:
            fraction = min(max(1000 / sum(len(one) + 1 for one in train), 0.05), 0.1)
            seed = seed if fraction == 0.05 else 0
        count = max(1, round(fraction * len(train))) if fraction else 0
        chosen = set(np.random.default_rng([seed, 0]).permutation(len(train))[:count].tolist())
        train, valid = (
            [one for i, one in enumerate(train) if i not in chosen],
            [one for i, one in enumerate(train) if i in chosen],
        )
    counts = Counter(itertools.chain.from_iterable(train))
    vocabulary = Vocabulary.build(counts, options.vocabulary_size, min_count=options.min_count)
    train, valid = (
        EncodedSentences([[0, *vocabulary.encode(one).tolist(), 1] for one in part]) for part in (train, valid)
    )
    rare = None
    if not options.tutorial and 2 not in train.ids:
        rare = np.array([counts[word] == 1 for word in vocabulary.index_to_word])
    return vocabulary, train, valid, rare


def assert_same_sentences(part, plain):
    if len(plain) == 0:
        assert part is None
        return
    for name in ("ids", "offsets"):
        one, other = getattr(part, name), getattr(plain, name)
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


@pytest.fixture
def odd_text(tmp_path):
    """Words that look like special tokens, numbers and quotes. Many are only in held-out sentences."""
    generator = random.Random(2)
    words = ["SENTENCE_END", "SENTENCE_START", "UNKNOWN_TOKEN", "0", "1", "“we’ll”", "don't", "cannot", '"so"', "(a)"]
    words += [f"w{i}" for i in range(300)]
    lines = [" ".join(generator.choices(words, k=generator.randrange(1, 12))) + "." for _ in range(400)]
    path = tmp_path / "odd.txt"
    path.write_text("\n\n".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("block_size", [50, 2**20])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"seed": 5, "valid_fraction": 0.3},
        {"valid_fraction": 0.0, "keep_case": True},
        {"vocabulary_size": 40},
        {"min_count": 6},
        {"min_count": 7, "vocabulary_size": 100, "valid_fraction": 0.3},
        {"keep_case": True, "vocabulary_size": 290},
        {"tokenized": True, "valid_fraction": 0.2},
        {"tutorial": True, "valid_fraction": 0.1},
        {"valid": True},
    ],
    ids=str,
)
def test_words_are_encoded_as_in_a_plain_implementation(tmp_path, monkeypatch, odd_text, settings, block_size):
    for module in ("encoded_sentences", "encoding"):
        monkeypatch.setattr(f"theano_rnn.text.{module}.BLOCK_SIZE", block_size)
    if "valid" in settings:
        settings = {"valid": str(write(tmp_path / "valid.txt", ["We'll see w1 and w2.", "Never seen."]))}
    options = TrainingOptions.from_settings(settings)
    corpus = read_corpus(odd_text, options)
    vocabulary, train, valid, rare = plainly_encoded(odd_text, options)
    assert corpus.vocabulary == vocabulary
    assert_same_sentences(corpus.train, train)
    assert_same_sentences(corpus.valid, valid)
    assert (corpus.seen_once is None) == (rare is None)
    if rare is not None:
        np.testing.assert_array_equal(corpus.seen_once, rare)


@pytest.mark.slow
def test_encoding_takes_less_memory_than_ten_times_the_text(tmp_path):
    path = tmp_path / "large.txt"
    generator = random.Random(1)
    words = [f"{a}{b}{c}" for a, b, c in itertools.product("bcdfgklmnp", "aeiou", ["sst", "st", "nd", "lla", "ch"])]
    lines = [" ".join(generator.choices(words, k=12)).capitalize() + "." for _ in range(30_000)]
    path.write_text("\n".join(lines), encoding="utf-8")
    del lines
    read_corpus(write(tmp_path / "toy.txt", SENTENCES), TrainingOptions())  # loads the modules
    tracemalloc.start()
    try:
        corpus = read_corpus(path, TrainingOptions())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(corpus.train) == 28_500
    assert peak < 10 * path.stat().st_size


def test_progress_is_reported_in_characters(toy):
    reports = []
    read_corpus(toy, TrainingOptions(), progress=lambda *report: reports.append(report))
    total = toy.stat().st_size
    assert (reports[0], reports[-1]) == ((0, total), (total, total))


def test_the_vocabulary_is_made_from_the_training_text_only(tmp_path):
    """Every sentence has a unique word. Those of the held-out sentences are unknown."""
    names = [f"{a}{b}zz" for a, b in itertools.product("abcde", "abcd")]
    corpus = read_corpus(
        write(tmp_path / "t.txt", [f"Look at {name}." for name in names]), TrainingOptions(valid_fraction=0.25)
    )
    known = [name for name in names if name in corpus.vocabulary]
    assert len(known) == 15
    for sentence in corpus.valid:
        assert (sentence == corpus.vocabulary.unknown).sum() == 1
    assert not (corpus.train.ids == corpus.vocabulary.unknown).any()


def test_nothing_is_held_out_of_the_training_text_if_there_is_a_held_out_file(tmp_path, toy):
    valid = write(tmp_path / "valid.txt", ["The dog sees the zebra.", "The cat likes the dog."])
    corpus = read_corpus(toy, TrainingOptions(valid=str(valid), valid_fraction=0.5))
    assert len(corpus.train) == len(SENTENCES)
    assert words(corpus, corpus.valid) == [
        ["the", "dog", "sees", "the", "UNKNOWN_TOKEN", "."],
        ["the", "cat", "likes", "the", "dog", "."],
    ]


def test_the_vocabulary_size_counts_the_special_tokens_and_keeps_the_frequent_words(toy):
    corpus = read_corpus(toy, TrainingOptions(vocabulary_size=5))
    assert corpus.vocabulary.index_to_word[3:] == ["the", "."]


def test_words_seen_once_are_marked_if_every_word_is_known(tmp_path):
    text = write(tmp_path / "t.txt", [*SENTENCES, "The aardvark sees the zebra."])
    corpus = read_corpus(text, TrainingOptions(valid_fraction=0.0))
    assert corpus.valid is None
    assert corpus.seen_once.shape == (len(corpus.vocabulary),)
    assert corpus.vocabulary.decode(np.flatnonzero(corpus.seen_once)) == ["aardvark", "zebra"]


@pytest.mark.parametrize("settings", [{"vocabulary_size": 11}, {"tutorial": True}])
def test_no_word_is_marked_if_some_are_unknown_or_in_tutorial_mode(tmp_path, settings):
    text = write(tmp_path / "t.txt", [*SENTENCES, "The aardvark sees the zebra."])
    assert read_corpus(text, TrainingOptions.from_settings({"valid_fraction": 0.0, **settings})).seen_once is None


def test_about_half_of_the_words_seen_once_become_unknown_and_nothing_else_changes(tmp_path):
    pairs = itertools.product("abcdefghijklmnopqrst", "abcdefghij")
    text = write(tmp_path / "t.txt", [f"The {a}{b}zz sees the dog." for a, b in pairs])
    corpus = read_corpus(text, TrainingOptions(valid_fraction=0.0))
    assert corpus.seen_once.sum() == 200
    before = corpus.train.ids.copy()
    replaced = replace_words_seen_once(
        corpus.train, corpus.seen_once, corpus.vocabulary.unknown, np.random.default_rng(0)
    )
    np.testing.assert_array_equal(corpus.train.ids, before)
    np.testing.assert_array_equal(replaced.offsets, corpus.train.offsets)
    assert replaced.ids.dtype == np.int32
    changed = replaced.ids != before
    assert (replaced.ids[changed] == corpus.vocabulary.unknown).all()
    assert corpus.seen_once[before[changed]].all()
    assert 75 < changed.sum() < 125
    again = replace_words_seen_once(corpus.train, corpus.seen_once, corpus.vocabulary.unknown, np.random.default_rng(1))
    assert (again.ids != replaced.ids).any()


def test_replacing_words_seen_once_does_not_depend_on_the_block_size(tmp_path, monkeypatch):
    corpus = read_corpus(write(tmp_path / "t.txt", [f"A{i} b{i}." for i in range(90)]), TrainingOptions())
    replaced = []
    for size in (7, 2**20):
        monkeypatch.setattr("theano_rnn.text.encoded_sentences.BLOCK_SIZE", size)
        replaced.append(replace_words_seen_once(corpus.train, corpus.seen_once, 2, np.random.default_rng(0)).ids)
    np.testing.assert_array_equal(*replaced)
    assert 2 in replaced[0]


def test_tokenized_text_is_not_changed(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text(" The <unk> can't @-@ . Stop here\nOne sentence a line\n\n", encoding="utf-8")
    corpus = read_corpus(path, TrainingOptions(tokenized=True, valid_fraction=0.0))
    assert words(corpus, corpus.train) == [
        ["The", "<unk>", "can't", "@-@", ".", "Stop", "here"],
        ["One", "sentence", "a", "line"],
    ]


@pytest.mark.parametrize("keep_case, first", [(True, "The"), (False, "the")])
def test_words_are_lower_cased_unless_keep_case(toy, keep_case, first):
    corpus = read_corpus(toy, TrainingOptions(keep_case=keep_case))
    assert words(corpus, corpus.train)[0][0] == first
    assert corpus.tokenizer.lowercase is not keep_case


def test_the_end_of_the_text_is_held_out_at_character_level(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("abcdefghi\nabcdefgxy\n", encoding="utf-8")
    corpus = read_corpus(path, TrainingOptions(level="char", valid_fraction=0.15))
    end, unknown = corpus.vocabulary.end, corpus.vocabulary.unknown
    decode = corpus.vocabulary.decode
    assert "".join(decode(corpus.train, end_as_newline=True)) == "\nabcdefghi\nabcdefg"
    np.testing.assert_array_equal(corpus.valid, [end, unknown, unknown, end])
    assert corpus.seen_once is None


@pytest.mark.parametrize("fraction", [0.0, 0.3])
@pytest.mark.parametrize("length", [1, 4, 1000])
def test_characters_of_documents_are_encoded_as_one_text(tmp_path, monkeypatch, length, fraction):
    monkeypatch.setattr("theano_rnn.text.documents.CHUNK_LENGTH", length)
    monkeypatch.setattr("theano_rnn.text.documents.EXCERPT_CHUNK_LENGTH", length)
    path = tmp_path / "t.csv"
    path.write_text('body\none é\n"two\n"\n"\nthree 😀 or\nmore"\nx\n', encoding="utf-8")
    text = "one é\ntwo\n\nthree 😀 or\nmore\nx\n"
    stop = len(text) - round(fraction * len(text))
    corpus = read_corpus(path, TrainingOptions(level="char", valid_fraction=fraction))
    assert corpus.vocabulary == Vocabulary.build(Counter(text[:stop]), 8000, newline_ends_sentence=True)
    assert corpus.train.tolist() == [1, *corpus.vocabulary.encode_text(text[:stop])]
    assert (corpus.valid is None) == (fraction == 0)
    if fraction:
        assert corpus.valid.tolist() == [1, *corpus.vocabulary.encode_text(text[stop:])]


@pytest.mark.parametrize(
    ("count", "dtype"), [(253, np.uint8), (254, np.uint16), (65_533, np.uint16), (65_534, np.int32)]
)
def test_ids_of_characters_have_the_smallest_type_for_the_vocabulary(tmp_path, count, dtype):
    text = "".join(map(chr, range(0x10000, 0x10000 + count)))
    (tmp_path / "t.txt").write_text(text, encoding="utf-8")
    options = TrainingOptions(level="char", valid_fraction=0.0, vocabulary_size=100_000)
    corpus = read_corpus(tmp_path / "t.txt", options)
    assert corpus.train.dtype == dtype and len(corpus.vocabulary) == count + 3
    assert "".join(corpus.vocabulary.decode(corpus.train[1:], end_as_newline=True)) == text + "\n"


@pytest.mark.parametrize("block_size", [1, 3, 100])
def test_encoding_characters_does_not_depend_on_the_chunk_size(tmp_path, monkeypatch, block_size):
    monkeypatch.setattr("theano_rnn.text.documents.EXCERPT_CHUNK_LENGTH", block_size)
    path = tmp_path / "t.txt"
    path.write_text("aé😀\nab\nxyz😀\n", encoding="utf-8")
    corpus = read_corpus(path, TrainingOptions(level="char", valid_fraction=0.4))
    assert corpus.train.dtype == corpus.valid.dtype == np.uint8
    assert corpus.vocabulary.index_to_word[3:] == ["a", "b", "é", "😀"]
    assert "".join(corpus.vocabulary.decode(corpus.train, end_as_newline=True)) == "\naé😀\nab\n"
    assert corpus.valid.tolist() == [1, 2, 2, 2, 6, 1]


def test_a_held_out_file_is_encoded_with_the_characters_of_the_training_text(tmp_path):
    (tmp_path / "t.txt").write_text("abab\n", encoding="utf-8")
    (tmp_path / "v.txt").write_text("ba\nc", encoding="utf-8")
    corpus = read_corpus(tmp_path / "t.txt", TrainingOptions(level="char", valid=str(tmp_path / "v.txt")))
    assert len(corpus.train) == 6
    assert corpus.vocabulary.decode(corpus.valid, end_as_newline=True) == ["\n", "b", "a", "\n", "UNKNOWN_TOKEN", "\n"]


def test_nothing_is_held_out_of_a_very_short_text_at_character_level(tmp_path):
    (tmp_path / "t.txt").write_text("abcd", encoding="utf-8")
    corpus = read_corpus(tmp_path / "t.txt", TrainingOptions(level="char"))
    assert len(corpus.train) == 6 and corpus.valid is None


def test_a_text_of_one_character_is_rejected(tmp_path):
    (tmp_path / "t.txt").write_text("a", encoding="utf-8")
    with pytest.raises(CorpusError, match="the training text has fewer than 2 characters; name a longer text"):
        read_corpus(tmp_path / "t.txt", TrainingOptions(level="char", valid_fraction=0.4))


@pytest.mark.parametrize("name", ["t.txt", "t.csv"])
def test_a_missing_final_line_end_makes_no_difference_at_character_level(tmp_path, name):
    encoded = []
    for text in ("body\nab\ncd", "body\nab\ncd\n"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        options = TrainingOptions(level="char", valid_fraction=0.2, valid=str(tmp_path / name))
        corpus = read_corpus(tmp_path / name, options)
        encoded.append((corpus.train.tolist(), corpus.valid.tolist(), corpus.fingerprint))
    assert encoded[0] == encoded[1] and encoded[0][0][-1] == corpus.vocabulary.end


@pytest.mark.parametrize("level", ["word", "char"])
def test_the_column_applies_to_the_held_out_file(tmp_path, level):
    (tmp_path / "t.csv").write_text("body,note\nOne.,Two words.\n", encoding="utf-8")
    (tmp_path / "v.tsv").write_text("Note\tbody\nTwo words.\tThree.\n", encoding="utf-8")
    options = TrainingOptions(level=level, column="note", valid=str(tmp_path / "v.tsv"))
    corpus = read_corpus(tmp_path / "t.csv", options)
    train, valid = (part if level == "char" else part.ids for part in (corpus.train, corpus.valid))
    assert train.tolist() == valid.tolist()
    assert len(train) == (len("\nTwo words.\n") if level == "char" else 5)


@pytest.mark.parametrize("level", ["word", "char"])
def test_an_empty_text_is_rejected(tmp_path, level):
    (tmp_path / "t.txt").write_text("", encoding="utf-8")
    with pytest.raises(CorpusError):
        read_corpus(tmp_path / "t.txt", TrainingOptions(level=level))


@pytest.mark.parametrize("level", ["word", "char"])
def test_an_empty_held_out_file_is_rejected(tmp_path, toy, level):
    (tmp_path / "v.txt").write_text("", encoding="utf-8")
    with pytest.raises(CorpusError, match="v.txt"):
        read_corpus(toy, TrainingOptions(level=level, valid=str(tmp_path / "v.txt")))


def test_the_error_names_a_missing_file(tmp_path):
    with pytest.raises(CorpusError, match="absent.txt"):
        read_corpus(tmp_path / "absent.txt", TrainingOptions())


def test_different_texts_have_different_fingerprints(tmp_path, toy):
    options = TrainingOptions()
    one = read_corpus(toy, options).fingerprint
    assert read_corpus(toy, options).fingerprint == one
    swapped = write(tmp_path / "other.txt", [SENTENCES[1], SENTENCES[0], *SENTENCES[2:]])
    assert read_corpus(swapped, options).fingerprint != one
    renamed = write(tmp_path / "names.txt", [sentence.replace("bird", "wolf") for sentence in SENTENCES])
    assert read_corpus(renamed, options).fingerprint != one


def test_the_fingerprint_is_the_digest_of_the_ids_as_int32(toy):
    """It must not change: older checkpoints identify their text by it."""
    for level in ("word", "char"):
        corpus = read_corpus(toy, TrainingOptions(level=level))
        digest = hashlib.sha256(repr(corpus.vocabulary.index_to_word).encode())
        for part in (corpus.train, corpus.valid):
            digest.update((part.ids if level == "word" else part).astype(np.int32))
        assert corpus.fingerprint == digest.hexdigest()


@pytest.mark.parametrize("level", ["word", "char"])
def test_encoding_leaves_no_files_in_the_folder(toy, tmp_path, level):
    folder = tmp_path / "folder"
    folder.mkdir()
    corpus = read_corpus(toy, TrainingOptions(level=level), folder=folder)
    assert list(folder.iterdir()) == []
    with pytest.raises(CorpusError, match="absent: cannot store the text"):
        read_corpus(toy, TrainingOptions(level=level), folder=tmp_path / "absent")
    assert len(corpus.train) > 9
