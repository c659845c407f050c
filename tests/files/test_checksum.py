"""The checksum: every change of a sealed file is noticed."""

import io
import random

import numpy as np
import pytest

from theano_rnn.files.checksum import CHECKSUM_LENGTH, ChecksumError, append_checksum, verify_checksum


def archive():
    file = io.BytesIO()
    np.savez(file, U=np.arange(50.0), W=np.zeros((2, 3)))
    return file


@pytest.fixture(scope="module")
def sealed():
    file = archive()
    append_checksum(file)
    return file.getvalue()


def test_an_archive_as_it_was_written_has_its_seal_and_is_still_an_archive(sealed):
    assert verify_checksum(io.BytesIO(sealed)) is True
    with np.load(io.BytesIO(sealed)) as loaded:
        np.testing.assert_array_equal(loaded["U"], np.arange(50.0))


def test_an_archive_of_others_has_none():
    assert verify_checksum(archive()) is False


def test_every_flipped_bit_is_noticed(sealed):
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1 << (place % 8)
        with pytest.raises(ChecksumError):
            verify_checksum(io.BytesIO(changed))


def test_every_cut_is_noticed(sealed):
    for length in range(len(sealed)):
        with pytest.raises(ChecksumError):
            verify_checksum(io.BytesIO(sealed[:length]))


def test_a_cut_at_the_seal_is_noticed_too(sealed):
    with pytest.raises(ChecksumError, match="its end is missing"):
        verify_checksum(io.BytesIO(sealed[:-CHECKSUM_LENGTH]))


def test_what_is_added_is_noticed(sealed):
    generator = random.Random(1)
    for _ in range(200):
        place = generator.randrange(len(sealed) + 1)
        added = generator.randbytes(generator.randrange(1, 100))
        with pytest.raises(ChecksumError):
            verify_checksum(io.BytesIO(sealed[:place] + added + sealed[place:]))


def test_the_checksum_is_that_of_all_bytes_before_it(sealed):
    import hashlib

    assert sealed[-64:].decode() == hashlib.sha256(sealed[:-CHECKSUM_LENGTH]).hexdigest()
