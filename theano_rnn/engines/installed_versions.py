"""Finds installed packages that do not fit together, from their own metadata. Imports none of them."""

from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name


def unmet_requirement(roots: Sequence[str], own: str | None = None) -> str | None:
    """Find the first unmet requirement of some packages, or of the packages that they require in turn.

    Parameters
    ----------
    roots : sequence of str
        Names of packages.
    own : str, optional
        The package that uses them. Its requirements of the same packages come first.

    Returns
    -------
    str or None
        One line with the package, the installed version, and the command that installs what is needed.
    """
    found = list(requirements_of(roots))
    names = {canonicalize_name(requirement.name) for _, requirement in found} | set(map(canonicalize_name, roots))
    if own is not None:
        found = [one for one in direct_requirements(own) if canonicalize_name(one[1].name) in names] + found
    for owner, requirement in found:
        needed = f"{requirement.name}{requirement.specifier}"
        installed = installed_version(requirement.name)
        if installed is None:
            return f'{owner} needs {needed}, which is not installed; run pip install "{needed}"'
        if not requirement.specifier.contains(installed, prereleases=True):
            return (
                f'{owner} needs {needed}, and {requirement.name} {installed} is installed; run pip install "{needed}"'
            )
    return None


def requirements_of(roots: Iterable[str]) -> Iterator[tuple[str, Requirement]]:
    """Yield (package, requirement) of packages and of everything that they require in turn."""
    queue = list(roots)
    seen = set(map(canonicalize_name, queue))
    while queue:
        for owner, requirement in direct_requirements(queue.pop(0)):
            yield owner, requirement
            name = canonicalize_name(requirement.name)
            if name not in seen:
                seen.add(name)
                queue.append(name)


def direct_requirements(package: str) -> Iterator[tuple[str, Requirement]]:
    """Yield (package, requirement) of one package, without the requirements of its extras."""
    try:
        texts = metadata.requires(package) or []
    except metadata.PackageNotFoundError:
        return
    for text in texts:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield package, requirement


def installed_version(package: str) -> str | None:
    """Return the installed version of a package, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
