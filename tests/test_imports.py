"""Each package imports only from packages on lower floors, and there are no circular imports."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "theano_rnn"

# From the lowest floor to the highest. A package may import from those listed before it.
FLOORS = [
    "errors",
    "checks",
    "files",
    "devices",
    "engines",
    "text",
    "networks",
    "encoders",
    "decoders",
    "large_vocabularies",
    "generation",
    "deployment",
    "continuations",
    "language_models",
    "ngrams",
    "results",
    "reading_studies",
    "rescoring",
    "error_analysis",
    "speech",
    "tasks",
    "writing",
    "inspection",
    "training",
    "benchmarks",
    "commands",
    "tutorial",
    "sentence_classifier",
    "__main__",
]
LOOSE_MODULES = {"__init__", "__main__", "errors", "checks", "tutorial", "sentence_classifier"}
THEANO = {"pytensor", "jax", "jaxlib", "theano", "aesara"}
ENGINE = "engines.engine"
# Only these import Theano or JAX directly. All others take it from `engines.engine`.
ENGINES = {"engines.pytensor_engine", "engines.theano_engine"}
FOR_PYTENSOR = {
    "devices.jax_devices",
    "devices.jax_processes",
    "devices.jitted_function",
    "devices.coordination_service",
}
MAY_USE_THE_ENGINE = (
    "engines.",
    "networks.",
    "benchmarks.",
    "generation.sampling",
    "generation.beam_expansion",
    "generation.passage_sampling",
    "inspection.jacobians",
    "inspection.state_jacobians",
    "inspection.unit_values",
    "inspection.forward_graph",
    "encoders.",
    "decoders.",
    "large_vocabularies.",
)
# What other modules may import from the engine: the names of devices and their selection.
MAY_TAKE_FROM_THE_ENGINE = {
    "training.options": {"DEVICES"},
    "language_models.score_minibatches": {"device_name"},
    "training.train_model": {
        "check_process_count",
        "cluster_place",
        "connected",
        "exchange",
        "first_sum",
        "select_device",
        "useful_devices",
        "versions",
    },
    "training.language_model_task": {"gathered"},
}
MAY_PRINT = ("commands.",)

MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if "__pycache__" not in path.parts
}
PACKAGES = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))

every_package = pytest.mark.parametrize("package", sorted({name.partition(".")[0] for name in MODULES}))


def syntax_tree(module):
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def imports(module):
    """[(line number, imported module, names taken from it or None)], also in functions and for type checkers."""
    found = []
    for node in ast.walk(syntax_tree(module)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"theano_rnn.{module}, line {node.lineno}: relative import"
            found.append((node.lineno, node.module, {alias.name for alias in node.names}))
    return found


def own_imports(module):
    """[(line number, imported module of this package, name imported from it, or None for the whole module)]."""
    found = []
    for line, name, names in imports(module):
        root, _, inside = name.partition(".")
        if root != "theano_rnn":
            continue
        for taken in names or {""}:
            submodule = f"{inside}.{taken}".strip(".")
            found.append((line, submodule, None) if submodule in MODULES else (line, inside, taken or None))
    return found


def room(module):
    return module.partition(".")[0]


def of_modules(package, found_in, without=()):
    """(module, what is found in it), for all modules of a package."""
    for module in MODULES:
        if room(module) == package and module not in without:
            for found in found_in(module):
                yield module, found


def test_the_package_consists_of_packages_and_few_loose_modules():
    assert {name for name in MODULES if "." not in name} <= LOOSE_MODULES
    assert PACKAGES == sorted(set(FLOORS) - LOOSE_MODULES)
    assert len(PACKAGES) <= 24
    entries = {path.name for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    assert entries <= {*PACKAGES, *(f"{name}.py" for name in LOOSE_MODULES), "py.typed", "README.md"}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_has_3_to_15_modules_and_only_a_docstring_in_its_init(package):
    modules = [name for name in MODULES if room(name) == package and not name.endswith(".__init__")]
    assert 3 <= len(modules) <= 15
    body = syntax_tree(f"{package}.__init__").body
    assert len(body) == 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value.value, str)
    assert "ust not" in body[0].value.value


@every_package
def test_a_module_imports_only_from_its_own_package_and_lower_floors(package):
    if package == "__init__":
        return  # see test_the_package_root_imports_its_modules_only_for_type_checkers
    for module, (line, imported, _) in of_modules(package, own_imports):
        offence = f"theano_rnn.{module}, line {line}, imports theano_rnn.{imported}".rstrip(".")
        assert imported, f"{offence}: nothing imports the package root"
        assert room(imported) == room(module) or FLOORS.index(room(imported)) < FLOORS.index(room(module)), (
            f"{offence}: {room(imported)} is above {room(module)}"
        )


def test_there_are_no_circular_imports():
    below = {module: sorted({name for _, name, _ in own_imports(module)}) for module in MODULES if module != "__init__"}
    finished = set()

    def visit(module, path):
        assert module not in path, "circular import: " + " -> ".join([*path, module])
        if module not in finished:
            for name in below.get(module, ()):
                visit(name, [*path, module])
            finished.add(module)

    for module in below:
        visit(module, [])


@every_package
def test_theano_is_imported_only_where_graphs_are_built(package):
    allowed = ENGINES | FOR_PYTENSOR
    for module, (line, name, _) in of_modules(package, imports, allowed):
        assert room(name) not in THEANO, f"theano_rnn.{module}, line {line}, imports {name}"
    for module, (line, imported, taken) in of_modules(package, own_imports, allowed):
        offence = f"theano_rnn.{module}, line {line}, imports {taken or 'all'} from theano_rnn.{imported}"
        assert imported not in ENGINES or module == ENGINE, offence
        assert imported not in FOR_PYTENSOR, offence
        if imported == ENGINE and not module.startswith(MAY_USE_THE_ENGINE):
            assert taken in MAY_TAKE_FROM_THE_ENGINE.get(module, set()), offence


def test_the_package_root_imports_its_modules_only_for_type_checkers():
    for node in syntax_tree("__init__").body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        for inner in ast.walk(node):
            if isinstance(inner, ast.ImportFrom):
                assert room(inner.module) not in {"theano_rnn", *THEANO}, f"line {inner.lineno}"
            elif isinstance(inner, ast.Import):
                assert not {room(alias.name) for alias in inner.names} & {"theano_rnn", *THEANO}, f"line {inner.lineno}"


@every_package
def test_only_the_commands_print(package):
    for module, node in of_modules(package, lambda module: ast.walk(syntax_tree(module))):
        if not module.startswith(MAY_PRINT) and isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "print", f"theano_rnn.{module}, line {node.lineno}, prints"
