"""Where a GPU sits."""

from tests.fakes.sweeps import gpu, only, sweep

from sickbay.core.platforms import PlatformProfile, Platforms
from sickbay.monitors.known import Known
from sickbay.monitors.platform_info import signals

NAMES = ("slot_number", "tray_index", "host_id", "peer_type", "module_id", "chassis_serial", "ib_guid")


def test_chassis_slot_and_tray_are_told_with_the_platform():
    known = Known(platforms=Platforms(by_device={"2330": PlatformProfile(id="h100-sxm5")}))
    fields = only(
        signals(sweep(gpu(chassis_serial="1820524000123", slot_number=24, tray_index=13)), known)
    ).fields
    assert (fields["chassis_serial"], fields["slot"], fields["tray"]) == ("1820524000123", 24, 13)
    assert (fields["profile"], fields["ib_guid"]) == ("h100-sxm5", None)


def test_a_board_that_does_not_tell_is_not_spoken_of():
    assert signals(sweep(gpu(codes=dict.fromkeys(NAMES, 3))), Known()) == ()
