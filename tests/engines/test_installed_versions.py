"""Packages that do not fit together are named, with the command that fixes it."""

import pytest

from theano_rnn.engines.installed_versions import metadata, unmet_requirement

INSTALLED = {
    "ours": ("0.1", ["engine>=3; python_version >= '3'", "numpy>=2", "other>=9", "never>=1; python_version < '3'"]),
    "engine": ("3.0", ["NumPy>=2.0", "jit-tool<2", "plotting; extra == 'plot'"]),
    "jit-tool": ("1.5", ["numpy<3", "engine"]),
    "other": ("1.0", []),
    "numpy": ("2.4", []),
}


@pytest.fixture
def installed(monkeypatch):
    packages = dict(INSTALLED)

    def find(name):
        try:
            return packages[name.lower().replace("_", "-")]
        except KeyError:
            raise metadata.PackageNotFoundError(name) from None

    monkeypatch.setattr(metadata, "version", lambda name: find(name)[0])
    monkeypatch.setattr(metadata, "requires", lambda name: find(name)[1])
    return packages


def test_packages_that_fit_are_not_affected_by_problems_of_others(installed):
    assert unmet_requirement(["engine"], own="ours") is None


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"numpy": ("1.26.4", [])}, 'ours needs numpy>=2, and numpy 1.26.4 is installed; run pip install "numpy>=2"'),
        ({"numpy": ("3.0", [])}, 'jit-tool needs numpy<3, and numpy 3.0 is installed; run pip install "numpy<3"'),
        ({"jit-tool": ("2.0", [])},
         'engine needs jit-tool<2, and jit-tool 2.0 is installed; run pip install "jit-tool<2"'),
        ({"engine": ("2.9", [])}, 'ours needs engine>=3, and engine 2.9 is installed; run pip install "engine>=3"'),
        ({"numpy": None}, 'ours needs numpy>=2, which is not installed; run pip install "numpy>=2"'),
        ({"jit-tool": None}, 'engine needs jit-tool<2, which is not installed; run pip install "jit-tool<2"'),
        ({"ours": None, "numpy": ("1.26", [])},
         'engine needs NumPy>=2.0, and NumPy 1.26 is installed; run pip install "NumPy>=2.0"'),
    ],
)  # fmt: skip
def test_the_first_unmet_requirement_is_named_with_the_remedy(installed, changed, expected):
    for name, package in changed.items():
        installed.pop(name)
        if package is not None:
            installed[name] = package
    assert unmet_requirement(["engine"], own="ours") == expected


def test_an_invalid_requirement_is_ignored(installed):
    installed["engine"] = ("3.0", ["numpy >=! what", "jit-tool<2"])
    assert unmet_requirement(["engine"]) is None


def test_the_packages_that_run_these_tests_fit_together():
    assert unmet_requirement(["pytest"], own="theano_rnn") is None
