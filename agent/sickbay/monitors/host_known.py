"""What a host monitor may hold a reading against. No monitor itself."""

from dataclasses import dataclass, field

from sickbay.core.devices import Inventory, Subject
from sickbay.core.instants import Instant
from sickbay.core.platforms import UNKNOWN_PLATFORM, PlatformProfile
from sickbay.host.host_settings import USUAL_SETTINGS, HostSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class HostKnown:
    """What else is known when a reading is judged.

    `now` is when the reading was there, `profile` what the node's kind of GPU lets one expect of the node.
    `inventory` are its GPUs, those that it had when it was well among them.
    `concerned` are the parts with an open condition: of one that is gone its monitor says so, or the
    condition would stay open with nobody left to end it.
    """

    now: Instant
    profile: PlatformProfile = UNKNOWN_PLATFORM
    settings: HostSettings = USUAL_SETTINGS
    concerned: frozenset[Subject] = frozenset()
    inventory: Inventory = field(default_factory=Inventory)
