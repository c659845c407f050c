"""The network of a run: its options, what they exclude, and what a run inherits or may choose."""

import pytest
from support.script_modules import script
from support.training_runs import SENTENCES, run_state, share_compiled

from theano_rnn.errors import OptionError
from theano_rnn.language_models.language_model import LanguageModel, load
from theano_rnn.training.options import TUTORIAL_NETWORK, TrainingOptions
from theano_rnn.training.train_model import train

NETWORK = {"cell": "gru", "layers": 1, "hidden_dim": 6, "embedding_dim": 6, "tied": True, "bias": True}
RUN = {**NETWORK, "dropout": 0.4, "continuous": True, "sequence_length": 10, "batch_size": 4, "seed": 3}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    share_compiled(monkeypatch)
    monkeypatch.setattr(LanguageModel, "generate", lambda self, n, **demands: ["a sample"] * n)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("networks")
    (folder / "toy.txt").write_text("\n\n".join(SENTENCES) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def trained(folder):
    """A trained model with its checkpoint."""
    if not (folder / "m.npz").exists():
        train(folder / "toy.txt", model=folder / "m.npz", epochs=1, **RUN)
    return folder / "m.npz"


def test_the_default_is_the_tutorials_network():
    options = TrainingOptions()
    assert {name: getattr(options, name) for name in TUTORIAL_NETWORK} == TUTORIAL_NETWORK
    assert TrainingOptions.from_settings({"tutorial": True, **TUTORIAL_NETWORK}).bias is False


@pytest.mark.parametrize("cell, bias", [("simple", False), ("gru", True), ("lstm", True)])
def test_only_gated_cells_have_biases_by_default(cell, bias):
    assert TrainingOptions(cell=cell).bias is bias
    assert TrainingOptions(cell=cell, bias=not bias).bias is not bias


def test_with_tied_weights_embeddings_have_the_size_of_the_hidden_state():
    options = TrainingOptions(tied=True, hidden_dim=7)
    assert options.embedding_dim == 7 == options.architecture(9).embedding_dim
    assert options.resumed({"tied": True, "embedding_dim": 7}) == options


def test_a_text_of_characters_is_always_continuous():
    assert TrainingOptions(level="char").continuous and TrainingOptions(level="char", continuous=True).continuous
    assert not TrainingOptions().continuous


@pytest.mark.parametrize("length, size", [(200 * 40, 4), (10**6, 32)])
def test_the_batch_size_of_a_continuous_text_fits_its_number_of_tokens(length, size):
    assert TrainingOptions(continuous=True).fitted_to(length).batch_size == size


@pytest.mark.parametrize(
    "name, value",
    [
        ("cell", "lstm"),
        ("layers", 2),
        ("embedding_dim", 10),
        ("tied", True),
        ("bias", True),
        ("dropout", 0.1),
        ("continuous", True),
    ],
)
def test_the_tutorial_trains_only_its_own_network(name, value):
    with pytest.raises(OptionError, match=f"^{name}: `tutorial` trains only the tutorial's network, got {value!r}$"):
        TrainingOptions.from_settings({"tutorial": True, name: value})


WRONG = [
    ("--cell foo", "argument --cell: invalid choice: 'foo' (choose from "),
    ("--layers 0", "--layers: expected at least 1, got 0"),
    ("--layers two", "argument --layers: invalid int value: 'two'"),
    ("--layers 101", "--layers: expected at most 100, got 101"),
    ("--embedding-dim 0", "--embedding-dim: expected at least 1, got 0"),
    ("--dropout 1", "--dropout: expected a number of at least 0 and below 1, got 1"),
    ("--dropout -0.1", "--dropout: expected a number of at least 0 and below 1, got -0.1"),
    ("--cell lstm --activation relu", "--activation: expected tanh with cell 'lstm', whose formulas contain it, got"),
    ("--tied --embedding-dim 5", "--tied: expected --embedding-dim equal to --hidden-dim, because the rows of V are"),
    ("--tutorial --cell lstm", "--cell: --tutorial trains only the tutorial's network, got 'lstm'"),
    ("--tutorial --bias", "--bias: --tutorial trains only the tutorial's network, got True"),
]


@pytest.mark.parametrize("options, message", WRONG)
def test_wrong_values_give_one_line_that_names_the_flag(folder, tmp_path, capsys, options, message):
    arguments = ["--data", str(folder / "toy.txt"), "--model", str(tmp_path / "m.npz"), *options.split()]
    try:
        status = script("train").main(arguments)
    except SystemExit as error:  # from the parser
        status = error.code
    said = capsys.readouterr().err
    assert status == 2 and said.count("\n") == 1
    assert said.startswith(f"train.py: {message}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "options, message",
    [
        ("--cell lstm", "--cell: the interrupted run has 'gru', got 'lstm'; leave it out, or start a new run"),
        ("--layers 2", "--layers: the interrupted run has 1, got 2; leave it out, or start a new run"),
        ("--no-bias", "--bias: the interrupted run has True, got False; leave it out, or start a new run"),
        ("--dropout 0.5", "--dropout: the interrupted run has 0.4, got 0.5; leave it out, or start a new run"),
    ],
)
def test_a_run_is_not_resumed_with_another_network(trained, capsys, options, message):
    assert script("train").main(["--resume", "--model", str(trained), *options.split()]) == 2
    assert capsys.readouterr().err == f"train.py: {message}\n"


@pytest.mark.parametrize(
    "options, message",
    [
        ("--cell lstm", "--cell: the model to start from has 'gru', got 'lstm'; leave it out"),
        ("--layers 2", "--layers: the model to start from has 1, got 2; leave it out"),
        ("--embedding-dim 9", "--embedding-dim: the model to start from has 6, got 9; leave it out"),
        ("--no-bias", "--bias: the model to start from has True, got False; leave it out"),
        ("--tutorial", "--cell: --tutorial trains only the tutorial's network, got 'gru'"),
    ],
)
def test_a_model_is_not_fine_tuned_as_another_network(folder, trained, tmp_path, capsys, options, message):
    arguments = ["--data", str(folder / "toy.txt"), "--init-from", str(trained), "--model", str(tmp_path / "t.npz")]
    assert script("train").main([*arguments, *options.split()]) == 2
    assert capsys.readouterr().err == f"train.py: {message}\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "chosen",
    [
        *(pytest.param(one, marks=pytest.mark.slow) for one in ({}, {"dropout": 0.0})),
        {"dropout": 0.2, "continuous": False},
    ],
)
def test_fine_tuning_inherits_the_network_and_may_choose_dropout(folder, trained, tmp_path, chosen):
    lm = train(folder / "toy.txt", init_from=trained, model=tmp_path / "t.npz", epochs=1, batch_size=4, **chosen)
    assert {name: getattr(lm.rnn, name) for name in NETWORK} == NETWORK
    assert lm.rnn.dropout == chosen.get("dropout", 0.4)
    assert lm.continuous is chosen.get("continuous", True)


def test_the_model_file_records_how_the_text_was_read(trained, capsys):
    assert load(trained).continuous
    assert script("explain").main(["--model", str(trained), "info"]) == 0
    assert "continuous true" in capsys.readouterr().out


def test_a_checkpoint_that_names_no_network_is_one_of_the_tutorials_network(folder, tmp_path):
    model = tmp_path / "m.npz"
    train(folder / "toy.txt", model=model, epochs=1, hidden_dim=6, batch_size=8)
    arrays, document = run_state(model)
    assert {"cell", "layers", "continuous"} <= document["options"].keys()
    options = {name: value for name, value in document["options"].items() if name not in TUTORIAL_NETWORK}
    assert TrainingOptions(**options) == TrainingOptions(**document["options"])
