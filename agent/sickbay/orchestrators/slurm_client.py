"""The few calls to `scontrol` and `squeue` that we make, each with its failures told apart.

An exit status of 0 is not enough: Slurm's programs print some errors and still end well, and an empty list
that stands for "could not ask" would read as "no job is left".
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from sickbay.core.ids import NodeName
from sickbay.core.orchestration import DEFAULT_PREFIX, Job
from sickbay.host.commands import CommandResult, CommandRunner
from sickbay.orchestrators.slurm_text import JOB_FORMAT, JOB_STATES, NodeRecord, parse_jobs, parse_nodes

_INHERITED = ("PATH", "SLURM_CONF", "LD_LIBRARY_PATH")
"""Nothing else of our environment: SQUEUE_STATES or SLURM_CLUSTERS would change what is printed."""

# A name reaches scontrol as `nodename=NAME`, where ALL, a comma or a bracket would mean many nodes.
_ONE_NODE = re.compile(r"(?!ALL$)[A-Za-z0-9][A-Za-z0-9._-]*", re.IGNORECASE)

# squeue: error: Invalid node name nope
# slurm_load_node error: Unable to contact slurm controller (connect failure)
_ERROR = re.compile(r"\berror\b", re.IGNORECASE)

# scontrol: error: RebootProgram isn't defined
# slurm_update error: Access/permission denied
# slurm_update error: Invalid node name specified
_FINAL = re.compile(r"RebootProgram isn't defined|permission denied|Invalid node name|must specify a reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlurmSettings:
    """How Slurm is reached. Empty `conf` and `path` mean SLURM_CONF and PATH of our own environment.

    `deadline` in seconds is for each program: without a controller, scontrol itself gives up after about 9.
    `reboots` false leaves reboots to the agents, for sites without RebootProgram.
    """

    scontrol: str = "scontrol"
    squeue: str = "squeue"
    conf: str = ""
    path: str = ""
    deadline: float = 5.0
    reboots: bool = True
    prefix: str = DEFAULT_PREFIX


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a call gave no answer. `is_final`: Slurm understood and said no, and will say so again."""

    detail: str
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class SlurmClient:
    """Slurm's programs as functions."""

    settings: SlurmSettings
    commands: CommandRunner

    async def node(self, node: NodeName) -> NodeRecord | Trouble:
        """One node's record."""
        if not _ONE_NODE.fullmatch(node):
            return Trouble(detail=f"{node!r} is not the name of one node", is_final=True)
        said = await self._run(self.settings.scontrol, "-o", "show", "node", node)
        if isinstance(said, Trouble):
            return said
        record = parse_nodes(said).get(node)
        return record or Trouble(detail=f"scontrol printed no record of {node}: {_first_line(said)}")

    async def nodes(self) -> Mapping[NodeName, NodeRecord] | Trouble:
        """All nodes' records, by one call."""
        said = await self._run(self.settings.scontrol, "-o", "show", "node")
        return said if isinstance(said, Trouble) else parse_nodes(said)

    async def jobs(self, node: NodeName | None = None) -> tuple[Job, ...] | Trouble:
        """The jobs that have resources, on `node` or anywhere."""
        place = () if node is None else ("-w", node)
        said = await self._run(self.settings.squeue, "-h", *place, "-t", JOB_STATES, "-o", JOB_FORMAT)
        if isinstance(said, Trouble):
            return said
        try:
            return parse_jobs(said)
        except ValueError as error:
            return Trouble(detail=str(error))

    async def update(self, node: NodeName, *changes: str) -> Trouble | None:
        """`scontrol update nodename=… …`; None when Slurm took it."""
        return await self._effect("update", f"nodename={node}", *changes)

    async def reboot(self, node: NodeName) -> Trouble | None:
        """Ask for a reboot after which the node stays DOWN; without a reason, see `slurm_states`."""
        return await self._effect("reboot", "ASAP", "nextstate=DOWN", node)

    async def _effect(self, *arguments: str) -> Trouble | None:
        said = await self._run(self.settings.scontrol, *arguments)
        return said if isinstance(said, Trouble) else None

    async def _run(self, *argv: str) -> str | Trouble:
        ended = await self.commands.run(argv, deadline=self.settings.deadline, env=self._environment())
        if not isinstance(ended, CommandResult):
            return Trouble(detail=str(ended))
        words = _first_line(ended.stderr) or _first_line(ended.stdout)
        if ended.exit_code != 0 or _ERROR.search(ended.stderr):
            detail = f"{argv[0]} ended with {ended.exit_code}: {words}"
            return Trouble(detail=detail, is_final=_FINAL.search(ended.stderr) is not None)
        return Trouble(detail=f"{argv[0]} printed too much") if ended.is_cut else ended.stdout

    def _environment(self) -> dict[str, str]:
        env = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        chosen = {"PATH": self.settings.path, "SLURM_CONF": self.settings.conf, "LC_ALL": "C"}
        return env | {name: value for name, value in chosen.items() if value}


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")[:300]
