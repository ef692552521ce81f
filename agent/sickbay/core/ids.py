"""The names by which things are known across every boundary."""

from typing import NewType

NodeName = NewType("NodeName", str)
"""The name under which the scheduler knows the host."""

BootId = NewType("BootId", str)
"""`/proc/sys/kernel/random/boot_id`: a new one for every boot, the only proof that a reboot took place."""

IncidentId = NewType("IncidentId", str)
"""`inc-` and 12 characters; stable for the life of the incident."""

RemediationId = NewType("RemediationId", str)
"""`rem-` and 12 characters."""

ActionId = NewType("ActionId", str)
"""One effect. The same id twice means the same effect, so a repeat after a crash changes nothing."""

RuleId = NewType("RuleId", str)
