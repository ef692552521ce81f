"""One fault, all the way, on the real Slurm: from the kernel's line to the cordon, from drained to returned.

Real agents on simulated hosts with eight GPUs, a real coordinator and a real slurmctld on this machine, with
the shipped rules, patience and intervals. One node loses a GPU again and again; only its remedy's soak is
left out, so that there is time for many rounds. Another goes the whole way once, beside it, as shipped. The
machines' boots are pretended to take no time. T0 to T8 are the incident's own milestones; slurmctld's log,
which stamps each change of a node in milliseconds, says from outside when the cordon stood.
"""

import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.bench.figures import Figure, NotHereError, at_most, median, noted, p99
from tests.support.slurm_cluster import SlurmCluster, why_no_slurm
from tests.support.slurm_host import SlurmHost, slurm_coordinator

from sickbay.core.ids import NodeName
from sickbay.core.incidents import Incident
from sickbay.core.milestones import Mark
from sickbay.rpc.fleet_client import FleetClient

ROUNDS = 20
LONGEST_S = 170.0
"""No round is begun after this; what there is by then is what is reported."""

PATIENCE_S = 120.0
AGAIN_AND_AGAIN, AS_SHIPPED = "n1", "n2"

REMEDIES = """
- id: reboot-again-and-again
  drain: {mode: wait, timeout: 7d, on_timeout: hold}
  ladder: [{do: reboot, deadline: 15m}, {do: quarantine}]
  validation: {soak: 0s, deadline: 10m}
  attempts: {max: 100, window: 24h}
  deadlines: {cordon: 60s, evidence: 60s, return: 2m}
"""
"""`drain-and-reboot` without its soak, and as often as there are rounds."""

RULES = """
- {id: xid-79-gpu-off-the-bus, remedy: reboot-again-and-again}
- {id: kernel-gpu-off-the-bus, remedy: reboot-again-and-again}
- {id: nvml-gpu-lost, remedy: reboot-again-and-again}
"""
"""The rules that a lost GPU meets, on the node of the many rounds."""

# [2026-11-24T02:12:24.731] update_node: node n1 reason set to: sickbay:inc-125a0a21fdc4 …
_CORDON = re.compile(
    r"^\[(\S+)\] update_node: node (\S+) reason set to: (sickbay:(inc-\w+).*)$", re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One fault from line to return. Unix seconds, and how long the pretended boot took (s)."""

    incident: Incident
    injected_at: float
    said_at: float
    boot_s: float

    def ms(self, first: Mark, second: Mark) -> float:
        """Milliseconds between two milestones; ValueError when either was not reached."""
        took = self.incident.milestones.between(first, second)
        if took is None:
            raise ValueError(f"{self.incident.id}: {first} to {second} is not known")
        return took * 1000

    @property
    def repair_s(self) -> float:
        """Seconds from the last job's end to schedulable again, without the machine's own boot."""
        return self.ms("t4", "t8") / 1000 - self.boot_s


def until(holds: Callable[[], object]) -> None:
    """TimeoutError when it does not come."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("the node did not go on")
        time.sleep(0.1)


def one_round(host: SlurmHost) -> Round:
    """Lose a GPU, reboot when Slurm says so, and wait for the return."""
    until(host.is_well_known)
    injected_at = host.lose_gpu()
    host.cluster.wait_reboot(host.name, timeout=PATIENCE_S)
    boot_s = host.reboot_at_once()
    until(lambda: _returned(host, injected_at) is not None)
    incident = _returned(host, injected_at)
    assert incident is not None
    return Round(
        incident=incident,
        injected_at=injected_at,
        said_at=_said_at(host.cluster, incident),
        boot_s=boot_s,
    )


def _returned(host: SlurmHost, since: float) -> Incident | None:
    with FleetClient(host.coordinator.target) as client:
        incidents = client.incidents(node=NodeName(host.name), include_closed=True)
    fresh = [one for one in incidents if (one.milestones.t0 or 0.0) >= since - 0.001]
    return next((one for one in fresh if one.milestones.t8 is not None), None)


def _said_at(cluster: SlurmCluster, incident: Incident) -> float:
    """When slurmctld itself took the cordon, in Unix seconds."""
    log = (cluster.directory / "slurmctld.log").read_text(errors="replace")
    for when, node, _, ident in _CORDON.findall(log):
        if (node, ident) == (incident.node, incident.id):
            return datetime.fromisoformat(when).timestamp()
    raise ValueError(f"slurmctld tells of no cordon for {incident.id}")


def rounds(host: SlurmHost, until_mono: float) -> list[Round]:
    """Round after round; none is begun when the time is over."""
    found: list[Round] = []
    while len(found) < ROUNDS and time.monotonic() < until_mono:
        found.append(one_round(host))
    return found


@contextmanager
def fleet() -> Iterator[tuple[SlurmHost, SlurmHost]]:
    """A Slurm, a coordinator and two nodes with agents, the second one without any change to the rules."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sickbay-bench-")))
        remedies = {"remedies.yaml": REMEDIES}
        cluster = stack.enter_context(SlurmCluster(names=(AGAIN_AND_AGAIN, AS_SHIPPED)))
        coordinator = slurm_coordinator(folder / "coordinator", cluster, remedies)
        coordinator.start()
        stack.callback(coordinator.kill)
        hosts = [
            SlurmHost(name, cluster, coordinator, folder / name, rules)
            for name, rules in ((AGAIN_AND_AGAIN, remedies | {"lost.yaml": RULES}), (AS_SHIPPED, {}))
        ]
        first, second = [stack.enter_context(host) for host in hosts]
        yield first, second


def measure() -> dict[str, Figure]:
    """The figures of a whole way on the real Slurm."""
    if reason := why_no_slurm():
        raise NotHereError(reason)
    with fleet() as (first, second), ThreadPoolExecutor() as beside:
        whole = beside.submit(one_round, second)
        many = rounds(first, time.monotonic() + LONGEST_S)
        return cordon_figures(many) | repair_figures(many, whole.result())


def cordon_figures(many: Sequence[Round]) -> dict[str, Figure]:
    """From the kernel's line to the cordon, stage by stage; the goals are those of docs/measurements.md."""
    condition = [one.ms("t0", "t1") for one in many]
    stored = [one.ms("t1", "t2") for one in many]
    decided = [one.ms("t1", "t3") for one in many]
    cordoned = [one.ms("t0", "t3") for one in many]
    # The line is printed within the injection, which the round's own clock saw begin.
    said = [(one.said_at - one.injected_at) * 1000 for one in many]
    return {
        "slurm_rounds": noted(len(many), "faults"),
        "slurm_line_to_condition_p50": noted(median(condition), "ms"),
        "slurm_line_to_condition_p99": at_most(p99(condition), "ms", 500),
        "slurm_condition_to_stored_p50": noted(median(stored), "ms"),
        "slurm_condition_to_stored_p99": noted(p99(stored), "ms"),
        "slurm_condition_to_cordon_p50": at_most(median(decided), "ms", 200),
        "slurm_condition_to_cordon_p99": noted(p99(decided), "ms"),
        "slurm_line_to_cordon_p50": at_most(median(cordoned), "ms", 300),
        "slurm_line_to_cordon_p99": at_most(p99(cordoned), "ms", 1000),
        "slurm_injection_to_slurmctld_word_p50": at_most(median(said), "ms", 300),
        "slurm_injection_to_slurmctld_word_p99": at_most(p99(said), "ms", 1000),
    }


def repair_figures(many: Sequence[Round], whole: Round) -> dict[str, Figure]:
    """From drained to schedulable again; boots are pretended, and what they took is taken off."""
    stages: dict[str, tuple[Mark, Mark]] = {
        "cordoned_to_drained": ("t3", "t4"),
        "drained_to_repair_begun": ("t4", "t5"),
        "repair_begun_to_new_boot": ("t5", "t6"),
        "new_boot_to_validated": ("t6", "t7"),
        "validated_to_schedulable": ("t7", "t8"),
    }
    parts = {
        f"slurm_{name}_p50": noted(median([one.ms(*marks) / 1000 for one in many]), "s")
        for name, marks in stages.items()
    }
    return parts | {
        "slurm_pretended_boot_p50": noted(median([one.boot_s for one in many]), "s"),
        "slurm_drained_to_schedulable_without_boot_and_soak_p50": noted(
            median([one.repair_s for one in many]), "s"
        ),
        "slurm_drained_to_schedulable_without_boot": at_most(whole.repair_s, "s", 60),
    }
