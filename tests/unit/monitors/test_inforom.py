"""The board's own memory of its configuration."""

from tests.fakes.sweeps import gpu, only, sweep

from sickbay.monitors.inforom import signals


def test_a_corrupted_inforom_is_told_with_its_version():
    seen = gpu(inforom_valid=0, inforom_version="G520.0200.00.05", inforom_checksum=77)
    assert only(signals(sweep(seen))).fields == {
        "valid": False,
        "version": "G520.0200.00.05",
        "checksum": 77,
    }


def test_a_refusal_other_than_corrupted_is_unknown():
    assert only(signals(sweep(gpu(codes={"inforom_valid": 999})))).fields["valid"] is None


def test_a_board_without_one_is_not_spoken_of():
    assert signals(sweep(gpu(codes={"inforom_valid": 3}))) == ()
