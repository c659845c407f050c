"""Where a cluster has started several processes, they find each other without options."""

import socket
import sys
from types import SimpleNamespace

import pytest
from support.script_modules import script

from theano_rnn.devices.process_group import Place, place_in_group
from theano_rnn.engines.engine import cluster_place
from theano_rnn.errors import ProcessGroupError

pytestmark = pytest.mark.xla


class ApiException(Exception):
    """The error of the package kubernetes if the server refuses an answer."""

    status, reason = 403, "Forbidden"


def stand_in(refuses=False):
    """The part of the package kubernetes that JAX uses, with a job of four pods."""
    labels = {"job-name": "theano-rnn"}
    owner = SimpleNamespace(controller=True, kind="Job")
    pod = SimpleNamespace(
        metadata=SimpleNamespace(name="theano-rnn-2-x7k2p", labels=labels, owner_references=[owner]),
        spec=SimpleNamespace(subdomain="workers"),
    )
    job = SimpleNamespace(metadata=SimpleNamespace(name="theano-rnn", labels={}), spec=SimpleNamespace(parallelism=4))

    def read_namespaced_job(name, namespace):
        if refuses:
            raise ApiException("jobs.batch is forbidden")
        assert (name, namespace) == ("theano-rnn", "default")
        return job

    core = SimpleNamespace(list_namespaced_pod=lambda namespace, field_selector: SimpleNamespace(items=[pod]))
    batch = SimpleNamespace(read_namespaced_job=read_namespaced_job)
    return SimpleNamespace(
        config=SimpleNamespace(load_incluster_config=lambda: None),
        client=SimpleNamespace(
            CoreV1Api=lambda: core,
            BatchV1Api=lambda: batch,
            exceptions=SimpleNamespace(ApiException=ApiException),
        ),
    )


@pytest.fixture
def pod(monkeypatch):
    """Make this process one of a pod, with a stand-in for the package kubernetes, or None if it is missing."""
    from jax._src.clusters.k8s_cluster import K8sCluster

    def enter(package):
        for name in ("_pod", "_job", "_controller"):
            vars(K8sCluster)[name].__func__.cache_clear()
        monkeypatch.setitem(sys.modules, "kubernetes", package)

    monkeypatch.setattr(K8sCluster, "_namespace", classmethod(lambda cls: "default"))
    monkeypatch.setattr(socket, "gethostbyname", lambda name: "10.1.2.3")
    for name, value in {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "JOB_COMPLETION_INDEX": "2", "HOSTNAME": "x"}.items():
        monkeypatch.setenv(name, value)
    return enter


def test_the_pods_of_an_indexed_job_find_each_other(pod, monkeypatch):
    pod(stand_in())
    assert cluster_place() == ("theano-rnn-0.workers:55527", 4, 2)
    monkeypatch.setenv("JAX_COORDINATOR_PORT", "7000")
    assert place_in_group(None, None, None, cluster_place) == Place("theano-rnn-0.workers:7000", 4, 2)


def test_a_pod_without_an_index_is_on_its_own(pod, monkeypatch):
    pod(None)
    monkeypatch.delenv("JOB_COMPLETION_INDEX")
    assert cluster_place() is None


def test_a_cluster_that_refuses_to_answer_is_reported_in_one_line(pod):
    pod(stand_in(refuses=True))
    with pytest.raises(ProcessGroupError) as caught:
        cluster_place()
    message = str(caught.value)
    assert message.startswith(
        "coordinator: Kubernetes does not tell where process 0 runs (Kubernetes API Error: 403 - Forbidden "
    )
    assert message.endswith("; give `coordinator`, `processes` and `process`")
    assert "\n" not in message


def test_a_job_with_an_index_but_without_the_package_kubernetes_is_refused(pod, tmp_path, monkeypatch, capsys):
    pod(None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("The dog sees the cat.\n" * 40, encoding="utf-8")
    train = ["--data", "text.txt", "--hidden-dim", "3", "--epochs", "1", "--no-baselines", "--model", "m.npz"]
    assert script("train").main(train) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert (
        'run pip install ".[kubernetes]"' in error
        and "if each pod has a run of its own, give only --processes 1" in error
    )
    assert not (tmp_path / "m.npz").exists()
    assert not script("train").main([*train, "--processes", "1"])
    assert (tmp_path / "m.npz").exists()


def test_variables_of_slurm_that_make_no_sense_are_reported_in_one_line(monkeypatch):
    slurm = {
        "SLURM_JOB_ID": "7",
        "SLURM_STEP_NODELIST": "a",
        "SLURM_PROCID": "0",
        "SLURM_LOCALID": "0",
        "SLURM_NTASKS": "all",
    }
    for name, value in slurm.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(
        ProcessGroupError, match=r"^coordinator: Slurm does not tell where process 0 runs \(invalid lit"
    ):
        cluster_place()
