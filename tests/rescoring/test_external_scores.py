"""Reading log10 probabilities of other models: output of KenLM and SRILM, and plain numbers."""

import contextlib
import math
import os
import random
import re
import threading

import pytest

from theano_rnn.errors import CorpusError
from theano_rnn.rescoring import external_scores
from theano_rnn.rescoring.external_scores import TokenScoreFile

# Output of KenLM's query for "looking on a little", "also zebra", "" and the ARPA file of KenLM's own tests.
KENLM = (
    "looking=23 2 -0.4846522\ton=25 3 -0.3488368\ta=5 4 -0.01552657\tlittle=20 5 -0.003061223\t</s>=3 1 -3.3816752\t"
    "Total: -4.2337523 OOV: 0\n"
    "also=6 1 -2.1028454\tzebra=0 1 -2.296665\t</s>=3 1 -21.029493\tTotal: -25.429 OOV: 1\n"
    "</s>=3 1 -1.4444662\tTotal: -1.4444662 OOV: 0\n"
    "Perplexity including OOVs:\t3910.824058496147\nPerplexity excluding OOVs:\t1184.9137539857434\nOOVs:\t1\n"
    "TokenTotals:\t9\n"
)
KENLM_SENTENCES = [
    [-0.4846522, -0.3488368, -0.01552657, -0.003061223, -3.3816752],
    [-2.1028454, -2.296665, -21.029493],
    [-1.4444662],
]
# Output of SRILM 1.7.3 for the same text; SRILM leaves out the blank line.
SRILM = (
    "looking on a little\n"
    "\tp( looking | <s> ) \t= [2gram] 0.327603 [ -0.4846522 ]\n"
    "\tp( on | looking ...) \t= [3gram] 0.4478816 [ -0.3488368 ]\n"
    "\tp( a | on ...) \t= [3gram] 0.8946408 [ -0.04835128 ]\n"
    "\tp( little | a ...) \t= [3gram] 0.9367845 [ -0.0283603 ] / 1.00001\n"
    "\tp( </s> | little ...) \t= [1gram] 0.003737378 [ -2.427433 ]\n"
    "1 sentences, 4 words, 0 OOVs\n"
    "0 zeroprobs, logprob= -3.337634 ppl= 4.65079 ppl1= 6.829806\n\n"
    "also zebra\n"
    "\tp( also | <s> ) \t= [1gram] 0.007891409 [ -2.102845 ]\n"
    "\tp( <unk> | also ...) \t= [OOV] 0 [ -inf ]\n"
    "\tp( </s> | <unk> ...) \t= [1gram] 9.343437e-22 [ -21.02949 ]\n"
    "1 sentences, 2 words, 1 OOVs\n"
    "0 zeroprobs, logprob= -23.13234 ppl= 1e+10 ppl1= 1e+20\n\n"
    "file q.txt: 2 sentences, 6 words, 1 OOVs\n0 zeroprobs, logprob= -26.5 ppl= 1000.5 ppl1= 10000.5\n"
)
SRILM_SENTENCES = [
    [-0.4846522, -0.3488368, -0.04835128, -0.0283603, -2.427433],
    [-2.102845, -math.inf, -21.02949],
]
SENTENCES = [[-0.5, -1.25e-3, 0.0], [-2.0], [-3.0, -math.inf]]
FORMATS = {
    "KenLM": (KENLM, KENLM_SENTENCES),
    "KenLM, words alone": (re.sub("Total: .*\n|Perpl.*\n|OOVs.*\n|TokenTotals.*\n", "", KENLM), KENLM_SENTENCES),
    "SRILM": (SRILM, SRILM_SENTENCES),
    "tokens, tabs": (
        "-0.5\tknown\tthe dog\n-1.25e-3\tunknown\t42\n0\tknown\tSENTENCE_END\n-2\tknown\tSENTENCE_END\n"
        "-3\tknown\t \n-inf\tknown\tSENTENCE_END\n",
        SENTENCES,
    ),
    "tokens, tabs, other line ends": (
        "-0.5\ta\r\n-0.00125\tb\r\n0\t</s>\r\n-2\t</s>\r\n-3\ta\r\n-inf\t</s>\r\n",
        SENTENCES,
    ),
    "tokens, blanks": ("-0.5 the\r\n-1.25e-3 dog\r\n0 </s>\r\n\r\n-2 </s>\r\n-3.0 a\r\n-1.#INF </s>", SENTENCES),
    "one column": ("-0.5\n-1.25e-3\n-0.0\n\n-2\n-3\n-Inf\n", SENTENCES),
    "tokens that are numbers": ("-0.5\t3\n-1.25e-3\t4\n0\t</s>\n-2\t</s>\n-3\t-1.5\n-inf\t</s>\n", SENTENCES),
    "tokens that are numbers, no last line end": ("-0.5 3\n-1.25e-3 4\n0 </s>\n-2 </s>\n-3 7\n-inf </s>", SENTENCES),
    "our own, of words that look like ends": (
        "-0.5\tunknown\tSENTENCE_END\n-0.00125\tunknown\t</s>\n0\tknown\tSENTENCE_END\n-2\tknown\tSENTENCE_END\n"
        "-3\tknown\ta\n-inf\tknown\tSENTENCE_END\n",
        SENTENCES,
    ),
    "sentences": ("-0.5 -1.25e-3 0\n-2\n-3 -inf\n\n", SENTENCES),
    "sentences, the first without words": ("\n-2\n-0.5\t-1.25e-3\t1e-8\n", [[-2.0], [-0.5, -1.25e-3, 0.0]]),
}


def write(tmp_path, text):
    path = tmp_path / "other.txt"
    path.write_bytes(text.encode())
    return path


@pytest.fixture
def opened(tmp_path):
    """Opens files with a given content."""
    with contextlib.ExitStack() as stack:
        yield lambda text: stack.enter_context(TokenScoreFile(write(tmp_path, text)))


@pytest.mark.parametrize("chunk", [2**20, 7], ids=["at once", "in pieces"])
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_read_sentence_by_sentence(name, chunk, opened, monkeypatch):
    text, sentences = FORMATS[name]
    monkeypatch.setattr(external_scores, "_CHUNK", 2**20)
    file = opened(text)
    monkeypatch.setattr(external_scores, "_CHUNK", chunk)
    if chunk == 7:
        file._file.seek(7)
        file._head = file._head[:7]
    for values in sentences:
        found = file.read(len(values))
        assert found.values == values and found.number == len(values) and found.ended
    assert file.read(1) is None
    assert file.has_blank_lines == (name != "SRILM")


@pytest.mark.parametrize(
    "name, lines", [("KenLM", [1, 2, 3]), ("SRILM", [6, 13]), ("tokens, tabs", [3, 4, 6]), ("sentences", [1, 2, 3])]
)
def test_the_line_of_a_sentence_end_is_recorded(name, lines, opened):
    text, sentences = FORMATS[name]
    file = opened(text)
    assert [file.read(len(values)).line for values in sentences] == lines


@pytest.mark.parametrize(
    "name", ["KenLM", "KenLM, words alone", "SRILM", "tokens, tabs", "tokens, blanks", "sentences"]
)
@pytest.mark.parametrize("asked", [1, 100])
def test_an_unexpected_number_of_tokens_is_recorded_and_extra_values_are_dropped(name, asked, opened):
    text, sentences = FORMATS[name]
    found = opened(text).read(asked)
    assert found.number == len(sentences[0]) and found.values == sentences[0][:asked]


@pytest.mark.parametrize(
    "text, number",
    [
        (KENLM.replace("</s>=3 1 -3.3816752\t", ""), 4),  # query -n
        ("looking=23 2 -0.48\tPerplexity including OOVs:\t3910.8\n", 1),  # a text without a newline at its end
        (SRILM.replace("\tp( </s> | little ...) \t= [1gram] 0.003737378 [ -2.427433 ]\n", ""), 4),  # ngram -no-eos
        ("-1 a\n-2 b\n\n-3 </s>\n", 2),
        ("-1\n-2\n\n", 2),
    ],
)
def test_a_sentence_without_an_end_is_reported(text, number, opened):
    found = opened(text).read(number + 1)
    assert (found.number, found.ended) == (number, False)


@pytest.mark.parametrize("number", ["0.5", "nan", "inf", "2e-6", "1.#QNAN"])
@pytest.mark.parametrize("text", ["-1 {} -2\n", "-1\n{}\n", "a=1 1 -1\tb=2 1 {}\t</s>=3 1 -1\t"])
def test_a_value_that_is_not_a_log10_probability_is_rejected(number, text, opened):
    with pytest.raises(CorpusError, match=rf"other.txt, line \d: '{re.escape(number)}' is not a log10 probability"):
        opened(text.format(number)).read(3)


def test_a_word_in_place_of_a_number_is_rejected(opened):
    with pytest.raises(CorpusError, match="line 2: 'dog' is not a log10 probability"):
        opened("-1 the\ndog -2\n").read(2)


@pytest.mark.parametrize(
    "text, message",
    [
        ("Total: -4.2337523 OOV: 0\n", "contains no tokens; run KenLM's query"),
        ("Perplexity including OOVs:\t3910.8\n", "contains no tokens; run KenLM's query"),
        (
            "a b\n1 sentences, 2 words, 0 OOVs\n0 zeroprobs, logprob= -3 ppl= 1 ppl1= 2\n",
            "run SRILM's ngram with -debug 2",
        ),
        ("file a.txt: 1.5e+07 sentences, 2 words, 0 OOVs\n", "run SRILM's ngram with -debug 2"),
        ("the dog sees the cat\n", "contains no log10 probabilities of tokens"),
    ],
)
def test_files_without_token_probabilities_are_rejected_when_opened(text, message, opened):
    with pytest.raises(CorpusError, match=f"other.txt: .*{message}"):
        opened(text)


@pytest.mark.parametrize("name", ["absent.txt", "."])
def test_a_file_that_cannot_be_read_is_named(name, tmp_path):
    with pytest.raises(CorpusError, match="cannot be read: .*; check its name"):
        TokenScoreFile(tmp_path / name)


def test_a_read_error_is_reported(opened):
    class Failing:
        def read(self, size):
            raise OSError(5, "Input/output error")

        def close(self):
            pass

    file = opened("-1\n")
    file.close()
    file._file = Failing()
    file.read(1)
    with pytest.raises(CorpusError, match="other.txt: cannot be read: Input/output error; check its name"):
        file.read(1)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_can_be_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=[KENLM])
    writer.start()
    with TokenScoreFile(tmp_path / "pipe") as file:
        assert [file.read(len(values)).values for values in KENLM_SENTENCES] == KENLM_SENTENCES
    writer.join()


# Texts with words that look like parts of the formats, in the output of each program.

ODD_WORDS = (
    "the game </s> SENTENCE_END <unk> <s> UNKNOWN_TOKEN Total: p( | ] [ -1 a=1 OOV: 10\u00a0km \u2028 1 known".split(
        " "
    )
)


def kenlm(texts, values, figures=True):
    """Output of query for tokenized lines; the vocabulary has </s>, <unk> and "the"."""
    ids = {"<unk>": 0, "<s>": 1, "</s>": 2, "the": 3}
    out = []
    for words, logs in zip(texts, values, strict=True):
        out += [f"{word}={ids.get(word, 0)} 1 {log}\t" for word, log in zip([*words, "</s>"], logs, strict=True)]
        if figures:
            out.append(f"Total: {sum(logs):.7g} OOV: {sum(word not in ids for word in words)}\n")
    return "".join(out) + ("Perplexity including OOVs:\t3.5\nOOVs:\t1\nTokens:\t9\n" if figures else "")


def srilm(texts, values, figures=True):
    """Output of ngram -debug 2, with <unk> for unknown words. Without figures: only its token lines."""
    out = []
    for words, logs in zip(texts, values, strict=True):
        if figures:
            out.append(" ".join(words))
        before = "<s> "
        for word, log in zip([*words, "</s>"], logs, strict=True):
            shown = "<unk>" if word == "game" else word
            out.append(f"\tp( {shown} | {before}) \t= [2gram] {10**log:.6g} [ {log} ]")
            before = f"{shown} ..."
        if figures:
            out += [f"1 sentences, {len(words)} words, 0 OOVs", "0 zeroprobs, logprob= -3 ppl= 4 ppl1= 5", ""]
    return "\n".join(out) + "\n"


def our_own(texts, values, figures=True):
    """Output of --words for a vocabulary with the word </s>. Without the column "known": numbers and tokens."""
    out = []
    for words, logs in zip(texts, values, strict=True):
        known = ["known" if word in ("the", "</s>") else "unknown" for word in words]
        columns = zip(logs, [*known, "known"], [*words, "SENTENCE_END"], strict=True)
        out += [f"{log}\t{mark}\t{word}\n" if figures else f"{log}\t{word}\n" for log, mark, word in columns]
    return "".join(out)


def odd_text(seed, has_blank_lines):
    """Sentences of such words, with a log10 probability for each word and sentence end."""
    generator = random.Random(seed)
    texts = [
        [generator.choice(ODD_WORDS) for _ in range(generator.randint(0 if has_blank_lines else 1, 5))]
        for _ in range(generator.randint(1, 12))
    ]
    return texts, [[-generator.randint(1, 900) / 100 for _ in range(len(words) + 1)] for words in texts]


@pytest.mark.parametrize("figures", [True, False], ids=["with figures", "tokens alone"])
@pytest.mark.parametrize("write_file", [kenlm, srilm, our_own])
def test_words_that_look_like_format_markers_are_words(write_file, figures, opened):
    for seed in range(150):
        texts, values = odd_text(seed, has_blank_lines=write_file is not srilm)
        file = opened(write_file(texts, values, figures))
        for words, logs in zip(texts, values, strict=True):
            # The words of the text are needed only if nothing else marks the sentence ends.
            found = file.read(len(logs), None if figures else [*words, "SENTENCE_END"])
            assert (found.values, found.number, found.ended) == (logs, len(logs), True), (seed, words)
        assert file.read(1) is None


def test_a_lower_case_word_spelled_like_an_end_is_a_word(opened):
    file = opened("-1\tthe\n-2\tSENTENCE_END\n-3\tgame\n-4\tSENTENCE_END\n")
    assert file.read(4, ["the", "sentence_end", "game", "SENTENCE_END"]).values == [-1, -2, -3, -4]


def test_a_word_spelled_like_an_end_does_not_hide_missing_tokens(opened):
    assert opened(kenlm([["</s>", "the"]], [[-1, -2, -3]])).read(2).number == 3
    assert opened(kenlm([["the"]], [[-1, -2]], figures=False)).read(4, ["a", "b", "</s>", "SENTENCE_END"]).number == 2


def test_output_of_query_for_a_text_with_the_word_sentence_end_is_read(opened):
    file = opened(
        "the=9 1 -2.6496549\tSENTENCE_END=0 1 -5.3532195\tgame=1589 1 -3.485671\t</s>=2 1 -3.259192\t"
        "Total: -14.747738 OOV: 1\nPerplexity including OOVs:\t4863.3381928852095\n"
        "Perplexity excluding OOVs:\t1353.6491819151308\nOOVs:\t1\nTokens:\t4\n"
    )
    assert file.read(4).values == [-2.6496549, -5.3532195, -3.485671, -3.259192]
