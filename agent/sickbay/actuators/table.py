"""The effects that this version of the agent can have on its host: one entry a verb, one file an entry.

SWEEP is not among them: it reads, and the daemon does that itself.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

from sickbay.actuators.evidence import CollectEvidence
from sickbay.actuators.gpu_reset import ResetGpu
from sickbay.actuators.reboot import Reboot
from sickbay.actuators.service_restart import RestartService
from sickbay.core.messages import Directive, Verb
from sickbay.core.outcomes import Outcome


class Actuator(Protocol):
    """Performs one verb. Whether it may was settled before: an actuator asks nobody."""

    async def perform(self, directive: Directive) -> Outcome:
        """Do it once, within a deadline of its own."""
        ...


ACTUATORS: Mapping[Verb, Callable[..., Actuator]] = MappingProxyType(
    {
        Verb.COLLECT_EVIDENCE: CollectEvidence,
        Verb.RESTART_SERVICE: RestartService,
        Verb.RESET_GPU: ResetGpu,
        Verb.REBOOT: Reboot,
    },
)
"""verb -> what performs it. A verb without an entry is answered FAILED, "not supported by this version"."""
