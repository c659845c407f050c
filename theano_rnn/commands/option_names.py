"""The names of options: `hidden_dim` in Python, `--hidden-dim` in a shell."""


def flag(name: str) -> str:
    """The flag of an argument.

    Examples
    --------
    >>> flag("hidden_dim")
    '--hidden-dim'
    """
    return f"--{name.replace('_', '-')}"
