"""What the built-in rules promise: which fault each sees, which it leaves alone, and how each clears."""

from dataclasses import replace
from typing import Any

import pytest
from tests.support.rules import START, Host, gpu, node_reading, reading, sweeps

from sickbay.core.conditions import Condition, Mode, Severity
from sickbay.core.devices import NODE
from sickbay.core.remedies import RungKind
from sickbay.core.rules import ClearQuiet, Rule
from sickbay.core.signals import EVENT_KINDS, FieldValue, Signal
from sickbay.core.xids import XIDS, lookup
from sickbay.host.rule_files import load_rules

LOADED = load_rules()
RULES = LOADED.rules
ITS_OWN_RULE = {48, 63, 64, 74, 79, 94, 95, 119, 120, *range(144, 151)}


@pytest.fixture
def host() -> Host:
    return Host(rules=RULES)


def xid(host: Host, code: int, at: float = 0.0, **fields: FieldValue) -> Signal:
    """An Xid with the catalogue's class and action, as the monitor fills them in."""
    known = lookup(code)
    catalogued: dict[str, Any] = {"class": known.klass.value, "action": known.action.value}
    return host.event("xid", at, code=code, name=known.name, **{**catalogued, **fields})


def only(host: Host) -> Condition:
    (condition,) = host.state.conditions
    return condition


# -- the set as a whole ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES.rules, ids=lambda rule: rule.id)
def test_every_rule_says_why_and_where_to_read_on_and_names_a_remedy_that_is_there(rule: Rule) -> None:
    assert rule.because
    assert rule.runbook
    assert rule.remedy in LOADED.remedies
    assert str(rule.clear)


@pytest.mark.parametrize("rule", [r for r in RULES.rules if r.mode is not Mode.OBSERVE], ids=lambda r: r.id)
def test_what_may_act_is_grave_or_a_persons_choice(rule: Rule) -> None:
    assert rule.mode is Mode.PROPOSE or rule.condition.severity.rank >= Severity.CRITICAL.rank
    assert LOADED.remedies[rule.remedy].acts


@pytest.mark.parametrize(
    "rule", [r for r in RULES.rules if r.on not in EVENT_KINDS and r.mode is Mode.ACT], ids=lambda r: r.id
)
def test_what_acts_on_readings_wants_several_and_not_just_after_boot(rule: Rule) -> None:
    if rule.id == "kernel-gpu-off-the-bus":  # the kernel's own line, an event
        return
    assert rule.hold > 0
    assert rule.boot_grace > 0


def test_every_ladder_that_repairs_ends_with_a_person() -> None:
    for remedy in LOADED.remedies.values():
        assert not remedy.ladder or remedy.ladder[-1].kind is RungKind.QUARANTINE


def test_no_rule_drops_a_readable_condition_for_silence() -> None:
    assert all(rule.on in EVENT_KINDS for rule in RULES.rules if isinstance(rule.clear, ClearQuiet))


# -- Xids ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "type_", "severity", "remedy", "mode"),
    [
        (48, "GpuDoubleBitEcc", Severity.CRITICAL, "drain-and-reset-gpu", Mode.ACT),
        (63, "GpuRowRemapPending", Severity.WARNING, "drain-and-reset-gpu", Mode.PROPOSE),
        (64, "GpuRowRemapError", Severity.CRITICAL, "drain-and-reset-gpu", Mode.ACT),
        (74, "NvlinkError", Severity.WARNING, "none", Mode.OBSERVE),
        (79, "GpuFallenOffBus", Severity.FATAL, "drain-and-reboot", Mode.ACT),
        (94, "GpuContainedEcc", Severity.WARNING, "none", Mode.OBSERVE),
        (95, "GpuUncontainedEcc", Severity.CRITICAL, "drain-and-reset-gpu", Mode.ACT),
        (119, "GpuGspFailed", Severity.CRITICAL, "drain-and-reset-gpu", Mode.ACT),
        (120, "GpuGspFailed", Severity.CRITICAL, "drain-and-reset-gpu", Mode.ACT),
        (62, "GpuXidAsksForReset", Severity.CRITICAL, "drain-and-reset-gpu", Mode.PROPOSE),
        (92, "GpuXidReported", Severity.WARNING, "none", Mode.OBSERVE),
    ],
)
def test_an_xid_of_the_hardware_opens_its_condition_at_once(
    host: Host, code: int, type_: str, severity: Severity, remedy: str, mode: Mode
) -> None:
    host.see(xid(host, code))
    condition = only(host)
    assert (condition.type, condition.severity) == (type_, severity)
    assert (condition.remedy, condition.mode) == (remedy, mode)
    assert condition.subject == gpu()


@pytest.mark.parametrize("code", [13, 31, 43, 45, 94])
def test_application_and_secondary_xids_never_act(host: Host, code: int) -> None:
    host.see(*(xid(host, code, at, pid=1) for at in range(50)))
    for condition in host.state.conditions:
        assert (condition.mode, condition.remedy) == (Mode.OBSERVE, "none")


@pytest.mark.parametrize("code", [13, 31, 43])
def test_an_application_xid_needs_three_processes_within_an_hour(host: Host, code: int) -> None:
    host.see(*(xid(host, code, at, pid=1) for at in range(100)))
    host.see(xid(host, code, 200, pid=2))
    assert not host.types()
    host.see(xid(host, code, 300, pid=3))
    assert only(host).severity is Severity.INFO
    assert only(host).reason == f"Xid{code}"


def test_xid_45_is_recorded_or_evidence_of_its_cause_and_opens_nothing(host: Host) -> None:
    host.see(*(xid(host, 45, at, pid=at) for at in range(1000)))
    assert not host.types()
    host.see(xid(host, 95, 1000))
    host.see(xid(host, 45, 1001, pid=7, caused_by=95))
    assert only(host).type == "GpuUncontainedEcc"
    assert only(host).occurrences == 2


@pytest.mark.parametrize("code", [0, 178, 999, 100_000])
def test_an_xid_that_nobody_lists_is_a_warning_with_its_line(host: Host, code: int) -> None:
    signal = xid(host, code)
    host.see(signal)
    condition = only(host)
    assert (condition.type, condition.severity, condition.mode) == (
        "GpuXidUnlisted",
        Severity.WARNING,
        Mode.OBSERVE,
    )
    assert signal.raw in condition.message


@pytest.mark.parametrize("code", sorted(XIDS))
def test_every_code_of_the_catalogue_has_at_most_one_condition_and_acts_only_under_its_own_rule(
    host: Host, code: int
) -> None:
    host.see(xid(host, code, pid=1))
    conditions = host.state.conditions
    assert len(conditions) <= 1
    if code not in ITS_OWN_RULE:
        assert all(condition.mode is not Mode.ACT for condition in conditions)
    if lookup(code).klass.value in {"hardware", "fabric", "unused", "unknown"}:
        assert conditions, "an Xid of the hardware must never be silent"


@pytest.mark.parametrize(
    ("severity", "types"),
    [
        ("Fatal", {"Nvlink5Error", "Nvlink5Fatal"}),
        ("Link Fatal", {"Nvlink5Error", "Nvlink5Fatal"}),
        ("Nonfatal", {"Nvlink5Error"}),
        (None, {"Nvlink5Error"}),
    ],
)
def test_an_nvlink5_error_is_as_grave_as_the_driver_says(
    host: Host, severity: str | None, types: set[str]
) -> None:
    host.see(xid(host, 149, link_severity=severity))
    assert host.types() == types
    assert all(condition.mode is not Mode.ACT for condition in host.state.conditions)


def test_an_xid_of_nvml_alone_speaks_by_its_code(host: Host) -> None:
    host.see(xid(host, 79, pid=None, message=None, caused_by=None))
    assert only(host).type == "GpuFallenOffBus"


# -- what the driver asks for ----------------------------------------------------------------------------

ASKED = [
    ("GPU_RESET", Severity.CRITICAL, "drain-and-reset-gpu", Mode.ACT),
    ("DRAIN_AND_RESET", Severity.CRITICAL, "drain-and-reset-gpu", Mode.ACT),
    ("NODE_REBOOT", Severity.FATAL, "drain-and-reboot", Mode.ACT),
    ("SYSTEM_REBOOT", Severity.FATAL, "drain-and-reboot", Mode.ACT),
    ("DRAIN_P2P", Severity.WARNING, "none", Mode.OBSERVE),
    ("RECOVER_IMEX_DOMAIN", Severity.WARNING, "none", Mode.OBSERVE),
    ("UNKNOWN", Severity.WARNING, "none", Mode.OBSERVE),
]


@pytest.mark.parametrize(("action", "severity", "remedy", "mode"), ASKED)
def test_what_the_driver_asks_for_is_heard_from_xid_154(
    host: Host, action: str, severity: Severity, remedy: str, mode: Mode
) -> None:
    host.see(xid(host, 154, from_action="NONE", to_action=action))
    condition = only(host)
    assert (condition.type, condition.reason) == ("GpuRecoveryAction", action)
    assert (condition.severity, condition.remedy, condition.mode) == (severity, remedy, mode)


@pytest.mark.parametrize(("action", "severity", "remedy", "mode"), ASKED)
def test_what_the_driver_asks_for_is_heard_from_polling(
    host: Host, action: str, severity: Severity, remedy: str, mode: Mode
) -> None:
    host.see(*sweeps("recovery_action", [0, 10], action=action))
    assert not host.types()
    host.see(reading("recovery_action", 20, action=action))
    condition = only(host)
    assert (condition.severity, condition.remedy, condition.mode) == (severity, remedy, mode)


def test_a_graver_request_takes_over_and_the_end_of_all_clears(host: Host) -> None:
    host.see(xid(host, 154, 0, to_action="GPU_RESET"))
    host.see(xid(host, 154, 1, to_action="NODE_REBOOT"))
    assert only(host).remedy == "drain-and-reboot"
    host.see(xid(host, 154, 2, to_action="NONE"))
    assert only(host).remedy == "drain-and-reboot"
    host.see(*sweeps("recovery_action", [10, 20, 30], action=None))
    assert host.types()
    host.see(*sweeps("recovery_action", [40, 50, 60], action="NONE"))
    assert not host.types()


def test_xid_154_seen_by_nvml_first_acts_once_the_kernel_has_put_it_into_words(host: Host) -> None:
    bare = xid(host, 154)
    host.see(bare)
    assert not host.types()
    host.see(replace(bare, fields={**bare.fields, "to_action": "NODE_REBOOT"}), at=1)
    assert only(host).remedy == "drain-and-reboot"


# -- readings --------------------------------------------------------------------------------------------

READINGS: list[tuple[str, str, dict[str, FieldValue], dict[str, FieldValue]]] = [
    ("GpuLost", "gpu_lost", {"lost": True, "how": "nvml"}, {"lost": False, "how": "nvml"}),
    ("GpuUnresponsive", "gpu_unresponsive", {"unresponsive": True, "call": "x"}, {"unresponsive": False}),
    ("GpusMissing", "inventory", {"missing": 1}, {"missing": 0}),
    ("GpuRowRemapPending", "row_remap", {"pending": True, "failure": False}, {"pending": False}),
    ("GpuRowRemapFailure", "row_remap", {"failure": True, "pending": False}, {"failure": False}),
    ("NvlinkInactive", "nvlink", {"inactive": 2, "in_mig": False}, {"inactive": 0, "in_mig": False}),
    ("GpuRecoveryAction", "recovery_action", {"action": "GPU_RESET"}, {"action": "NONE"}),
    ("MonitorDegraded", "monitor", {"name": "nvml", "healthy": False}, {"name": "nvml", "healthy": True}),
]
BY_TYPE = pytest.mark.parametrize(
    ("type_", "kind", "bad", "good"), READINGS, ids=[each[0] for each in READINGS]
)


def swept(kind: str, start: int, fields: dict[str, FieldValue]) -> list[Signal]:
    """Twenty minutes of the default sweep."""
    subject = NODE if kind in {"inventory", "monitor"} else gpu()
    return [reading(kind, at, subject, **fields) for at in range(start, start + 1200, 10)]


@BY_TYPE
def test_a_reading_goes_from_well_to_ill_to_well(
    host: Host, type_: str, kind: str, bad: dict[str, FieldValue], good: dict[str, FieldValue]
) -> None:
    host.see(*swept(kind, 0, good))
    assert not host.types()
    host.see(*swept(kind, 1200, bad))
    assert host.types() == {type_}
    host.see(*swept(kind, 2400, good))
    assert not host.types()


@BY_TYPE
def test_a_reading_goes_from_well_to_unknown_to_well_without_a_condition(
    host: Host, type_: str, kind: str, bad: dict[str, FieldValue], good: dict[str, FieldValue]
) -> None:
    assert type_
    unknown = {name: None if name != "name" else value for name, value in bad.items()}
    for start, fields in ((0, good), (1200, unknown), (2400, good)):
        host.see(*swept(kind, start, fields))
        assert not host.types()


@BY_TYPE
def test_a_reading_that_turns_unknown_leaves_its_condition(
    host: Host, type_: str, kind: str, bad: dict[str, FieldValue], good: dict[str, FieldValue]
) -> None:
    assert good
    unknown = {name: None if name != "name" else value for name, value in bad.items()}
    host.see(*swept(kind, 0, bad))
    host.see(*swept(kind, 1200, unknown))
    assert host.types() == {type_}


@BY_TYPE
def test_one_bad_reading_says_nothing_unless_it_is_certain(
    host: Host, type_: str, kind: str, bad: dict[str, FieldValue], good: dict[str, FieldValue]
) -> None:
    assert good
    host.see(swept(kind, 0, bad)[0])
    assert host.types() == ({type_} if type_ in {"GpuUnresponsive", "MonitorDegraded"} else set())


def test_links_that_train_for_minutes_after_boot_are_no_fault(host: Host) -> None:
    since_boot = START.mono
    host.see(*(reading("nvlink", at - since_boot, inactive=18) for at in range(30, 600, 10)))
    host.see(*(reading("nvlink", at - since_boot, inactive=0) for at in range(600, 700, 10)))
    assert not host.types()


def test_a_power_cap_under_load_is_no_fault(host: Host) -> None:
    host.see(*swept("clocks", 0, {"sw_power_cap": True, "idle": False, "hw_slowdown": False}))
    assert not host.types()


def test_the_kernels_line_of_a_lost_gpu_needs_no_second_one(host: Host) -> None:
    host.see(host.event("gpu_lost", 0, lost=True, how="kernel"))
    assert (only(host).type, only(host).remedy) == ("GpuFallenOffBus", "drain-and-reboot")
    host.see(xid(host, 79, 1))
    assert only(host).occurrences == 2


def test_a_hung_call_has_no_remedy(host: Host) -> None:
    host.see(reading("gpu_unresponsive", 0, unresponsive=True, call="nvmlDeviceGetTemperatureV"))
    assert (only(host).remedy, only(host).mode) == ("none", Mode.OBSERVE)


def test_a_gap_in_the_log_is_shown_unless_it_was_there_before_we_looked(host: Host) -> None:
    host.see(host.event("log_gap", 0, NODE, lost=5, before_start=True))
    assert not host.types()
    host.see(host.event("log_gap", 1, NODE, lost=5, before_start=False))
    assert (only(host).type, only(host).subject) == ("KernelLogGap", NODE)


@BY_TYPE
def test_no_reading_both_opens_and_clears(
    type_: str, kind: str, bad: dict[str, FieldValue], good: dict[str, FieldValue]
) -> None:
    assert type_
    for rule, clear in RULES.clearing_by_kind[kind]:
        for fields in (bad, good):
            values = {f"signal.{name}": value for name, value in fields.items()}
            opens = rule.on == kind and rule.when.evaluate(values)
            assert not (opens and clear.when.evaluate(values))


def test_history_that_was_dropped_is_shown(host: Host) -> None:
    host.see(host.event("spool_gap", 0, NODE, lost=5))
    assert (only(host).type, only(host).severity) == ("HistoryLost", Severity.INFO)


def test_two_blind_monitors_are_two_conditions(host: Host) -> None:
    host.see(*(node_reading("monitor", 0, name=name, healthy=False) for name in ("nvml", "kernel_log")))
    assert {condition.reason for condition in host.state.conditions} == {"nvml", "kernel_log"}
