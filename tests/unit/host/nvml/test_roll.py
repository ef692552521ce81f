"""The GPUs that a host is known to have."""

from sickbay.host.nvml.messages import SweptGpu
from sickbay.host.nvml.roll import Roll


def answer(target: str, pci: str | None, uuid: str = "") -> SweptGpu:
    values: dict[str, int | float | str | list[int | None]] = {"uuid": uuid} if uuid else {}
    return SweptGpu(target=target, pci=pci, code=0 if pci else 15, values=values, codes={})


def test_with_nothing_known_gpus_are_asked_for_by_index():
    assert Roll().counted(3).targets == ("#0", "#1", "#2")


def test_addresses_known_before_are_asked_for_whatever_the_driver_counts():
    assert Roll.of(["0000:43:00", "0000:1b:00"]).counted(8).targets == ("0000:1b:00", "0000:43:00")


def test_addresses_take_the_place_of_indices_and_are_in_order():
    roll = Roll().counted(2).learn([answer("#0", "0000:43:00", "GPU-43"), answer("#1", "0000:1b:00")])
    assert roll.targets == ("0000:1b:00", "0000:43:00")
    assert roll.uuids == {"0000:43:00": "GPU-43"}


def test_a_gpu_that_tells_no_address_keeps_its_index():
    roll = Roll().counted(2).learn([answer("#0", "0000:1b:00"), answer("#1", None)])
    assert roll.targets == ("0000:1b:00", "#1")


def test_a_uuid_is_kept_when_a_gpu_no_longer_tells_it():
    roll = Roll.of(["0000:1b:00"]).learn([answer("0000:1b:00", "0000:1b:00", "GPU-1b")])
    assert roll.learn([answer("0000:1b:00", "0000:1b:00")]).uuids == {"0000:1b:00": "GPU-1b"}


def test_a_search_finds_the_new_gpu_and_knows_the_old_ones_again():
    roll = Roll.of(["0000:1b:00"]).searching(2)
    assert roll.targets == ("#0", "#1", "0000:1b:00")
    found = [answer("#0", "0000:1b:00"), answer("#1", "0000:43:00"), answer("0000:1b:00", "0000:1b:00")]
    assert roll.learn(found).targets == ("0000:1b:00", "0000:43:00")
