from pathlib import Path

from setuptools import find_packages, setup

setup(
    name="theano_rnn",
    version="0.1.0",
    description="Recurrent-neural-network language models as compiled Theano graphs, after the WildML RNN tutorial",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.10",
    # The scripts are installed as a subpackage, so that the console commands and `python scripts/…` are one code.
    packages=[*find_packages(include=["theano_rnn", "theano_rnn.*"]), "theano_rnn.scripts"],
    package_dir={"theano_rnn.scripts": "scripts"},
    package_data={"theano_rnn": ["py.typed"]},
    # Two engines: PyTensor through XLA, and where that does not run the original Theano, which ended in 2020.
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
        "plot": ["matplotlib>=3.8"],
        "test": ["pytest>=8", "pytest-xdist>=3.6", "ruff>=0.9", "mypy>=1.13", "matplotlib>=3.8"],
        "gpu": ["jax[cuda12]>=0.10; python_version >= '3.11'"],
    },
    entry_points={
        "console_scripts": [
            "theano-rnn-train = theano_rnn.scripts.train:main",
            "theano-rnn-score = theano_rnn.scripts.score:main",
            "theano-rnn-generate = theano_rnn.scripts.generate:main",
            "theano-rnn-explain = theano_rnn.scripts.explain:main",
            "theano-rnn-benchmark = theano_rnn.scripts.benchmark:main",
        ]
    },
)
