"""What every scheduler must be able to do for us: the contract, held by one suite over all of them.

Manners, the same everywhere:

* What a person or another program holds is FOREIGN: no verb changes it, its reason included.
* A verb is idempotent. DONE means that it was seen to be so, whoever did it before; UNKNOWN means that only
  another look can tell; a refusal says who or what is in the way.
* A look that fails is UNKNOWN: never drained, never free, never ours.
* A mark of an older term than the newest one seen is refused.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from sickbay.core.ids import NodeName
from sickbay.core.orchestration import Job, Mark, NodeObservation
from sickbay.core.outcomes import Outcome
from sickbay.core.remedies import Drain


class Orchestrator(Protocol):
    """One scheduler. Every call ends within the adapter's own deadline and raises nothing of its own."""

    @property
    def name(self) -> str:
        """`standalone`, `slurm`, …: for people."""
        ...

    @property
    def can_reboot(self) -> bool:
        """Whether `reboot` is this scheduler's to do. If not, the node's agent reboots under a grant."""
        ...

    async def observe(self, node: NodeName) -> NodeObservation:
        """One node now, its jobs included."""
        ...

    async def observe_all(self, nodes: Sequence[NodeName]) -> Mapping[NodeName, NodeObservation]:
        """All of `nodes` by one look at the scheduler; one that it does not know is UNKNOWN."""
        ...

    async def jobs(self, node: NodeName) -> tuple[Job, ...] | None:
        """What has resources on the node, jobs that are completing included; None when it cannot be told."""
        ...

    async def cordon(self, node: NodeName, mark: Mark) -> Outcome:
        """Let nothing new start there, and sign it. Running jobs go on.

        DONE also when the node is ours already, for whatever incident; the older mark then stays. Called
        again after a reboot, it renews a hold that the scheduler loosened by itself; RETRY until the
        scheduler, too, has seen the boot. FAILED: someone else holds the node, or is at work on it.
        """
        ...

    async def drain(self, node: NodeName, mark: Mark, spec: Drain) -> Outcome:
        """Begin to empty the node as `spec` says, cordoning it first. `observe` tells when it is drained."""
        ...

    async def reboot(self, node: NodeName, mark: Mark) -> Outcome:
        """Ask for one reboot for each action id, after which the node stays out of service.

        DONE when the scheduler has taken the request; the proof that the machine came back is its new boot
        id. RETRY while the node is not drained. FAILED: not this scheduler's to do, not ours, refused, or
        this very reboot did not come back in the scheduler's time.
        """
        ...

    async def return_to_service(self, node: NodeName, mark: Mark) -> Outcome:
        """Undo what we did for this mark's incident and nothing else.

        DONE when the node takes jobs, also when a person returned it before; RETRY while it is not yet
        ready. FAILED: someone else, or another incident of ours, holds it.
        """
        ...

    async def hold(self, node: NodeName, reason: str) -> Outcome:
        """A person takes the node out through us, in their own words: to us it is FOREIGN from then on.

        Ours gives way. What someone else holds stays as it is, reason included, and that is DONE too.
        """
        ...

    async def release(self, node: NodeName) -> Outcome:
        """A person puts the node in service through us, whoever took it out; the caller knows that they may.

        DONE when the node takes jobs; RETRY while it is not yet ready.
        """
        ...
