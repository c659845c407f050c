"""Files of images: their features in an .npz, and tables of sentences that describe them."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from theano_rnn.errors import CorpusError, OptionError
from theano_rnn.files.corpus_formats import format_of
from theano_rnn.files.csv_files import CsvReader
from theano_rnn.files.npz_reader import read_array
from theano_rnn.files.text_files import TextInput, display_name, has_extension
from theano_rnn.speech.npz_frames import opened_npz

NPZ = ".npz"
FEATURES, NAMES = "features", "names"
IMAGE_COLUMN = "image"
SENTENCE_COLUMNS = ("sentence", "caption", "text")
_TEXT = "US"  # kinds of NumPy's strings


class Caption(NamedTuple):
    """A sentence that describes an image, and where it is: the name of the file and the line, for messages."""

    image: str
    sentence: str
    place: str


class ImageFeatures(NamedTuple):
    """The features of images.

    Attributes
    ----------
    names : list of str
    features : float32 array (images, n)
    place : str
        The names of the files, for messages.
    """

    names: list[str]
    features: npt.NDArray[np.float32]
    place: str

    @property
    def rows(self) -> dict[str, int]:
        """The row of each image."""
        return {name: row for row, name in enumerate(self.names)}


def split_paths(paths: Sequence[str | os.PathLike[str]]) -> tuple[list[Path], list[Path]]:
    """Divide files into those with features (.npz) and tables of sentences."""
    features = [Path(path) for path in paths if has_extension(path, NPZ)]
    return features, [Path(path) for path in paths if not has_extension(path, NPZ)]


def read_features(paths: Sequence[Path], width: int | None = None) -> ImageFeatures:
    """Read the features of images.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Each has the arrays ``names`` (images,) of strings and ``features`` (images, n) of numbers.
    width : int, optional
        The number of features that is expected; default: that of the first file.

    Raises
    ------
    OptionError
        If there is no file.
    CorpusError
        If a file cannot be read, an array is missing or of the wrong shape, a feature is not a finite number, or a name
        is empty or occurs twice. The message names the file and the image.
    """
    if not paths:
        raise OptionError("files: the features of images are read from .npz files; name one")
    names: list[str] = []
    parts = []
    for path in paths:
        of_file, features = _read_file(path)
        place = display_name(path)
        if width is not None and features.shape[1] != width:
            raise CorpusError(f"{place}: expected {width} features per image, got {features.shape[1]}")
        width = features.shape[1]
        for name in of_file:
            if not name or name in names:
                raise CorpusError(f"{place}: names: {f'{name} occurs twice' if name else 'an image has no name'}")
            names.append(name)
        parts.append(features)
    return ImageFeatures(names, np.concatenate(parts), ", ".join(map(display_name, paths)))


def _read_file(path: Path) -> tuple[list[str], npt.NDArray[np.float32]]:
    place = display_name(path)
    with opened_npz(path) as (archive, members):
        for name in (NAMES, FEATURES):
            if name not in members:
                held = ", ".join(list(members)[:10]) or "nothing"
                raise CorpusError(f"{place}: has no array {name}; expected {NAMES} and {FEATURES}, and it holds {held}")
        names, found = read_array(archive, members[NAMES], _TEXT), read_array(archive, members[FEATURES])
    if found.ndim != 2 or not found.size or found.dtype.kind not in "iuf":
        raise CorpusError(f"{place}: features: expected numbers (images, n), got {found.dtype} of shape {found.shape}")
    if names.shape != found.shape[:1]:
        raise CorpusError(f"{place}: names: expected one for each of {len(found)} images, got the shape {names.shape}")
    listed = [name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in names.tolist()]
    with np.errstate(over="ignore"):
        features = found.astype(np.float32)
    if not np.isfinite(features).all():
        row, column = np.argwhere(~np.isfinite(features))[0]
        raise CorpusError(
            f"{place}: image {listed[row]}: feature {column} is {found[row, column]}; expected finite numbers"
        )
    return listed, features


def read_captions(paths: Sequence[Path]) -> Iterator[Caption]:
    """Yield the sentences of all files.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Lines of the name of an image, a tab and a sentence; or, if they are named ``.csv``, CSV. With a header the
        columns are ``image`` and ``sentence`` (or ``caption``, ``text``), and there may be others.

    Raises
    ------
    CorpusError
        If a line has no tab, or a name or a sentence is empty. The message names the file and the line.
    """
    for path in paths:
        source = TextInput(path)
        columns: tuple[int, int] | None = None
        is_csv = format_of(path)[0] == "csv"
        for line, row in CsvReader(source).rows() if is_csv else tsv_rows(source):
            place = f"{source.name}, line {line}"
            if columns is None:
                columns, is_header = _columns(row)
                if is_header:
                    continue
            if len(row) <= max(columns):
                raise CorpusError(f"{place}: expected the name of an image, a tab and a sentence")
            image, sentence = (row[column].strip() for column in columns)
            if not image or not sentence:
                raise CorpusError(f"{place}: the {'sentence' if image else 'name of the image'} is empty")
            yield Caption(image, sentence, place)


def tsv_rows(source: TextInput) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of each line that is not blank. Quotes are ordinary characters."""
    for number, line in enumerate(source.lines(), start=1):
        if line and not line.isspace():
            yield number, line.split("\t")


def _columns(row: Sequence[str]) -> tuple[tuple[int, int], bool]:
    """Find the columns of image and sentence in the first row, and whether it is a header."""
    names = [cell.strip().casefold() for cell in row]
    found = [name for name in SENTENCE_COLUMNS if name in names]
    if IMAGE_COLUMN in names and found:
        return (names.index(IMAGE_COLUMN), names.index(found[0])), True
    return (0, 1), False


def check_images(captions: Sequence[Caption], rows: Mapping[str, int], place: str) -> None:
    """Raise CorpusError if an image has no features."""
    for caption in captions:
        if caption.image not in rows:
            raise CorpusError(f"{caption.place}: the image {caption.image} has no features in {place}")
