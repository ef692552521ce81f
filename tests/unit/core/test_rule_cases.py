"""The words by which people name parts of a host."""

import pytest

from sickbay.core.devices import NODE, Scope, Subject
from sickbay.core.rule_cases import subject_named


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("node", NODE),
        ("node disk:nvme0n1", Subject(scope=Scope.NODE, name="disk:nvme0n1")),
        ("gpu 0000:1b:00", Subject(scope=Scope.GPU, pci="0000:1b:00")),
        ("gpu 00000000:1B:00.0", Subject(scope=Scope.GPU, pci="0000:1b:00")),
        ("gpu GPU-1", Subject(scope=Scope.GPU, gpu_uuid="GPU-1")),
        ("link 0000:1b:00/3", Subject(scope=Scope.LINK, pci="0000:1b:00", link=3)),
        ("port mlx5_0/1", Subject(scope=Scope.PORT, name="mlx5_0/1")),
        ("gpu", None),
        ("gpu 0", None),
        ("link 0000:1b:00", None),
        ("link x/3", None),
        ("port", None),
        ("disk sda", None),
    ],
)
def test_a_part_is_named_as_people_name_it(text: str, subject: Subject | None) -> None:
    assert subject_named(text) == subject
