"""Files of images: features and sentences, and one line for each thing that can be wrong with them."""

import numpy as np
import pytest

from theano_rnn.errors import CorpusError, OptionError
from theano_rnn.writing.image_files import check_images, read_captions, read_features, split_paths


def save(path, names=("a", "b"), features=((1, 2), (3, 4)), **more):
    np.savez(path, names=np.array(names), features=np.array(features), **more)
    return path


def test_features_of_several_files_are_read_in_order(tmp_path):
    first = save(tmp_path / "1.npz")
    second = save(tmp_path / "2.npz", [b"c"], np.array([[5, 6]], np.uint8))
    found = read_features([first, second])
    assert found.names == ["a", "b", "c"]
    assert found.features.dtype == np.float32
    np.testing.assert_array_equal(found.features, [[1, 2], [3, 4], [5, 6]])
    assert found.rows == {"a": 0, "b": 1, "c": 2}


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ({"features": [[1.0, 2], [np.nan, 4]]}, r"image b: feature 0 is nan; expected finite numbers"),
        ({"features": [[1.0, 2], [np.inf, 4]]}, r"image b: feature 0 is inf"),
        ({"features": [[1.0, 2]]}, r"names: expected one for each of 1 images, got the shape \(2,\)"),
        ({"features": [1.0, 2]}, r"features: expected numbers \(images, n\), got float64 of shape \(2,\)"),
        ({"features": [["x", "y"]] * 2}, r"is not a readable \.npz file: .*features holds <U1"),
        ({"names": ["a", "a"]}, r"names: a occurs twice"),
        ({"names": ["a", ""]}, r"names: an image has no name"),
        ({"features": np.zeros((2, 0))}, r"features: expected numbers \(images, n\)"),
    ],
)
def test_a_fault_of_the_features_is_named_with_the_file(tmp_path, contents, message):
    path = save(tmp_path / "faulty.npz", **contents)
    with pytest.raises(CorpusError, match=rf"faulty\.npz: {message}"):
        read_features([path])


def test_features_of_another_width_are_refused(tmp_path):
    path = save(tmp_path / "wide.npz")
    with pytest.raises(CorpusError, match=r"wide\.npz: expected 3 features per image, got 2"):
        read_features([path], width=3)
    other = save(tmp_path / "other.npz", ["c"], [[1, 2, 3]])
    with pytest.raises(CorpusError, match=r"other\.npz: expected 2 features per image, got 3"):
        read_features([path, other])


def test_files_that_are_no_features_are_refused(tmp_path):
    np.savez(tmp_path / "other.npz", x=np.zeros(2))
    with pytest.raises(CorpusError, match=r"has no array names; expected names and features, and it holds x"):
        read_features([tmp_path / "other.npz"])
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(CorpusError, match=r"text\.npz: is not a readable \.npz file"):
        read_features([tmp_path / "text.npz"])
    with pytest.raises(CorpusError, match=r"missing\.npz: cannot be read: No such file or directory"):
        read_features([tmp_path / "missing.npz"])
    with pytest.raises(OptionError, match=r"files: the features of images are read from \.npz files; name one"):
        read_features([])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", "a\tA dog.\nb\tTwo cats.\n"),
        ("a.tsv", "\ufeffimage\tsentence\r\na\tA dog.\r\n\r\nb\tTwo cats."),
        ("a.tsv", "split\tcaption\timage\ntrain\tA dog.\ta\ntest\tTwo cats.\tb\n"),
        ("a.csv", 'image,sentence\na,A dog.\nb,"Two cats."\n'),
    ],
)
def test_sentences_are_read_with_and_without_a_header(tmp_path, name, text):
    (tmp_path / name).write_bytes(text.encode())
    found = list(read_captions([tmp_path / name]))
    assert [(one.image, one.sentence) for one in found] == [("a", "A dog."), ("b", "Two cats.")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("no tab", "expected the name of an image, a tab and a sentence"),
        ("\tA dog.", "the name of the image is empty"),
        ("a\t ", "the sentence is empty"),
    ],
)
def test_a_fault_of_a_sentence_is_named_with_the_line(tmp_path, line, message):
    (tmp_path / "faulty.tsv").write_text(f"a\tA dog.\n{line}\n")
    with pytest.raises(CorpusError, match=rf"faulty\.tsv, line 2: {message}"):
        list(read_captions([tmp_path / "faulty.tsv"]))


def test_an_image_without_features_is_named_with_the_line_of_its_sentence(tmp_path):
    (tmp_path / "a.tsv").write_text("a\tA dog.\nz\tA cat.\n")
    features = read_features([save(tmp_path / "f.npz")])
    with pytest.raises(CorpusError, match=r"a\.tsv, line 2: the image z has no features in .*f\.npz"):
        check_images(list(read_captions([tmp_path / "a.tsv"])), features.rows, features.place)


def test_files_are_told_apart_by_their_names():
    features, tables = split_paths(["x.NPZ", "a.tsv", "b.csv.gz"])
    assert [path.name for path in features] == ["x.NPZ"]
    assert [path.name for path in tables] == ["a.tsv", "b.csv.gz"]
