"""Prompts of passages: the ids that the network reads are those of the training text."""

import pytest

from theano_rnn.continuations.passage_prompts import PassagePrompt
from theano_rnn.text.encoding import character_ids
from theano_rnn.text.tokenizer import Tokenizer
from theano_rnn.text.vocabulary import Vocabulary

SPECIAL = ["SENTENCE_START", "SENTENCE_END", "UNKNOWN_TOKEN"]
WORDS = Vocabulary([*SPECIAL, "he", "came", ".", "she", "left"])
CHARACTERS = Vocabulary([*SPECIAL, "a", "b", " "], newline_ends_sentence=True)
S, E, U, HE, CAME, STOP, SHE, LEFT = range(8)
SPLIT, LINES, TOKENIZED = Tokenizer(), Tokenizer(lines=True), Tokenizer(tokenized=True)


@pytest.mark.parametrize(
    ("tokenizer", "text", "carried"),
    [
        (SPLIT, "", [S]),
        (SPLIT, " \n", [S]),
        (SPLIT, "He came", [S, HE, CAME]),
        (SPLIT, "He  came ", [S, HE, CAME]),
        (SPLIT, "He came. She", [S, HE, CAME, STOP, E, S, SHE]),
        (SPLIT, "He came.\nShe left.\n", [S, HE, CAME, STOP, E, S, SHE, LEFT, STOP]),
        (SPLIT, "He came.\n \nShe", [S, HE, CAME, STOP, E, S, SHE]),
        (SPLIT, "He came.\n\n", [S, HE, CAME, STOP, E, S]),
        (SPLIT, "He came.\r\n\r\n", [S, HE, CAME, STOP, E, S]),
        (SPLIT, "Zebras came", [S, U, CAME]),
        (LINES, "He came. She", [S, HE, CAME, STOP, SHE]),
        (LINES, "he came\nshe", [S, HE, CAME, E, S, SHE]),
        (LINES, "he came\n\n\nshe left \n ", [S, HE, CAME, E, S, SHE, LEFT, E, S]),
        (LINES, "he came\rshe", [S, HE, CAME, E, S, SHE]),
        (TOKENIZED, "he came .\nshe\n", [S, HE, CAME, STOP, E, S, SHE, E, S]),
        (TOKENIZED, "he\u00a0\n", [S, U, E, S]),
    ],
)
def test_words_are_framed_sentence_by_sentence(tokenizer, text, carried):
    assert PassagePrompt(text, tokenizer, WORDS, carries_state=True).ids.tolist() == carried
    last = len(carried) - 1 - carried[::-1].index(S)
    prompt = PassagePrompt(text, tokenizer, WORDS, carries_state=False)
    assert prompt.ids.tolist() == carried[last:] and prompt.text == text
    assert len(prompt.last_sentence) == len(carried) - 1 - last


@pytest.mark.parametrize("text", ["", "ab", "ab\n", "a\n\nb ", "a?b"])
def test_characters_are_the_ids_of_the_training_text(text):
    prompt = PassagePrompt(text, Tokenizer(level="char"), CHARACTERS, carries_state=True)
    assert prompt.ids.tolist() == character_ids([text], CHARACTERS).tolist()


def test_every_line_ending_is_a_newline_to_the_network_and_stays_in_the_text():
    prompt = PassagePrompt("a\r\nb\ra", Tokenizer(level="char"), CHARACTERS, carries_state=True)
    assert prompt.ids.tolist() == [E, 3, E, 4, E, 3] and prompt.text == "a\r\nb\ra"


def test_ngrams_of_the_prompt_lie_within_sentences():
    seen = PassagePrompt("he came\nshe left\nhe", LINES, WORDS, carries_state=True).seen_ngrams(2)
    assert seen.repeating() == [CAME]
    seen = PassagePrompt("he came\nshe left\ncame", LINES, WORDS, carries_state=True).seen_ngrams(2)
    assert seen.repeating() == []
    seen = PassagePrompt("zebra came\nquagga left\nzebra", LINES, WORDS, carries_state=True).seen_ngrams(2)
    assert seen.repeating() == [CAME]


def test_a_prompt_that_is_not_a_str_is_rejected():
    with pytest.raises(TypeError, match="^prompt: expected a str, got bytes$"):
        PassagePrompt(b"a", SPLIT, WORDS, carries_state=True)
