import pytest

from sickbay.core.remedies import NO_REMEDY, Remedy, Rung, RungKind, strongest


def remedy(*kinds: RungKind) -> Remedy:
    return Remedy(id="-".join(kind.value for kind in kinds), ladder=tuple(Rung(kind=kind) for kind in kinds))


RESTART = remedy(RungKind.RESTART_SERVICE)
RESET = remedy(RungKind.RESET_GPU, RungKind.QUARANTINE)
RESET_OR_REBOOT = remedy(RungKind.RESET_GPU, RungKind.REBOOT, RungKind.QUARANTINE)
REBOOT = remedy(RungKind.REBOOT, RungKind.QUARANTINE)
QUARANTINE = remedy(RungKind.QUARANTINE)


@pytest.mark.parametrize(
    ("milder", "stronger"),
    [
        (NO_REMEDY, RESTART),
        (RESTART, RESET),
        (RESET, REBOOT),
        (RESET_OR_REBOOT, REBOOT),
        (REBOOT, QUARANTINE),
    ],
)
def test_the_harder_first_rung_is_the_stronger_remedy(milder: Remedy, stronger: Remedy) -> None:
    assert strongest(milder, stronger) is stronger
    assert strongest(stronger, milder) is stronger


def test_of_equally_strong_remedies_the_one_under_way_stays() -> None:
    other = Remedy(id="other", ladder=REBOOT.ladder)
    assert strongest(REBOOT, other) is REBOOT


def test_a_remedy_without_a_ladder_does_not_act() -> None:
    assert not NO_REMEDY.acts
    assert QUARANTINE.acts
