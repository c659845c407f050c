"""The page of described images: pictures are part of it, names and sentences are escaped."""

import base64

import pytest

from theano_rnn.errors import OptionError
from theano_rnn.writing.description_page import DescribedImage, data_address, write_description_page

IMAGES = [DescribedImage("a.png", [("a <red> ball", -1.25)]), DescribedImage("b", [("two", -2.0), ("2", -3.0)])]


def test_the_page_holds_each_picture_and_sentence(tmp_path):
    (tmp_path / "a.png").write_bytes(b"picture a")
    (tmp_path / "b.jpg").write_bytes(b"picture b")
    write_description_page(tmp_path / "page.html", {"model": "m & n"}, IMAGES, tmp_path)
    page = (tmp_path / "page.html").read_text()
    assert page.count("<figure>") == 2 and "m &amp; n" in page
    assert "a &lt;red&gt; ball" in page and 'title="-1.25 nats"' in page
    assert f"data:image/png;base64,{base64.b64encode(b'picture a').decode()}" in page
    assert f"data:image/jpeg;base64,{base64.b64encode(b'picture b').decode()}" in page


def test_without_a_folder_names_stand_alone(tmp_path):
    write_description_page(tmp_path / "page.html", {}, IMAGES)
    assert "<img" not in (tmp_path / "page.html").read_text()


def test_a_name_cannot_lead_out_of_the_folder(tmp_path):
    (tmp_path / "inside").mkdir()
    (tmp_path / "secret.png").write_bytes(b"x")
    assert data_address(tmp_path / "inside", "../secret.png") is None
    assert data_address(tmp_path / "inside", "../secret") is None


def test_a_missing_folder_is_one_line_and_no_page(tmp_path):
    with pytest.raises(OptionError, match="images: .*nowhere is not a folder"):
        write_description_page(tmp_path / "page.html", {}, IMAGES, tmp_path / "nowhere")
    assert not (tmp_path / "page.html").exists()
