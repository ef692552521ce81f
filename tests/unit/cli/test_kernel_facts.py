"""Kinds that NVIDIA's catalogue does not list have a class and a name of ours, each of them."""

from sickbay.cli.kernel_facts import OTHER_KINDS, Reader
from sickbay.core.kinds import kernel_faults
from sickbay.core.rules import NO_RULES, RuleSet


def test_every_kind_of_fault_has_a_class_and_is_named_by_a_field_of_its_own() -> None:
    assert OTHER_KINDS.keys() == kernel_faults.KINDS.keys()
    named = {kind: field for kind, (_, field) in OTHER_KINDS.items() if field}
    assert [kind for kind, field in named.items() if field not in kernel_faults.KINDS[kind]] == []


def test_rules_are_asked_for_once_and_not_before_a_line_says_something() -> None:
    asked = []

    def rules() -> RuleSet:
        asked.append(1)
        return NO_RULES

    reader = Reader(rules)
    reader.read("usb 1-1: new device")
    assert asked == []
    for pid in (1, 2, 3):
        reader.read(f"NVRM: Xid (PCI:0000:1b:00): 31, pid={pid}, name=a, Ch 1")
    assert asked == [1]
