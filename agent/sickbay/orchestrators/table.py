"""Every orchestrator there is, by the name that a configuration gives it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sickbay.host.clock import Clock
from sickbay.host.commands import CommandRunner
from sickbay.orchestrators.protocol import Orchestrator
from sickbay.orchestrators.records import CordonRecords
from sickbay.orchestrators.slurm import Slurm
from sickbay.orchestrators.slurm_client import SlurmSettings
from sickbay.orchestrators.standalone import Standalone, StandaloneSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """What an orchestrator reaches the world through."""

    clock: Clock
    commands: CommandRunner
    records: CordonRecords


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One kind: the type of its settings, all of whose fields have defaults, and how it is built."""

    settings: type
    build: Callable[[Any, Edges], Orchestrator]


def _slurm(settings: SlurmSettings, edges: Edges) -> Orchestrator:
    return Slurm(settings=settings, commands=edges.commands, clock=edges.clock)


def _standalone(settings: StandaloneSettings, edges: Edges) -> Orchestrator:
    return Standalone(settings=settings, records=edges.records, commands=edges.commands, clock=edges.clock)


ORCHESTRATORS: Mapping[str, Entry] = MappingProxyType(
    {
        "slurm": Entry(settings=SlurmSettings, build=_slurm),
        "standalone": Entry(settings=StandaloneSettings, build=_standalone),
    }
)
