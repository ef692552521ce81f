"""`sickbay demo`: one fault, all the way, on this machine."""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import click

from sickbay.cli.demo_stage import Stage, StageError, how_to_look, last_words, running, temporary_parent
from sickbay.cli.demo_story import ENDS, Told, steps_so_far
from sickbay.cli.output import EXIT_FAILED, fail
from sickbay.core.ids import NodeName
from sickbay.core.incidents import Incident
from sickbay.core.instants import format_duration
from sickbay.core.remediation import Remediation
from sickbay.rpc.fleet_client import FleetClient
from sickbay.rpc.questions import Unreachable
from sickbay.sim.known_profiles import USUAL, profile_names
from sickbay.sim.node_dir import NodeDir
from sickbay.sim.scenario import Lost
from sickbay.sim.simulated_node import inject_fault

PATIENT = NodeName("sim-2")
SLOT = 3
"""The GPU that is lost; the last one of a smaller host."""


@dataclass(slots=True)
class Teller:
    """Tells each step once, as a line for people or as a JSON object."""

    as_json: bool
    fault_at: float = 0.0
    told: set[str] = field(default_factory=set)

    def note(self, text: str) -> None:
        """What is not part of the story: on standard error where machines read the other."""
        click.echo(text, err=self.as_json)

    def tell(self, step: Told) -> None:
        """One step, unless it was told."""
        if step.step in self.told:
            return
        self.told.add(step.step)
        since = max(0.0, step.at - self.fault_at)
        if self.as_json:
            line = {"step": step.step, "t": round(since, 3), "node": PATIENT, "detail": step.detail}
            click.echo(json.dumps(line))
            return
        name = click.style(f"{step.step:<20}", fg="red" if step.detail.startswith("held") else "green")
        click.echo(f"  {since:7.2f}s  {name} {step.detail}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a step, and last a summary.")
@click.option(
    "--hold", is_flag=True, help="Keep the fleet running afterwards, to look around in; Ctrl-C ends."
)
@click.option(
    "--profile",
    type=click.Choice(profile_names()),
    default=USUAL,
    show_default=True,
    help="What the simulated nodes are.",
)
@click.option(
    "--timeout",
    type=float,
    default=120.0,
    show_default=True,
    help="Seconds after which it counts as failed.",
)
def demo(*, as_json: bool, hold: bool, profile: str, timeout: float) -> None:
    r"""Lose a GPU on a simulated node and watch it come back.

    Starts a coordinator and four agents on this machine (real programs; this host's own agent on the real
    driver where there is one), makes a GPU fall off the bus of one simulated node, and shows detection,
    incident, gates, cordon, drain, reboot, validation and return, each with the seconds since the fault.
    Everything is in a temporary folder and on loopback, and ends with the command.

    \b
    Examples:
      sickbay demo
      sickbay demo --json | jq .
      sickbay demo --hold
      sickbay demo --profile gb200x4
    """
    teller = Teller(as_json=as_json)
    with tempfile.TemporaryDirectory(prefix="sickbay-demo-", dir=temporary_parent()) as folder:
        try:
            stage = Stage(folder=Path(folder), profile=profile)
            outcome = asyncio.run(_perform(stage, teller, hold=hold, timeout=timeout))
        except (StageError, Unreachable) as error:
            fail(str(error))
        except KeyboardInterrupt:
            teller.note("ended")
            outcome = "returned" if "returned" in teller.told else "interrupted"
    sys.exit(0 if outcome == "returned" else EXIT_FAILED)


async def _perform(stage: Stage, teller: Teller, *, hold: bool, timeout: float) -> str:  # noqa: ASYNC109 - a figure for people, not a cancel scope
    teller.note("Starting a coordinator on SQLite and four agents ...")
    async with running(stage) as fleet:
        gpus = _gpus(stage)
        driver = (
            "the real NVIDIA driver"
            if stage.has_driver
            else f"a simulated {gpus}-GPU node (no NVIDIA driver here)"
        )
        teller.note(
            f"this-host is watched on {driver}; sim-1, sim-2 and sim-3 are simulated {gpus}-GPU nodes."
        )
        teller.note(f"Now GPU {_slot(stage)} of {PATIENT} falls off the bus.\n")
        outcome = await _lose_a_gpu(stage, fleet, teller, timeout)
        if hold:
            await _hold(stage, teller)
    return outcome


def _gpus(stage: Stage) -> int:
    return len(NodeDir(stage.node_dir(PATIENT)).read_profile()["gpus"])


def _slot(stage: Stage) -> int:
    return min(SLOT, _gpus(stage) - 1)


async def _lose_a_gpu(stage: Stage, fleet: FleetClient, teller: Teller, timeout: float) -> str:  # noqa: ASYNC109 - as above
    changes = _changes(fleet)
    teller.fault_at = stage.clock.now().wall
    slot = _slot(stage)
    inject_fault(stage.node_dir(PATIENT), Lost(gpu=slot))
    teller.tell(Told(step="fault", at=teller.fault_at, detail=f"GPU {slot} of {PATIENT} is lost"))
    latest: Incident | None = None
    outcome = "timeout"
    try:
        async with asyncio.timeout(timeout):
            async for incident, remediation in changes:
                latest = incident
                for step in steps_so_far(incident, remediation):
                    teller.tell(step)
                if remediation is not None and remediation.step in ENDS and _is_whole(incident, remediation):
                    outcome = ENDS[remediation.step]
                    break
    except TimeoutError:
        teller.note(f"not back after {timeout:.0f}s. What the programs said last:")
        for name in ("coordinator", PATIENT):
            teller.note(f"{name}:\n{last_words(stage, name)}")
    _sum_up(teller, latest, outcome)
    return outcome


def _is_whole(incident: Incident, remediation: Remediation) -> bool:
    """Whether the incident, too, tells of the end: the two travel apart."""
    return ENDS[remediation.step] != "returned" or incident.milestones.t8 is not None


def _sum_up(teller: Teller, incident: Incident | None, outcome: str) -> None:
    points = incident.milestones if incident is not None else None

    def since(at: float | None) -> float | None:
        return None if at is None else round(at - teller.fault_at, 3)

    detect, cordon, total = (
        since(getattr(points, mark)) if points is not None else None for mark in ("t1", "t3", "t8")
    )
    if teller.as_json:
        summary = {"summary": True, "outcome": outcome, "node": PATIENT}
        click.echo(json.dumps({**summary, "detect_s": detect, "cordon_s": cordon, "total_s": total}))
        return
    shown = [f"{what} {_brief(s)}" for what, s in (("detected", detect), ("cordoned", cordon)) if s]
    whole = f", in service again after {format_duration(total)}" if total else ""
    click.echo(f"\n{PATIENT} {outcome}: {', '.join(shown)} after the fault{whole}.")


def _brief(seconds: float) -> str:
    """Milliseconds where they are what matters."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else format_duration(seconds)


async def _changes(fleet: FleetClient) -> AsyncIterator[tuple[Incident, Remediation | None]]:
    """The patient's incident and remediation, again at each change of either."""
    queue: asyncio.Queue[Incident | Remediation | Unreachable] = asyncio.Queue()
    _follow(fleet, asyncio.get_running_loop(), queue.put_nowait)
    incident: Incident | None = None
    remediation: Remediation | None = None
    while True:
        match await queue.get():
            case Incident() as changed:
                incident = changed if incident is None or changed.id == incident.id else incident
            case Remediation() as changed:
                remediation = changed
            case Unreachable() as gone:
                raise gone
        if incident is not None:
            yield incident, remediation


def _follow(
    fleet: FleetClient,
    loop: asyncio.AbstractEventLoop,
    put: Callable[[Incident | Remediation | Unreachable], None],
) -> None:
    """Read the coordinator's changes in a thread of its own; it ends when the client is closed."""

    def read() -> None:
        try:
            for change in fleet.watch(PATIENT):
                loop.call_soon_threadsafe(put, change)
        except Unreachable as gone:
            if not loop.is_closed():
                loop.call_soon_threadsafe(put, gone)

    Thread(target=read, name="watch", daemon=True).start()


async def _hold(stage: Stage, teller: Teller) -> None:
    teller.note("\nThe fleet goes on. In another shell:\n")
    for line in how_to_look(stage):
        teller.note(f"  {line}")
    teller.note("\nCtrl-C ends it.")
    await asyncio.Event().wait()
