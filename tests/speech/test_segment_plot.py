"""What pictures show of recordings: stretches, labels in segments, rows of probabilities, any label and length."""

import numpy as np
import pytest
from support.recording_views import FOUND, GIVEN, make_view
from support.sounds import tone

from theano_rnn.speech.segment_plot import MOST_ROWS, place_label, stretches, write_segment_plot


def test_a_view_is_a_stretch_from_the_start_and_says_so():
    whole, part = make_view(), make_view(seconds=0.05)
    assert whole.seconds == pytest.approx(0.3) and whole.title == "<r>: 0.30 s"
    assert len(part.frames) == len(part.probabilities) == 5 and part.found == FOUND[:1] and part.given == GIVEN[:1]
    assert part.title == "<r>: the first 0.05 s of 0.3 s"
    assert part.frames.base is None and len(make_view(seconds=0).frames) == 1


def test_found_segments_agree_with_the_label_that_is_given_for_their_middle():
    view = make_view()
    assert [view.agrees(segment) for segment in view.found] == [True, False]
    assert all(make_view(given=None).agrees(segment) for segment in FOUND)


def test_stretches_fit_into_all_limits():
    assert stretches([3, 9, 2, 2], most=4, each=5, together=9) == [3, 5, 1]
    assert stretches([1] * 9, most=2, each=5) == [1, 1]
    assert stretches([3600], most=9, each=600, together=600) == [600]


def test_rows_are_the_labels_that_are_best_somewhere():
    view = make_view()
    assert view.rows() == sorted(set(view.probabilities.argmax(axis=1).tolist()))
    assert len(make_view(frames=900, labels=[str(i) for i in range(200)]).rows()) == MOST_ROWS


@pytest.mark.parametrize(
    "label, width, placed",
    [
        ("sil", 40, ("sil", False)),
        ("sil", 12, ("sil", True)),
        ("sil", 5, None),
        ("", 40, None),
        ("sibilant", 20, ("si…", True)),
        ("sibilant", 40, ("sibi…", False)),
    ],
)
def test_labels_are_written_turned_shortened_or_left_out(label, width, placed):
    assert place_label(label, width, 30, 8, 11) == placed


def test_a_view_of_a_sound_reads_only_its_stretch(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    sound = tone(3, 8000)
    soundfile.write(tmp_path / "r.wav", sound, 8000)
    view = make_view(frames=300, seconds=1.5, path=tmp_path / "r.wav", rate=8000)
    np.testing.assert_allclose(view.samples(), sound[:12000], atol=1e-4)
    picture, columns_per_second = view.picture(view.samples())
    assert len(picture) / columns_per_second == pytest.approx(1.5)
    picture, columns_per_second = make_view().picture(np.zeros(0, np.float32))
    assert picture.shape == (30, 2) and columns_per_second == pytest.approx(100)
    assert 0 <= picture.min() and picture.max() <= 1


def test_any_recordings_can_be_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    views = [make_view(), make_view(frames=1, given=None)]
    write_segment_plot(tmp_path / "p.png", views, 9)
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
