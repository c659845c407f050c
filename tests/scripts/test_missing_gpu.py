"""`--device gpu` where there is no GPU: every command that has the option ends with one line, before any work."""

import pytest
from support.devices import gpu_count
from support.script_modules import COMMANDS, script

SCRIPTS = {name: script(name) for name in COMMANDS}
WITH_DEVICE = [name for name in COMMANDS if "--device" in SCRIPTS[name].make_parser().format_help()]
CALLS = {
    "train": (
        "",
        "--devices 2",
        "--resume",
        "--level char",
        "--task classify",
        "--task tag",
        "--task fill",
        "--task translate",
        "--init-from MODEL",
    ),
    "benchmark": ("", "--devices 2", "--peer torch", "--large", "--scaling", "--growth", "--startup", "--only W3"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a text and a small finished run."""
    folder = tmp_path_factory.mktemp("run")
    text, model = folder / "text.txt", folder / "model.npz"
    text.write_text("the dog sees\tthe cat\nthe cat sees\tthe dog\n" * 20, encoding="utf-8")
    small = ["--hidden-dim", "4", "--epochs", "1", "--sample-every", "0", "--no-baselines"]
    assert SCRIPTS["train"].main(["--data", str(text), "--lines", "--model", str(model), *small]) == 0
    return folder


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_calls_are_those_of_all_commands_with_the_option():
    assert set(CALLS) == set(WITH_DEVICE)


@pytest.mark.parametrize(("name", "options"), [(name, options) for name in WITH_DEVICE for options in CALLS[name]])
def test_a_missing_gpu_is_one_line_and_status_2_before_any_work(folder, name, options, capfd):
    if gpu_count():
        pytest.skip("this machine has a GPU")
    before, arguments = contents(folder), options.replace("MODEL", str(folder / "model.npz")).split()
    if name == "train":
        model = "model.npz" if "--resume" in arguments else "new.npz"
        data = [] if "--resume" in arguments else ["--data", str(folder / "text.txt")]
        arguments += [*data, "--model", str(folder / model)]
    assert SCRIPTS[name].main(["--device", "gpu", *arguments]) == 2
    out, err = capfd.readouterr()
    assert not out and err.count("\n") == 1 and err.startswith(f"{name}.py: --device"), err
    assert contents(folder) == before
