"""The lower bound counts the products of the forward and backward pass, and times them."""

import dataclasses

import pytest

from theano_rnn.benchmarks.matrix_products import (
    layer_matrices,
    lower_bound_seconds,
    matrix_products,
    product_seconds,
)
from theano_rnn.benchmarks.workloads import Workload

STEP, SCORE, GENERATE = (Workload(kind, kind, 30, 4, 6, 3, "small") for kind in ("step", "score", "generate"))


def test_the_products_of_a_training_step_are_those_of_the_forward_and_backward_pass() -> None:
    operations = sum(2 * m * k * n * count for (m, k, n), count in matrix_products(STEP))
    assert operations == 3 * 2 * (6 * 3) * 4 * 30 + 3 * 2 * (6 * 3) * 4 * 4
    scoring = sum(2 * m * k * n * count for (m, k, n), count in matrix_products(SCORE))
    assert scoring == 2 * (6 * 3) * 4 * (30 + 4)


@pytest.mark.parametrize(("kind", "outputs"), [("classify", 4), ("tag", 6 + 5 + 4 + 3)])
def test_a_network_that_reads_has_the_products_of_both_directions_without_padding(kind: str, outputs: int) -> None:
    work = Workload(kind, kind, 30, 4, 6, 4, "small", cell="gru", layers=2, embedding_dim=5, labels=3)
    operations = sum(2 * m * k * n * count for (m, k, n), count in matrix_products(work))
    of_layers = 2 * (5 * 12 + 4 * 12 + 8 * 12 + 4 * 12)
    assert operations == 3 * 2 * (outputs * 8 * 3 + (6 + 5 + 4 + 3) * of_layers)


def test_sampled_softmax_compares_with_few_words() -> None:
    workload = Workload("W", "step", 10_000, 4, 20, 32, "", samples=300)
    assert matrix_products(workload)[0] == ((640, 4, 940), 1)


def test_frames_need_no_error() -> None:
    work = Workload("F", "tag", 0, 4, 6, 4, "small", cell="gru", labels=3, frame_dim=5)
    operations = sum(2 * m * k * n * count for (m, k, n), count in matrix_products(work))
    assert operations == 2 * (6 + 5 + 4 + 3) * (3 * 8 * 3 + 2 * (3 * 4 * 12 + 2 * 5 * 12))


def test_a_network_that_writes_has_the_products_of_encoder_decoder_and_attention() -> None:
    work = Workload("T", "translate", 30, 4, 6, 4, "small", cell="gru", embedding_dim=5)
    read = 2 * (4 * 12 + 5 * 12) + 8 * 4
    written = 4 * 12 + 5 * 12 + 4 * 6 + 6 * 8 + 12 * 5 + 5 * 30
    operations = sum(2 * m * k * n * count for (m, k, n), count in matrix_products(work))
    assert operations == 3 * 2 * (6 + 5 + 4 + 3) * (read + written)
    decoding = dataclasses.replace(work, kind="decode", beam=2)
    operations = sum(2 * m * k * n * count for (m, k, n), count in matrix_products(decoding))
    assert operations == 2 * 4 * 6 * read + 2 * (4 * 2) * 6 * written


def test_scoring_many_rows_is_counted_in_parts() -> None:
    workload = dataclasses.replace(SCORE, steps=20, batch_size=256)
    assert matrix_products(workload) == [((640, 4, 30), 8.0), ((640, 4, 4), 8.0)]


@pytest.mark.parametrize(("cell", "gates"), [("simple", 1), ("gru", 3), ("lstm", 4)])
def test_each_layer_has_a_product_with_w_and_one_with_u_if_it_reads_vectors(cell: str, gates: int) -> None:
    deep = dataclasses.replace(STEP, cell=cell, layers=3, embedding_dim=5)
    assert sorted(layer_matrices(deep)) == sorted([(4, gates * 4)] * 5 + [(5, gates * 4)])
    assert layer_matrices(dataclasses.replace(STEP, cell=cell)) == [(4, gates * 4)]
    operations = sum(2 * m * k * n * count for (m, k, n), count in matrix_products(deep))
    assert operations == 3 * 2 * (6 * 3) * (4 * 30 + 5 * 4 * gates * 4 + 5 * gates * 4)


@pytest.mark.slow
def test_larger_products_and_more_steps_take_longer() -> None:
    assert product_seconds((600, 600, 600)) > product_seconds((20, 20, 20))
    workload = dataclasses.replace(GENERATE, word_dim=3000, hidden_dim=100)
    assert lower_bound_seconds(dataclasses.replace(workload, steps=200)) > lower_bound_seconds(workload)
    deep = dataclasses.replace(workload, kind="advance", cell="lstm", layers=3, hidden_dim=512)
    assert lower_bound_seconds(deep) > lower_bound_seconds(dataclasses.replace(deep, layers=1))
