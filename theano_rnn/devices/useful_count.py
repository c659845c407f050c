"""How many devices make training faster. The figures are in tests/README.md. Must not know which devices there are."""


def useful_devices(cell: str, hidden_dim: int) -> int:
    """Return the largest number of devices on which a training step has been measured to be faster than on one."""
    return 1
