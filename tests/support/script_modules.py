"""The scripts as modules, for tests that call their main functions."""

import importlib.util
from pathlib import Path
from types import ModuleType

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
COMMANDS = ("train", "score", "generate", "predict", "explain", "export", "benchmark")


def script(name: str) -> ModuleType:
    """Load ``scripts/<name>.py`` as a new module."""
    specification = importlib.util.spec_from_file_location(f"script_{name}", SCRIPTS / f"{name}.py")
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
