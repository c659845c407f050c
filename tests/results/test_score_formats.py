"""Score formats, parsed as users parse them: columns, JSON, and SRILM's output with regular expressions."""

import json
import math
import re

import numpy as np
import pytest

from theano_rnn.results.score_formats import FORMATS, ScoringOptions
from theano_rnn.results.score_output import make_output, summary

# (line, tokens, ln P, known)
TEXT = [
    (
        "The dog, the zebra",
        ["the", "dog", ",", "the", "zebra"],
        [-1, -2.5, -0.125, -1.5, -9, -0.75],
        [1, 1, 1, 1, 0, 1],
    ),
    ("", [], [-6.5], [1]),
    ("quagga", ["quagga"], [-8, -2.25], [0, 1]),
    ("dog", ["dog"], [-3, -0.0625], [1, 1]),
]
SENTENCES = [
    (line, [*words, "SENTENCE_END"], np.array(values, float), np.array(known, bool))
    for line, words, values, known in TEXT
]
NUMBER = r"(-?[\d.]+(?:e[+-]\d+)?|-?inf|undefined)"
FIGURES = re.compile(
    rf"(\d+) sentences, (\d+) words, (\d+) OOVs\n(\d+) zeroprobs, logprob= {NUMBER} ppl= {NUMBER} ppl1= {NUMBER}$"
)
TOKEN = re.compile(rf"\tp\( (\S+) \| (\S+) (\.\.\.)?\) \t= \[(OOV|\d+gram)\] {NUMBER} \[ {NUMBER} \]$")


def shown(sentences=SENTENCES, **settings):
    """The lines that are shown, and the output."""
    lines = []
    options = ScoringOptions(**settings)
    output = make_output(options, lambda *columns: lines.append("\t".join(map(str, columns))))
    for sentence in sentences:
        if len(sentence[1]) > 1 or not output.skips_blank_lines:
            output.add_sentence(*sentence)
    output.end_of_file("text.txt")
    output.finish()
    return lines, output


# Tab-separated


def test_each_sentence_is_a_line_of_columns():
    assert shown()[0] == [
        f"-14.875000\t6\t1\t{math.exp(14.875 / 6):.4f}\tThe dog, the zebra",
        f"-6.500000\t1\t0\t{math.exp(6.5):.4f}\t",
        f"-10.250000\t2\t1\t{math.exp(5.125):.4f}\tquagga",
        f"-3.062500\t2\t0\t{math.exp(1.53125):.4f}\tdog",
    ]


@pytest.mark.parametrize("base", ["e", "2", "10"])
def test_the_base_changes_log_probabilities_but_not_perplexities(base):
    scale = {"e": 1, "2": math.log(2), "10": math.log(10)}[base]
    natural, lines = shown()[0], shown(log_base=base)[0]
    for ours, line in zip(natural, lines, strict=True):
        assert float(line.split("\t")[0]) == pytest.approx(float(ours.split("\t")[0]) / scale, abs=1e-6)
        assert line.split("\t")[1:] == ours.split("\t")[1:]
    words = [float(line.split("\t")[0]) for line in shown(words=True, log_base=base)[0]]
    np.testing.assert_allclose(words, np.concatenate([values for *_, values, _ in SENTENCES]) / scale, atol=1e-6)


def test_excluding_unknown_words_changes_scores_but_not_counts():
    assert shown(unknown="exclude")[0][0] == f"-5.875000\t6\t1\t{math.exp(5.875 / 5):.4f}\tThe dog, the zebra"
    assert shown(unknown="exclude")[0][2] == f"-2.250000\t2\t1\t{math.exp(2.25):.4f}\tquagga"


def test_the_summary_shows_both_perplexities_and_which_one_counts():
    including = f"{math.exp((14.875 + 6.5 + 10.25 + 3.0625) / 11):.4f}"
    excluding = f"{math.exp((5.875 + 6.5 + 2.25 + 3.0625) / 9):.4f}"
    output = shown(summary=True)[1]
    assert summary(output.statistics, ScoringOptions()) == (
        "4 sentences, 7 words, 2 unknown (28.57%), log-probability -34.6875, "
        f"perplexity {including} per token (sentence ends counted), {excluding} without unknown words"
    )
    assert summary(output.statistics, ScoringOptions(unknown="exclude", log_base="2")) == (
        f"4 sentences, 7 words, 2 unknown (28.57%), log-probability {-17.6875 / math.log(2):.4f} (base 2), "
        f"perplexity {excluding} per token without unknown words (sentence ends counted), {including} with them"
    )


def test_the_summary_at_character_level_shows_bits_per_character():
    output = shown(summary=True)[1]
    with_unknown, without_unknown = 34.6875 / 11 / math.log(2), 17.6875 / 9 / math.log(2)
    assert summary(output.statistics, ScoringOptions(), "char") == (
        "4 sentences, 7 characters, 2 unknown (28.57%), log-probability -34.6875, "
        f"{with_unknown:.4f} bits/char (line ends counted), {without_unknown:.4f} without unknown characters, "
        f"perplexity {2**with_unknown:.4f} per character"
    )
    assert summary(output.statistics, ScoringOptions(unknown="exclude"), "char").endswith(
        f"{without_unknown:.4f} bits/char without unknown characters (line ends counted), "
        f"{with_unknown:.4f} with them, "
        f"perplexity {2**without_unknown:.4f} per character"
    )


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_in_the_table_shows_a_line(name):
    lines, output = shown(SENTENCES[:1], format=name)
    assert type(output).__module__ == FORMATS[name].partition(":")[0]
    row = lines[-1] if name == "csv" else lines[0]
    assert "-14.875" in row or "-5.875" in row or "logprob= -2.55148" in row
    assert output.statistics.tokens == 6


# JSON


def test_json_has_one_object_per_sentence():
    documents = [json.loads(line) for line in shown(format="json")[0]]
    assert [document["sentence"] for document in documents] == [line for line, *_ in TEXT]
    assert documents[0] == {
        "sentence": "The dog, the zebra",
        "log_probability": -14.875,
        "tokens": 6,
        "unknown": 1,
        "perplexity": pytest.approx(math.exp(14.875 / 6)),
        "perplexity_including_unknown": pytest.approx(math.exp(14.875 / 6)),
        "perplexity_excluding_unknown": pytest.approx(math.exp(5.875 / 5)),
    }
    without = json.loads(shown(format="json", unknown="exclude", log_base="10")[0][0])
    assert without["log_probability"] == pytest.approx(-5.875 / math.log(10))
    assert without["perplexity"] == without["perplexity_excluding_unknown"] == pytest.approx(math.exp(5.875 / 5))


def test_json_lists_the_tokens_of_each_sentence():
    document = json.loads(shown(format="json", words=True)[0][2])
    assert document["words"] == [
        {"token": "quagga", "log_probability": -8.0, "known": False},
        {"token": "SENTENCE_END", "log_probability": -2.25, "known": True},
    ]


def test_json_of_the_whole_text_is_one_object():
    (line,) = shown(format="json", summary=True)[0]
    document = json.loads(line)
    assert (document["sentences"], document["words"], document["tokens"], document["unknown"]) == (4, 7, 11, 2)
    assert document["log_probability"] == -34.6875
    assert document["perplexity_excluding_unknown"] == pytest.approx(math.exp(17.6875 / 9))


def refuse(constant):
    raise ValueError(constant)


def test_json_is_valid_for_impossible_tokens_and_strange_characters():
    line = 'a "quote" \\ \0 \x1f \x7f \x85 \u2028\u2029 שלום \U0001f415'
    strange = (line, [line, "SENTENCE_END"], np.array([-math.inf, -1000.0]), np.array([True, True]))
    (text,) = shown([strange], format="json", words=True)[0]
    assert len(text.splitlines()) == 1 and "שלום" in text
    document = json.loads(text, parse_constant=refuse)
    assert document["sentence"] == document["words"][0]["token"] == line
    assert document["log_probability"] is document["perplexity"] is document["words"][0]["log_probability"] is None


# SRILM


def reference(sentences, include):
    """SRILM's formulas for lists: (sentences, words, OOVs, zeroprobs, logprob, ppl, ppl1), in base 10."""
    words = sum(len(values) - 1 for *_, values, _ in sentences)
    oovs = 0 if include else sum(not one for *_, known in sentences for one in known)
    counted = [
        value / math.log(10)
        for *_, values, known in sentences
        for value, one in zip(values, known, strict=True)
        if include or one
    ]
    zeros = sum(value == -math.inf for value in counted)
    logprob = sum(value for value in counted if value > -math.inf)
    denominator = words - oovs - zeros + len(sentences)
    ppl, ppl1 = (
        10 ** (-logprob / number) if number > 0 else None for number in (denominator, denominator - len(sentences))
    )
    return len(sentences), words, oovs, zeros, logprob, ppl, ppl1


def check_figures(text, sentences, include=False):
    found = FIGURES.search(text).groups()
    expected = reference(sentences, include)
    assert tuple(map(int, found[:4])) == expected[:4]
    for one, value in zip(found[4:], expected[4:], strict=True):
        assert one == "undefined" if value is None else float(one) == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("include", [False, True])
def test_srilm_shows_the_totals_of_each_sentence_and_of_the_file(include):
    lines, _ = shown(format="srilm", unknown="include" if include else None)
    sentences = [SENTENCES[i] for i in (0, 2, 3)]  # no blank line
    blocks = "\n".join(lines).split("\n\n")
    for block, sentence in zip(blocks, sentences, strict=False):
        assert block.split("\n")[0] == " ".join(sentence[1][:-1])
        check_figures(block, [sentence], include)
    assert len(blocks) == 4 and blocks[3].startswith("file text.txt: 3 sentences, ")
    check_figures(blocks[3], sentences, include)
    assert shown(format="srilm", summary=True, unknown="include" if include else None)[0] == lines[-1:]


def test_srilm_output_is_exactly_what_ngram_prints():
    """SRILM 1.7.3 printed the same for these probabilities, except for the n of n-grams and last digits."""
    assert shown(SENTENCES[:1], format="srilm", words=True)[0] == [
        "the dog , the zebra\n"
        "\tp( the | <s> ) \t= [2gram] 0.3678794 [ -0.4342945 ]\n"
        "\tp( dog | the ...) \t= [3gram] 0.082085 [ -1.085736 ]\n"
        "\tp( , | dog ...) \t= [4gram] 0.8824969 [ -0.05428681 ]\n"
        "\tp( the | , ...) \t= [5gram] 0.2231302 [ -0.6514417 ]\n"
        "\tp( <unk> | the ...) \t= [OOV] 0 [ -inf ]\n"
        "\tp( </s> | <unk> ...) \t= [7gram] 0.4723666 [ -0.3257209 ]\n"
        "1 sentences, 5 words, 1 OOVs\n"
        "0 zeroprobs, logprob= -2.55148 ppl= 3.238143 ppl1= 4.343802\n",
        "file text.txt: 1 sentences, 5 words, 1 OOVs\n0 zeroprobs, logprob= -2.55148 ppl= 3.238143 ppl1= 4.343802",
    ]


def test_srilm_token_lines_can_be_parsed():
    lines = "\n".join(shown(format="srilm", words=True, unknown="include")[0]).split("\n")
    found = [TOKEN.match(line).groups() for line in lines if line.startswith("\tp( ")]
    sentences = [SENTENCES[i] for i in (0, 2, 3)]
    values = np.concatenate([values for *_, values, _ in sentences])
    np.testing.assert_allclose([float(one[5]) for one in found], values / math.log(10), rtol=1e-6)
    np.testing.assert_allclose([float(one[4]) for one in found], np.exp(values), rtol=1e-6)
    assert [one[0] for one in found] == ["the", "dog", ",", "the", "<unk>", "</s>", "<unk>", "</s>", "dog", "</s>"]
    assert [one[1] for one in found] == ["<s>", "the", "dog", ",", "the", "<unk>", "<s>", "<unk>", "<s>", "dog"]


def test_srilm_perplexity_over_no_words_is_undefined():
    unknown = [("a", ["a", "SENTENCE_END"], np.array([-3.0, -1.0]), np.array([False, True]))]
    text = shown(unknown, format="srilm")[0][0]
    assert text.endswith(
        "1 sentences, 1 words, 1 OOVs\n0 zeroprobs, logprob= -0.4342945 ppl= 2.718282 ppl1= undefined\n"
    )
    check_figures(text, unknown)
    impossible = [("a", ["a", "SENTENCE_END"], np.array([-math.inf, -math.inf]), np.array([True, True]))]
    text = shown(impossible, format="srilm", words=True)[0][0]
    assert text.endswith("2 zeroprobs, logprob= 0 ppl= undefined ppl1= undefined\n")
    assert "\tp( a | <s> ) \t= [2gram] 0 [ -inf ]\n" in text
    assert shown([], format="srilm")[0] == ["file text.txt: 0 sentences, 0 words, 0 OOVs"]


def test_srilm_totals_are_shown_for_each_file():
    options = ScoringOptions("srilm", summary=True)
    lines = []
    output = make_output(options, lines.append)
    output.add_sentence(*SENTENCES[0])
    output.end_of_file("a.txt")
    output.add_sentence(*SENTENCES[3])
    output.end_of_file("b.txt")
    assert [line.split("\n")[0] for line in lines] == [
        "file a.txt: 1 sentences, 5 words, 1 OOVs",
        "file b.txt: 1 sentences, 1 words, 0 OOVs",
    ]
    assert output.statistics.sentences == 2


def test_whitespace_tokens_are_named_in_srilm_output():
    characters = [("a \t", ["a", " ", "\t", "b\u2028", "SENTENCE_END"], np.full(5, -1.0), np.ones(5, bool))]
    lines = shown(characters, format="srilm", words=True)[0][0].split("\n")
    assert lines[0] == "a <space> <U+0009> b<U+2028>"
    assert [TOKEN.match(line)[1] for line in lines[1:6]] == ["a", "<space>", "<U+0009>", "b<U+2028>", "</s>"]
