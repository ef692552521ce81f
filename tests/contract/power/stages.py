"""The BMCs of the contract suite: the fake, and sushy-emulator in two of the forms that real ones have."""

import asyncio
import contextlib
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import requests
from tests.fakes.power import FakeBmcs, FakeMachine, FakePower, Fault
from tests.support.bmc import NODE, OTHER, SERIALS, UUIDS, Emulator

from sickbay.core.ids import NodeName
from sickbay.host.clock import SystemClock
from sickbay.power.credentials import CredentialsFile
from sickbay.power.machines import Machine, Machines
from sickbay.power.protocol import PowerControl, PowerState, Reset
from sickbay.power.redfish import Redfish, RedfishSettings
from sickbay.power.redfish_visit import Door

STRANGER = NodeName("n3")


class Stage(Protocol):
    """BMCs of `n1` and `n2`, which are on; `n3` has none."""

    tells_resets: bool

    def process(self) -> PowerControl:
        """One process's view, with no memory of any other's."""
        ...

    def resets(self) -> list[tuple[NodeName, Reset]]:
        """What really happened since the stage was set up."""
        ...

    def will(self, fault: Fault) -> None: ...

    async def switch_off(self, node: NodeName) -> None:
        """A person does."""
        ...

    async def until_on(self, node: NodeName) -> None: ...


@dataclass
class FakeStage:
    tells_resets: bool = True
    bmcs: FakeBmcs = field(
        default_factory=lambda: FakeBmcs(
            clock=SystemClock(), machines={NODE: FakeMachine(), OTHER: FakeMachine()}
        )
    )

    def process(self) -> PowerControl:
        return FakePower(bmcs=self.bmcs, clock=SystemClock())

    def resets(self) -> list[tuple[NodeName, Reset]]:
        return [(node, reset) for node, reset, _ in self.bmcs.resets]

    def will(self, fault: Fault) -> None:
        self.bmcs.will(fault)

    async def switch_off(self, node: NodeName) -> None:
        self.bmcs.machines[node].state = PowerState.OFF

    async def until_on(self, node: NodeName) -> None:
        assert self.bmcs.machines[node].state is PowerState.ON


_FRONT = {Fault.REPLY_LOST: "lose-reply", Fault.REFUSED: "refuse", Fault.DENIED: "deny"}
_RESETS = {
    "GracefulRestart": Reset.GRACEFUL,
    "ForceRestart": Reset.FORCED,
    "PowerCycle": Reset.CYCLE,
    "ForceOff": Reset.CYCLE,
}


@dataclass
class EmulatorStage:
    """`seen` is how much of the emulator's journal belongs to earlier tests."""

    emulator: Emulator
    directory: Path
    has_sessions: bool
    tells_resets: bool
    seen: int = 0
    serial: str = SERIALS[NODE]
    address: str = ""
    switched_off: set[NodeName] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.seen = len(self.emulator.resets)
        for left in (self.emulator.directory / "faults").iterdir():
            left.unlink()
        self.emulator.will("forget")
        self.login("correct horse")

    def login(self, password: str) -> None:
        """What our credentials file says."""
        file = self.directory / "credentials.yaml"
        file.write_text(f"default: {{username: admin, password: '{password}'}}\n")
        file.chmod(0o600)

    def settings(self, **changes: object) -> RedfishSettings:
        address = self.address or self.emulator.address
        machines = {
            NODE: Machine(address=address, serial=self.serial),
            OTHER: Machine(address=address, uuid=UUIDS[OTHER]),
        }
        door = Door(sessions=self.has_sessions, verify=str(self.emulator.ca_file), connect=2.0, read=10.0)
        chosen = {
            "machines": Machines(by_node=machines),
            "credentials": CredentialsFile(path=self.directory / "credentials.yaml"),
            "door": door,
            "poll": 0.1,
        } | changes
        return RedfishSettings(**chosen)  # type: ignore[arg-type]

    def process(self) -> Redfish:
        return Redfish(settings=self.settings(), clock=SystemClock())

    def resets(self) -> list[tuple[NodeName, Reset]]:
        happened = self.emulator.resets[self.seen :]
        return [(node, _RESETS[kind]) for node, kind in happened if kind != "On"]

    def will(self, fault: Fault) -> None:
        match fault:
            case Fault.SOMEONE_ELSES:
                self.serial = "SN-9999"
            case Fault.NO_ANSWER:
                self.address = f"https://127.0.0.1:{_deaf_port()}"
            case Fault.DENIED if not self.has_sessions:
                self.login("wrong")
            case _:
                self.emulator.will(_FRONT[fault])

    async def switch_off(self, node: NodeName) -> None:
        await self._by_hand("ForceOff", node)
        self.switched_off.add(node)
        await self._until(node, PowerState.OFF)
        self.seen = len(self.emulator.resets)

    async def until_on(self, node: NodeName) -> None:
        await self._until(node, PowerState.ON)

    async def _until(self, node: NodeName, state: PowerState) -> None:
        power = self.process()
        async with asyncio.timeout(30):
            while (await power.observe(node)).state is not state:
                await asyncio.sleep(0.05)

    async def set_on(self) -> None:
        """As it was before the test, whatever the test did."""
        stage = EmulatorStage(self.emulator, self.directory, self.has_sessions, self.tells_resets)
        for node in self.switched_off:
            await stage._by_hand("On", node)
        for node in (NODE, OTHER):
            await stage.until_on(node)

    async def _by_hand(self, kind: str, node: NodeName) -> None:
        """A reset by a person, with a tool of theirs."""
        await asyncio.to_thread(_reset_by_hand, self, kind, node)


def _reset_by_hand(stage: EmulatorStage, kind: str, node: NodeName) -> None:
    session = requests.Session()
    session.trust_env = False
    session.verify = str(stage.emulator.ca_file)
    root = f"{stage.emulator.address}/redfish/v1"
    if stage.has_sessions:
        login = {"UserName": "admin", "Password": "correct horse"}
        told = session.post(f"{root}/SessionService/Sessions", json=login, timeout=10)
        session.headers["X-Auth-Token"] = told.headers["X-Auth-Token"]
    else:
        session.auth = ("admin", "correct horse")
    address = f"{root}/Systems/{UUIDS[node]}/Actions/ComputerSystem.Reset"
    session.post(address, json={"ResetType": kind}, timeout=10).raise_for_status()


def _deaf_port() -> int:
    """A port where nobody listens."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
