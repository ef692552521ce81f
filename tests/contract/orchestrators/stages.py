"""The three schedulers of the contract suite, each with the people and jobs around it."""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.fakes.orchestrator import FakeOrchestrator
from tests.support.slurm_cluster import SlurmCluster

from sickbay.core.ids import NodeName
from sickbay.host.clock import SystemClock
from sickbay.host.commands import CommandFailure, CommandResult, SystemCommands, TimedOut
from sickbay.orchestrators.protocol import Orchestrator
from sickbay.orchestrators.records import CordonRecord, MemoryCordonRecords, RecordsError
from sickbay.orchestrators.slurm import Slurm
from sickbay.orchestrators.slurm_client import SlurmSettings
from sickbay.orchestrators.standalone import Standalone, StandaloneSettings

NODE, OTHER = NodeName("n1"), NodeName("n2")


class Stage(Protocol):
    """A scheduler with nodes `n1` and `n2` in service, and everyone else who has a hand in it."""

    knows_its_nodes: bool

    @property
    def orchestrator(self) -> Orchestrator: ...

    async def person_drains(self, node: NodeName, reason: str) -> None: ...

    async def person_resumes(self, node: NodeName) -> None: ...

    async def start_job(self, node: NodeName) -> str: ...

    async def end_job(self, node: NodeName, job: str) -> None: ...

    async def is_running(self, node: NodeName, job: str) -> bool: ...

    async def reboots(self, node: NodeName) -> int: ...

    async def finish_reboot(self, node: NodeName) -> None: ...

    def broken_looks(self) -> contextlib.AbstractContextManager[None]: ...

    async def record(self, node: NodeName) -> str:
        """All that the scheduler keeps of the node, without what changes by itself."""
        ...


async def until(what: Callable[[], Awaitable[bool]], *, seconds: float = 150) -> None:
    """Return when `what` is so.

    Raises:
        TimeoutError: when it is not after `seconds`.
    """
    async with asyncio.timeout(seconds):
        while not await what():
            await asyncio.sleep(0.05)


@dataclass
class FakeStage:
    knows_its_nodes: bool = True
    orchestrator: FakeOrchestrator = field(
        default_factory=lambda: FakeOrchestrator(clock=SystemClock(), names=(NODE, OTHER))
    )

    async def person_drains(self, node: NodeName, reason: str) -> None:
        self.orchestrator.person_drains(node, reason)

    async def person_resumes(self, node: NodeName) -> None:
        self.orchestrator.person_resumes(node)

    async def start_job(self, node: NodeName) -> str:
        return self.orchestrator.start_job(node)

    async def end_job(self, node: NodeName, job: str) -> None:
        self.orchestrator.end_job(node, job)

    async def is_running(self, node: NodeName, job: str) -> bool:
        return job in self.orchestrator.nodes[node].jobs

    async def reboots(self, node: NodeName) -> int:
        return self.orchestrator.nodes[node].reboots

    async def finish_reboot(self, node: NodeName) -> None:
        self.orchestrator.finish_reboot(node)

    @contextlib.contextmanager
    def broken_looks(self) -> Iterator[None]:
        self.orchestrator.looks_fail = True
        yield
        self.orchestrator.looks_fail = False

    async def record(self, node: NodeName) -> str:
        return self.orchestrator.nodes[node].reason


@dataclass
class BreakableRecords(MemoryCordonRecords):
    """Records of a store that can fail."""

    is_broken: bool = False

    async def load(self, node: NodeName) -> CordonRecord | None:
        self._check()
        return await MemoryCordonRecords.load(self, node)

    async def load_all(self) -> Mapping[NodeName, CordonRecord]:
        self._check()
        return await MemoryCordonRecords.load_all(self)

    def _check(self) -> None:
        if self.is_broken:
            raise RecordsError("the disk is full")


class StandaloneStage:
    """Jobs are lines in a file a node; the hook that lists them is a real program."""

    knows_its_nodes = False

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._records = BreakableRecords()
        self._begun = 0
        script = directory / "list-jobs"
        file = f'"{directory}/$SICKBAY_NODE.jobs"'
        script.write_text(f"#!/bin/sh\nif [ -e {file} ]; then cat {file}; fi\n")
        script.chmod(0o755)
        self.orchestrator = Standalone(
            settings=StandaloneSettings(list_jobs=(str(script),)),
            records=self._records,
            commands=SystemCommands(),
            clock=SystemClock(),
        )

    async def person_drains(self, node: NodeName, reason: str) -> None:
        await self.orchestrator.hold(node, reason)

    async def person_resumes(self, node: NodeName) -> None:
        await self.orchestrator.release(node)

    async def start_job(self, node: NodeName) -> str:
        self._begun += 1
        with self._file(node).open("a") as file:
            file.write(f"{self._begun} alice training\n")
        return str(self._begun)

    async def end_job(self, node: NodeName, job: str) -> None:
        lines = self._file(node).read_text().splitlines(keepends=True)
        self._file(node).write_text("".join(line for line in lines if line.split()[0] != job))

    async def is_running(self, node: NodeName, job: str) -> bool:
        return any(line.split()[0] == job for line in self._file(node).read_text().splitlines())

    async def reboots(self, node: NodeName) -> int:
        del node
        return 0

    async def finish_reboot(self, node: NodeName) -> None:
        raise AssertionError(f"nobody rebooted {node}")

    @contextlib.contextmanager
    def broken_looks(self) -> Iterator[None]:
        self._records.is_broken = True
        self._file(NODE).mkdir()  # and the hook, which cannot read a folder, must not mean "no jobs"
        yield
        self._file(NODE).rmdir()
        self._records.is_broken = False

    async def record(self, node: NodeName) -> str:
        return str(self._records.records.get(node))

    def _file(self, node: NodeName) -> Path:
        return self._directory / f"{node}.jobs"


@dataclass
class BreakableCommands:
    """Commands of this machine, which can stop coming back."""

    is_broken: bool = False
    system: SystemCommands = field(default_factory=SystemCommands)

    async def run(
        self,
        argv: Sequence[str],
        *,
        deadline: float,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
    ) -> CommandResult | CommandFailure:
        if self.is_broken:
            return TimedOut(argv=tuple(argv), seconds=deadline)
        return await self.system.run(argv, deadline=deadline, env=env, stdin=stdin)


# What Slurm changes by itself while a node is out and comes back.
_VOLATILE = re.compile(r"(CPULoad|FreeMem|BootTime|SlurmdStartTime|LastBusyTime|AllocMem)=\S+ ?")


class SlurmStage:
    """A real cluster; the people are `scontrol`, and a job ends when a file appears."""

    knows_its_nodes = True

    def __init__(self, cluster: SlurmCluster) -> None:
        self._cluster = cluster
        self._commands = BreakableCommands()
        self._asked_at_start = {name: self._asked(name) for name in cluster.names}
        self.orchestrator = Slurm(
            settings=SlurmSettings(conf=str(cluster.slurm_conf), path=cluster.env["PATH"]),
            commands=self._commands,
            clock=SystemClock(),
        )

    async def person_drains(self, node: NodeName, reason: str) -> None:
        await self._scontrol("update", f"nodename={node}", "state=drain", f"reason={reason}")

    async def person_resumes(self, node: NodeName) -> None:
        await self._scontrol("update", f"nodename={node}", "state=resume")

    async def start_job(self, node: NodeName) -> str:
        wait = f'while [ ! -e "{self._cluster.directory}/end-$SLURM_JOB_ID" ]; do sleep 0.05; done'
        job = await asyncio.to_thread(self._cluster.submit, node, wait)
        await until(lambda: self.is_running(node, job))
        return job

    async def end_job(self, node: NodeName, job: str) -> None:
        del node
        (self._cluster.directory / f"end-{job}").touch()

    async def is_running(self, node: NodeName, job: str) -> bool:
        del node
        return await asyncio.to_thread(self._cluster.job_state, int(job)) == "RUNNING"

    async def reboots(self, node: NodeName) -> int:
        return self._asked(node) - self._asked_at_start[node]

    async def finish_reboot(self, node: NodeName) -> None:
        await asyncio.to_thread(self._cluster.wait_reboot, node)
        await asyncio.to_thread(self._cluster.finish_reboot, node)

    @contextlib.contextmanager
    def broken_looks(self) -> Iterator[None]:
        self._commands.is_broken = True
        yield
        self._commands.is_broken = False

    async def record(self, node: NodeName) -> str:
        return _VOLATILE.sub("", await asyncio.to_thread(self._cluster.show, node))

    def _asked(self, node: str) -> int:
        return self._cluster.reboots.count[node]

    async def _scontrol(self, *arguments: str) -> None:
        await asyncio.to_thread(self._cluster.command, "scontrol", *arguments)
