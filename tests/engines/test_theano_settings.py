"""Settings of the original Theano before it is imported, and filters for its messages. Theano is not needed."""

import logging
import os
import shutil
import stat
import subprocess

import pytest

from theano_rnn.engines import theano_settings
from theano_rnn.engines.theano_settings import (
    CompileLockFilter,
    SubprocessInNewSession,
    blas_flags,
    setting,
    theano_configured,
    warn_once,
)


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch, tmp_path):
    """There are no flags and no settings file; loggers are restored afterwards."""
    monkeypatch.setenv("THEANO_FLAGS", "")
    monkeypatch.setenv("THEANORC", str(tmp_path / "theanorc"))
    loggers = [logging.getLogger(f"theano.{name}") for name in ("tensor.blas", "configdefaults", "gof.compilelock")]
    before = [list(logger.filters) for logger in loggers]
    for logger in loggers:
        logger.filters.clear()
    yield
    for logger, filters in zip(loggers, before, strict=True):
        logger.filters[:] = filters


def compiler(tmp_path, *libraries):
    """A program that links only these libraries."""
    path = tmp_path / "g++"
    cases = "".join(f"*{library}*) exit 0;; " for library in libraries)
    path.write_text(f'#!/bin/sh\ncat >/dev/null\ncase "$*" in {cases}*) exit 1;; esac\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.mark.parametrize(
    ("flags", "file", "expected"),
    [
        ("", None, None),
        ("floatX=float32", None, None),
        ("floatX=float32,blas.ldflags=-lmine", None, "-lmine"),
        ("blas.ldflags=", "[blas]\nldflags = -lfile\n", ""),
        ("", "[global]\nfloatX = float64\n\n[blas]\nldflags = -lfile -lm\n[gcc]\nldflags = no\n", "-lfile -lm"),
        ("", "[gcc]\nldflags = no\n", None),
        ("", "[blas]\nldflags =\n", ""),
    ],
)
def test_a_setting_comes_from_the_flags_else_from_the_file(monkeypatch, tmp_path, flags, file, expected):
    monkeypatch.setenv("THEANO_FLAGS", flags)
    if file is not None:
        (tmp_path / "theanorc").write_text(file)
    assert setting("blas.ldflags") == expected


def test_a_setting_without_a_section_is_global(tmp_path):
    (tmp_path / "theanorc").write_text("[blas]\ncxx = no\n[global]\ncxx = clang++\n")
    assert setting("cxx") == "clang++"


@pytest.mark.parametrize(
    ("libraries", "expected"),
    [(["openblas", "blas"], "-lopenblas"), (["-lblas"], "-lblas"), (["mkl_rt", "-lblas"], "-lmkl_rt"), ([], "")],
)
def test_the_blas_is_the_first_library_that_can_be_linked(tmp_path, libraries, expected):
    assert blas_flags(compiler(tmp_path, *libraries)) == expected


def test_a_compiler_that_cannot_be_run_links_nothing(tmp_path):
    assert blas_flags(str(tmp_path / "none")) == ""


@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++ here")
def test_a_library_is_accepted_if_it_has_the_products_of_a_blas(tmp_path, monkeypatch):
    monkeypatch.setenv("LIBRARY_PATH", str(tmp_path))
    for name in ("sgemm_", "something_else"):
        command = ["g++", "-shared", "-x", "c++", "-", "-o", str(tmp_path / f"lib{name}.so")]
        subprocess.run(command, input=f'extern "C" void {name}() {{}}'.encode(), check=True)
    assert theano_settings.can_link("g++", "-lsgemm_")
    assert not theano_settings.can_link("g++", "-lsomething_else")
    assert not theano_settings.can_link("g++", "-lthere_is_no_such_library")


def test_a_blas_is_set_without_a_message(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(theano_settings.shutil, "which", lambda name: compiler(tmp_path, "openblas"))
    monkeypatch.setenv("THEANO_FLAGS", "floatX=float32")
    with theano_configured() as problem:
        assert os.environ["THEANO_FLAGS"] == "floatX=float32,blas.ldflags=-lopenblas"
    assert os.environ["THEANO_FLAGS"] == "floatX=float32"
    assert problem is None and not caplog.records


def test_an_unset_variable_is_unset_afterwards(monkeypatch, tmp_path):
    monkeypatch.setattr(theano_settings.shutil, "which", lambda name: compiler(tmp_path, "openblas"))
    monkeypatch.delenv("THEANO_FLAGS")
    with pytest.raises(ZeroDivisionError), theano_configured():
        assert os.environ["THEANO_FLAGS"] == "blas.ldflags=-lopenblas"
        raise ZeroDivisionError
    assert "THEANO_FLAGS" not in os.environ


def test_without_a_blas_the_remedy_is_given(monkeypatch, tmp_path):
    monkeypatch.setattr(theano_settings.shutil, "which", lambda name: compiler(tmp_path))
    with theano_configured() as problem:
        assert os.environ["THEANO_FLAGS"] == "blas.ldflags="
    assert problem == theano_settings.NO_BLAS and "apt install libopenblas-dev" in problem


def test_without_a_compiler_the_remedy_is_given(monkeypatch):
    monkeypatch.setattr(theano_settings.shutil, "which", lambda name: None)
    with theano_configured() as problem:
        assert os.environ["THEANO_FLAGS"] == "blas.ldflags="
    assert problem == theano_settings.NO_COMPILER and "apt install g++" in problem


def test_a_problem_is_logged_once_per_compile_directory(tmp_path, caplog):
    for folder, problem in (("a", "no BLAS"), ("a", "no BLAS"), ("a", "no g++"), ("b", "no BLAS"), ("b", None)):
        (tmp_path / folder).mkdir(exist_ok=True)
        warn_once(problem, tmp_path / folder)
    assert [record.getMessage() for record in caplog.records] == ["no BLAS", "no g++", "no BLAS"]
    warn_once("nowhere to keep it", tmp_path / "none")
    assert caplog.records[-1].getMessage() == "nowhere to keep it"


@pytest.mark.skipif(not hasattr(os, "getpgid"), reason="this system has no process groups")
def test_a_compiler_runs_in_a_process_group_of_its_own():
    process = SubprocessInNewSession.Popen(["sleep", "60"])
    try:
        assert os.getpgid(process.pid) == process.pid != os.getpgid(0)
    finally:
        process.kill()
        process.wait()


def test_settings_of_the_user_are_kept(monkeypatch, tmp_path):
    monkeypatch.setattr(theano_settings, "blas_flags", None)  # it is not even searched for
    monkeypatch.setattr(theano_settings.shutil, "which", lambda name: str(tmp_path / "g++"))
    monkeypatch.setenv("THEANO_FLAGS", "blas.ldflags=-lmine")
    with theano_configured():
        assert os.environ["THEANO_FLAGS"] == "blas.ldflags=-lmine"


def test_theanos_own_messages_about_the_same_problems_are_hidden(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(theano_settings.shutil, "which", lambda name: compiler(tmp_path, "openblas"))
    with theano_configured():
        blas, defaults = logging.getLogger("theano.tensor.blas"), logging.getLogger("theano.configdefaults")
        blas.warning("Using NumPy C-API based implementation for BLAS functions.")
        defaults.warning("g++ not detected ! Theano will be unable to execute optimized C-implementations")
        blas.warning("something else")
    assert [record.getMessage() for record in caplog.records] == ["something else"]


def test_waiting_for_theanos_lock_is_logged_in_one_line(caplog):
    logger = logging.getLogger("theano.gof.compilelock")
    logger.setLevel(logging.INFO)
    logger.addFilter(CompileLockFilter())
    logger.info("Refreshing lock %s", "somewhere")
    assert not caplog.records
    for _ in range(2):
        logger.info("Waiting for existing lock by %s (I am process '%s')", "process '12'", 13)
        logger.info("To manually release the lock, delete %s", "somewhere")
    assert [record.getMessage() for record in caplog.records] == [
        "another process is compiling with Theano; waiting for it"
    ]
