"""From tokens back to text: readable, and with the number of words that `words_added` gives."""

import random
from pathlib import Path

import pytest

from theano_rnn.text.detokenize import detokenize, words_added, written_tokens
from theano_rnn.text.tokenizer import Tokenizer

DATA = Path(__file__).parents[3] / "shared" / "data"


def data_lines(name):
    path = DATA / name
    if not path.exists():
        pytest.skip(f"needs {name} in shared/data beside the checkout")
    return [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


@pytest.mark.parametrize(
    "sentence",
    [
        "He bought milk, bread (brown) and eggs; all good: yes! Really?",
        'He said "stop" and "go."',
        "“Curly,” he said, ‘too’.",
        "I don't know, it's theirs, we'll see, they've won, I'm in, you're out, he'd go.",
        "It costs $5.00, £3 or 50% of #1.",
        "wait... what?!",
        '"...and so on," he said.',
        "the boys' toys",
        "he said 'hello there' to us",
        "'Hello.'",
        "'Tis late, get 'em in the '90s.",
        "I'm gonna, I wanna, I gotta, lemme, gimme, d'ye",
        "see http://example.com/a at 10:30",
        "@someone wrote this [here] {now}",
        "¿Qué? ¡No! «Oui»",
        "f() is called",
    ],
)
def test_detokenize_undoes_tokenize(sentence):
    tokens = Tokenizer(lowercase=False).tokenize(sentence)
    assert detokenize(tokens) == sentence
    assert sum(map(words_added, tokens)) == len(sentence.split())


@pytest.mark.parametrize(
    ("tokens", "written"),
    [
        ("0 @.@ 7 and 1 @,@ 000 well @-@ known", "0.7 and 1,000 well-known"),
        ('the " cutter " , ( " red " )', 'the "cutter", ("red")'),
        ("the dogs ' and the dog 's", "the dogs' and the dog's"),
        ("obi wan kenobi got ta", "obi wan kenobi got ta"),
        ("<unk> – & / = UNKNOWN_TOKEN", "<unk> – & / = UNKNOWN_TOKEN"),
    ],
)
def test_tokenized_text_is_written_readably(tokens, written):
    assert detokenize(tokens.split(), tokenized=True) == written
    assert sum(words_added(token, tokenized=True) for token in tokens.split()) == len(written.split())


@pytest.mark.parametrize(
    ("tokens", "written"),
    [
        ([], ""),
        (["", "a", ""], "a"),
        ([".", "."], ".."),
        ([",", "he", "said"], ",he said"),
        (["he", "said", "``"], 'he said"'),
        (["a", "``", "...", "b"], 'a "...b'),
        (["a", ")", "(", "b"], "a) (b"),
        (["a", "(", ")", "b"], "a() b"),
        (["@-@"], "@-@"),  # joins only in tokenized text
        (["obi", "wan", "kenobi"], "obi wan kenobi"),
        (["'t", "was", "to", "'t"], "'twas to't"),
    ],
)
def test_a_mark_without_its_word_attaches_to_the_other_side(tokens, written):
    assert detokenize(tokens) == written


def test_the_number_of_words_is_the_sum_of_words_added():
    generator = random.Random(1)
    tokens = ["he", "said", ".", ",", "(", ")", "``", "''", '"', "'", "n't", "$", "%", "...", "“", "”", "//x", "--"]
    for _ in range(2000):
        sequence = ["word", *generator.choices(tokens, k=generator.randrange(12))]
        generator.shuffle(sequence)
        assert len(detokenize(sequence).split()) == sum(map(words_added, sequence)), sequence


def test_settled_tokens_do_not_change_whatever_follows():
    generator = random.Random(2)
    tokens = "he said . , ( ) `` '' \" ' n't gon na wan got ta 't is was em 90s @-@ @.@ 's".split()
    for _ in range(3000):
        sequence, tokenized = generator.choices(["", *tokens], k=generator.randrange(10)), generator.random() < 0.5
        whole, _ = written_tokens(sequence, tokenized)
        assert len(whole) == len(sequence) and "".join(whole) == detokenize(sequence, tokenized)
        for i in range(len(sequence)):
            written, settled = written_tokens(sequence[:i], tokenized)
            assert written[:settled] == whole[:settled], (sequence, i)


@pytest.mark.parametrize(
    ("tokens", "written", "settled"),
    [
        ([], [], 0),
        (["he", "did", "n't", "."], ["he", " did", "n't", "."], 4),
        (["he", "said", "``"], ["he", " said", '"'], 2),  # with a space before or after it
        (["he", "said", "``", "no"], ["he", " said", ' "', "no"], 4),
        (["(", "he"], ["(", "he"], 2),
        (["the", "boys", "'", "toys"], ["the", " boys", "'", " toys"], 2),  # its partner may still follow
        (["the", "'", "toys", "'"], ["the", " '", "toys", "'"], 4),
        (["i", "'m", "gon"], ["i", "'m", " gon"], 2),
        (["i", "'m", "gon", "na"], ["i", "'m", " gon", "na"], 4),
        (["", "he", ""], ["", "he", ""], 3),
    ],
)
def test_tokens_are_settled_as_early_as_possible(tokens, written, settled):
    assert written_tokens(tokens) == (written, settled)
    assert Tokenizer().written_tokens(tokens) == (written, settled)


def test_characters_are_settled_at_once():
    assert Tokenizer(level="char").written_tokens("a (") == (["a", " ", "("], 3)


@pytest.mark.parametrize(
    ("token", "tokenized", "added"),
    [
        ("word", False, 1),
        ("--", False, 1),
        ("UNKNOWN_TOKEN", False, 1),
        (".", False, 0),
        ("'S", False, 0),
        ('"', True, 0),
        ("gon", False, 0),
        ("gon", True, 1),
        ("@-@", True, -1),
        ("@-@", False, 1),
    ],
)
def test_a_token_adds_one_word_unless_it_is_a_mark_or_a_part_of_a_word(token, tokenized, added):
    assert words_added(token, tokenized) == added
    assert Tokenizer(tokenized=tokenized).words_added(token) == added
    assert Tokenizer(tokenized=tokenized).starts_word(token) is (added == 1)


def test_detokenized_real_text_has_its_words():
    tokenizer = Tokenizer(lowercase=False)
    lines = data_lines("tinyshakespeare.txt")[:5000]
    same = 0
    for line in lines:
        tokens = tokenizer.tokenize(line)
        written = tokenizer.detokenize(tokens)
        assert len(written.split()) == sum(map(tokenizer.words_added, tokens)), line
        same += written == " ".join(line.split())
    assert same >= 0.95 * len(lines)


def test_detokenized_wikitext_has_the_number_of_words_added():
    tokenizer = Tokenizer(tokenized=True)
    for line in data_lines("wikitext-2.valid.txt"):
        tokens = tokenizer.tokenize(line)
        if tokens[-1] == "@,@":  # joins nothing: three broken lists in this file
            continue
        written = tokenizer.detokenize(tokens)
        assert len(written.split()) == sum(map(tokenizer.words_added, tokens)), line
        assert "@-@" not in written
        assert " ," not in written
