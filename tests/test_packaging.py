"""What pip and the package index show of the package, and what is installed."""

import email
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import theano_rnn

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def metadata(tmp_path_factory):
    """The package's metadata, its entry points, and the folder that a build writes them to."""
    pytest.importorskip("setuptools")
    folder = tmp_path_factory.mktemp("source")
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in ("theano_rnn", "scripts"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-W", "ignore", "setup.py", "-q", "egg_info"]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, timeout=120)
    (written,) = folder.glob("*.egg-info")
    message = email.message_from_string((written / "PKG-INFO").read_text(encoding="utf-8"))
    return message, (written / "entry_points.txt").read_text(encoding="utf-8"), written


def test_the_version_is_that_of_the_package(metadata):
    assert metadata[0]["Version"] == theano_rnn.__version__


def test_the_index_page_is_complete(metadata):
    message = metadata[0]
    assert message["Summary"] and message["Keywords"] and message["License-File"] == "LICENSE"
    assert message["License"] == "MIT" or message["License-Expression"] == "MIT"
    assert message["Description-Content-Type"] == "text/markdown"
    assert "Typing :: Typed" in message.get_all("Classifier") and message.get_all("Project-URL")


def test_the_long_description_has_no_links_and_pictures_of_the_checkout(metadata):
    text = metadata[0].get_payload()
    assert text.strip().startswith("# theano_rnn")
    links = re.findall(r"\]\(([^)]*)\)", text) + re.findall(r'(?:src|href)="([^"]*)"', text)
    assert links and all(link.startswith("https://") for link in links)


def test_every_command_is_installed(metadata):
    for path in (ROOT / "scripts").glob("[!_]*.py"):
        if path.stem != "checkout":
            assert f"theano-rnn-{path.stem} = theano_rnn.scripts.{path.stem}:main" in metadata[1]


def test_the_supported_versions_of_python_are_named(metadata):
    assert metadata[0]["Requires-Python"] == ">=3.10"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"Programming Language :: Python :: {version}" in metadata[0].get_all("Classifier")


def test_the_marker_of_a_typed_package_is_installed(metadata):
    assert "theano_rnn/py.typed" in (metadata[2] / "SOURCES.txt").read_text().splitlines()
