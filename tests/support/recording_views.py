"""What pictures show of a recording, made from a seed, with labels that need care."""

import numpy as np

from theano_rnn.speech.recordings import Recording
from theano_rnn.speech.segment_plot import RecordingView
from theano_rnn.speech.segments import Segment

LABELS = ["</script><b>\"'&", "$x_1$\n\x07", "中"]
FOUND = [Segment("r", 0, 0.1, LABELS[0], 0.5), Segment("r", 0.1, 0.3, LABELS[1], 0.9)]
GIVEN = [Segment("r", 0, 0.12, LABELS[0]), Segment("r", 0.12, 0.3, LABELS[2])]


def make_view(frames=30, seconds=9.0, given=GIVEN, path="r.npz", rate=None, labels=LABELS):
    generator = np.random.default_rng(0)
    values = generator.normal(size=(frames, 2)).astype(np.float32)
    rows = generator.dirichlet(np.full(len(labels), 0.2), frames)
    one = Recording("<r>", values, 0.01, frames * 0.01, path)
    return RecordingView.of(one, seconds, labels, rows, FOUND, given, rate)
