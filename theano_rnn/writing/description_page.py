"""An HTML page that shows images beside the sentences that describe them. Must not know models."""

import base64
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from theano_rnn.errors import OptionError
from theano_rnn.results.pages import escaped, write_page

TYPES = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".gif": "gif", ".webp": "webp", ".svg": "svg+xml"}
STYLE = """
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 1.2rem; margin-top: 1rem; }
figure { margin: 0; content-visibility: auto; contain-intrinsic-size: auto 14rem; }
figure img { width: 100%; max-height: 14rem; object-fit: contain; object-position: left; image-rendering: auto;
  background: #f4f4f4; }
figcaption { line-height: 1.45; }
figcaption .n { color: #595959; font-size: 0.8rem; }
figcaption p { margin: 0.2rem 0 0; }
"""


@dataclass(frozen=True)
class DescribedImage:
    """An image with its descriptions: pairs of a sentence and its ln P in nats, the best first."""

    name: str
    sentences: Sequence[tuple[str, float]]


def write_description_page(
    path: str | os.PathLike[str],
    about: Mapping[str, str],
    images: Iterable[DescribedImage],
    folder: str | os.PathLike[str] | None = None,
) -> None:
    """Write the page. It holds the pictures themselves.

    Parameters
    ----------
    path : str or path-like
    about : dict of str to str
        Rows of the table at the top, such as the names of model and features.
    images : iterable of DescribedImage
    folder : path, optional
        Where the pictures are: files with the names of the images, perhaps with an ending such as ``.png``. An image
        without a picture is shown by its name alone.

    Raises
    ------
    OptionError
        If there is no such folder.
    OutputFileError
        If the page cannot be written.
    """
    if folder is not None and not Path(folder).is_dir():
        raise OptionError(f"images: {folder} is not a folder; name the one with the pictures")
    write_page(path, "Descriptions of images", _parts(about, images, None if folder is None else Path(folder)), STYLE)


def _parts(about: Mapping[str, str], images: Iterable[DescribedImage], folder: Path | None) -> Iterator[str]:
    cells = (f"<tr><th>{escaped(name)}</th><td>{escaped(value)}</td></tr>\n" for name, value in about.items())
    yield f"<table>\n{''.join(cells)}</table>\n<p>Hover over a sentence to see its ln P.</p>\n<main>\n"
    for image in images:
        address = None if folder is None else data_address(folder, image.name)
        picture = "" if address is None else f'<img src="{address}" alt="{escaped(image.name)}">'
        sentences = "".join(
            f'<p dir="auto" title="{log_p:.2f} nats">{escaped(sentence)}</p>' for sentence, log_p in image.sentences
        )
        caption = f'<span class="n">{escaped(image.name)}</span>{sentences}'
        yield f"<figure>{picture}<figcaption>{caption}</figcaption></figure>\n"
    yield "</main>\n"


def data_address(folder: Path, name: str) -> str | None:
    """The picture of an image as a data address, or None if the folder has none."""
    for ending in ("", *TYPES):
        path = folder / (name + ending)
        kind = TYPES.get(path.suffix.lower())
        if kind is not None and path.is_file() and path.resolve().is_relative_to(folder.resolve()):
            return f"data:image/{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"
    return None
