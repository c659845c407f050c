"""Run by a script that itself runs as a file (``python scripts/train.py``): it uses the package of its own checkout.

Python puts only the script's folder on the path, and would take a theano_rnn that is installed elsewhere.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

if (ROOT / "theano_rnn" / "__init__.py").is_file():
    sys.path.insert(0, str(ROOT))
