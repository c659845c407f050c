"""The checksum detects every change of a file."""

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
def with_checksum():
    file = archive()
    append_checksum(file)
    return file.getvalue()


def test_an_unchanged_archive_is_verified_and_numpy_can_still_read_it(with_checksum):
    assert verify_checksum(io.BytesIO(with_checksum)) is True
    with np.load(io.BytesIO(with_checksum)) as loaded:
        np.testing.assert_array_equal(loaded["U"], np.arange(50.0))


def test_an_archive_written_by_numpy_has_no_checksum():
    assert verify_checksum(archive()) is False


def test_every_flipped_bit_is_detected(with_checksum):
    for place in range(len(with_checksum)):
        changed = bytearray(with_checksum)
        changed[place] ^= 1 << (place % 8)
        with pytest.raises(ChecksumError):
            verify_checksum(io.BytesIO(changed))


def test_every_truncation_is_detected(with_checksum):
    for length in range(len(with_checksum)):
        with pytest.raises(ChecksumError):
            verify_checksum(io.BytesIO(with_checksum[:length]))


def test_a_missing_checksum_is_detected(with_checksum):
    with pytest.raises(ChecksumError, match="its end is missing"):
        verify_checksum(io.BytesIO(with_checksum[:-CHECKSUM_LENGTH]))


def test_inserted_bytes_are_detected(with_checksum):
    generator = random.Random(1)
    for _ in range(200):
        place = generator.randrange(len(with_checksum) + 1)
        added = generator.randbytes(generator.randrange(1, 100))
        with pytest.raises(ChecksumError):
            verify_checksum(io.BytesIO(with_checksum[:place] + added + with_checksum[place:]))


def test_the_checksum_covers_all_bytes_before_it(with_checksum):
    import hashlib

    assert with_checksum[-64:].decode() == hashlib.sha256(with_checksum[:-CHECKSUM_LENGTH]).hexdigest()
