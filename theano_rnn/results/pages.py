"""The frame of all HTML pages. Must not know what the pages show."""

import html
import os
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from theano_rnn.files.output_files import write_output

STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; background: #fff; color: #1a1a1a;
  font: 1rem/1.7 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; line-height: 1.3; }
table { border-collapse: collapse; }
th, td { padding: 0.1rem 0.8rem 0.1rem 0; text-align: left; vertical-align: top; }
"""
_KEPT = "\t\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"  # the last two are needed in Persian, Hindi and emoji


def escaped(text: str) -> str:
    r"""Escape text for use in HTML, including attributes.

    Control and bidirectional characters are shown as escapes such as ``\x00``.

    Examples
    --------
    >>> escaped("a < b\x00")
    'a &lt; b\\x00'
    """
    if not text.isprintable():
        text = "".join(
            character if _is_visible(character) else character.encode("unicode_escape").decode("ascii")
            for character in text
        )
    return html.escape(text)


def _is_visible(character: str) -> bool:
    """Return whether a character can be shown as it is; whitespace counts as visible."""
    return character.isprintable() or character in _KEPT or unicodedata.category(character) == "Zs"


def write_page(path: str | os.PathLike[str], title: str, parts: Iterable[str | bytes], style: str = "") -> None:
    """Write a self-contained HTML page.

    Parameters
    ----------
    path : str or path-like
    title : str
    parts : iterable of str or bytes
        HTML; bytes are in UTF-8. The caller applies `escaped` to all text. Each part is written as it is generated.
    style : str
        CSS in addition to the style that all pages share.

    Raises
    ------
    OutputFileError
        If the page cannot be written. An existing file is then unchanged.
    """
    write_output(Path(path), _page_parts(title, parts, style))


def _page_parts(title: str, parts: Iterable[str | bytes], style: str) -> Iterator[str | bytes]:
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaped(title)}</title>\n<style>{STYLE}{style}</style>\n</head>\n<body>\n"
        f"<h1>{escaped(title)}</h1>\n"
    )
    yield from parts
    yield "</body>\n</html>\n"
