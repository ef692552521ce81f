"""Validation: has a node shown that it may work again?

The absence of new errors is not enough, and what is not known is no proof.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sickbay.core.conditions import Condition, Severity, Status
from sickbay.core.devices import Inventory
from sickbay.core.ids import BootId
from sickbay.core.orchestration import NodeObservation, Ownership, RebootProgress
from sickbay.core.outcomes import Outcome
from sickbay.core.remedies import RungKind

_TAKES_A_BOOT = frozenset({RungKind.REBOOT, RungKind.POWER_CYCLE})
_REBOOTING = frozenset({RebootProgress.REQUESTED, RebootProgress.ISSUED})

NOTHING_ASKED = "NONE"
"""The driver's word for: no recovery is needed (nvml.h, NVML_GPU_RECOVERY_ACTION_NONE)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """What a node shows of itself now.

    `after` is the repair to be proved, None when the fault went away by itself. `told_all` says that the
    agent is connected and has sent its full state on `boot_now`, `swept` that it has read everything since
    validation began. `baseline` is what the node had when it was well, None when it never was seen so.
    `recovery` is what the driver asks for, by each GPU's PCI address, None where it does not say; it counts
    only where it `answered_before`. `families` are those of the faults that were repaired, `gpus` the PCI
    addresses of the GPUs that had them.
    """

    after: RungKind | None
    boot_before: BootId
    boot_now: BootId | None
    told_all: bool
    swept: bool
    baseline: Inventory | None
    inventory: Inventory
    answered_before: bool
    recovery: Mapping[str, str | None]
    conditions: tuple[Condition, ...]
    families: frozenset[str]
    gpus: frozenset[str]
    scheduler: NodeObservation


def judge(shown: Showing) -> Outcome:
    """DONE when all of it holds now. FAILED when the fault came back; else what is still missing.

    RETRY and UNKNOWN say the first thing that is in the way, in words for people.
    """
    doubts = (_boot(shown), _faults(shown), _hardware(shown), _driver(shown), _scheduler(shown))
    return next((doubt for doubt in doubts if doubt is not None), Outcome.done(_proof(shown)))


def _boot(shown: Showing) -> Outcome | None:
    if shown.after in _TAKES_A_BOOT and shown.boot_now in {None, shown.boot_before}:
        return Outcome.retry("no new boot was seen yet")
    if not shown.told_all:
        return Outcome.retry("the agent has not told its full state on this boot yet")
    return None if shown.swept else Outcome.retry("the agent has not read everything anew yet")


def _faults(shown: Showing) -> Outcome | None:
    grave = [c for c in shown.conditions if c.severity.rank >= Severity.WARNING.rank]
    present = [c for c in grave if c.is_open]
    for condition in present:
        if condition.family in shown.families and condition.severity.rank >= Severity.CRITICAL.rank:
            return Outcome.failed(f"the fault came back: {_named(condition)}")
    if present:
        return Outcome.retry(f"still open: {_named(present[0])}")
    doubtful = next((c for c in grave if c.status is Status.UNKNOWN), None)
    return None if doubtful is None else Outcome.unknown(f"not known: {_named(doubtful)}")


def _named(condition: Condition) -> str:
    return f"{condition.type} ({condition.reason}) on {condition.subject.key}"


def _hardware(shown: Showing) -> Outcome | None:
    if shown.baseline is None:
        return Outcome.unknown("the node was never seen well, so nobody can say whether it is complete")
    missing = shown.baseline.missing_from(shown.inventory)
    if missing:
        slots = ", ".join(gpu.pci for gpu in missing)
        return Outcome.retry(f"{len(missing)} of {len(shown.baseline.gpus)} GPUs are missing: {slots}")
    unseen = sorted(shown.gpus - {gpu.pci for gpu in shown.inventory.gpus})
    if unseen:
        return Outcome.unknown(f"{unseen[0]}, which had the fault, is not seen by a driver")
    return None


def _driver(shown: Showing) -> Outcome | None:
    if not shown.answered_before:
        return None
    for gpu in shown.inventory.gpus:
        action = shown.recovery.get(gpu.pci)
        if action is None:
            return Outcome.unknown(f"the driver does not say what {gpu.pci} needs")
        if action != NOTHING_ASKED:
            return Outcome.retry(f"the driver asks for {action} on {gpu.pci}")
    return None


def _scheduler(shown: Showing) -> Outcome | None:
    seen = shown.scheduler
    if seen.ownership is not Ownership.OURS:
        return Outcome.unknown(f"the scheduler does not show our hold: {seen.detail or seen.state}")
    if seen.obstacle or seen.reboot in _REBOOTING:
        return Outcome.retry(f"the scheduler has the node as {seen.obstacle or seen.state}")
    return None


def _proof(shown: Showing) -> str:
    boot = "a new boot" if shown.after in _TAKES_A_BOOT else "the same boot"
    asked = "no recovery asked for" if shown.answered_before else "recovery action not offered by this driver"
    return f"{boot}, {len(shown.inventory.gpus)} GPUs, {asked}, no open condition"
