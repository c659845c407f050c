"""Self-contained HTML pages: what all of them share, not what they show."""

import html
import unicodedata

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
_KEPT = "\t\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"  # the last two shape the letters of Persian, Hindi, emoji


def escaped(text):
    """Text as HTML, in attributes too: what would show as nothing or harm the page comes as an escape like \\x00."""
    if not text.isprintable():
        text = "".join(one if is_shown(one) else one.encode("unicode_escape").decode("ascii") for one in text)
    return html.escape(text)


def is_shown(one):
    """Whether a character shows on a page, as a blank if it is one."""
    return one.isprintable() or one in _KEPT or unicodedata.category(one) == "Zs"


def write_page(path, title, parts, style=""):
    """Write a page of its own: no other file and no network is needed to show it.

    Parameters
    ----------
    path : pathlib.Path
    title : str
    parts : iterable of str
        HTML, in which `escaped` has been applied to all text; may be made while it is written.
    style : str
        CSS, after that of all pages.

    Raises
    ------
    OutputFileError
        Where that is impossible; the old file is then still there.
    """
    write_output(path, whole_page(title, parts, style))


def whole_page(title, parts, style):
    """The parts of a page from its first to its last line."""
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaped(title)}</title>\n<style>{STYLE}{style}</style>\n</head>\n<body>\n"
        f"<h1>{escaped(title)}</h1>\n"
    )
    yield from parts
    yield "</body>\n</html>\n"
