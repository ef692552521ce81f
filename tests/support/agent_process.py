"""The real agent as a process, on a host that is a folder: kernel log, boot id, state and socket."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import yaml
from tests.support.waiting import wait_until

from sickbay.core.messages import Event
from sickbay.core.views import HostView
from sickbay.rpc.node_client import NodeClient
from sickbay.rpc.ports import EventQuery, Unreachable
from sickbay.sim.kernel_log import append
from sickbay.sim.simulated_node import create_node

XID_79 = "NVRM: Xid (PCI:0000:1b:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus."


@dataclass
class AgentProcess:
    """One agent. Started by `with`, ended with it; `changes` go into its configuration as they stand."""

    folder: Path
    changes: dict[str, object] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.kmsg.touch()
        if not self.boot_file.exists():
            self.boot("boot-1")

    @property
    def kmsg(self) -> Path:
        return self.folder / "kmsg"

    @property
    def boot_file(self) -> Path:
        return self.folder / "boot_id"

    @property
    def config(self) -> Path:
        return self.folder / "agent.yaml"

    @property
    def log(self) -> Path:
        return self.folder / "agent.log"

    @property
    def verdict(self) -> Path:
        return self.folder / "run" / "verdict.json"

    @property
    def client(self) -> NodeClient:
        return NodeClient(self.folder / "run" / "agent.sock", timeout=10.0)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def boot(self, boot_id: str) -> None:
        """Say which boot the host is in, from the next start on."""
        self.boot_file.write_text(f"{boot_id}\n")

    def reboot(self, boot_id: str) -> None:
        """The host comes up anew: another boot, an empty kernel log."""
        self.boot(boot_id)
        self.kmsg.write_bytes(b"")

    def with_gpus(self, **nvml: object) -> Path:
        """Give the host eight simulated GPUs, read as `nvml` says; the folder that is their node."""
        node = create_node(self.folder / "node")
        self.changes["simulation"] = {"node_dir": str(node.path)}
        self.changes["nvml"] = {"sweep": "200ms", "call": "500ms", **nvml}
        return node.path

    def start(self) -> None:
        """Start and wait until it answers."""
        self.write_config()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sickbay.node.launch", "--config", str(self.config)],
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
            )
        wait_until(self.answers)

    def write_config(self) -> None:
        """The configuration of a host that is this folder."""
        settings: dict[str, object] = {
            "node": "n1",
            "state_dir": str(self.folder / "state"),
            "runtime_dir": str(self.folder / "run"),
            "metrics": "127.0.0.1:0",
            "rules": [],
            "nvml": {"enabled": False},
            "host": {"enabled": False},
            "kernel_log": {"path": str(self.kmsg), "form": "file", "boot_id": str(self.boot_file)},
        }
        self.config.write_text(yaml.safe_dump({**settings, **self.changes}))

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.health() is not None
        except Unreachable:
            return False

    def kill(self) -> None:
        """SIGKILL: no last words, no clean-up."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)
        self.process = None

    def stop(self) -> int:
        """SIGTERM; its exit status."""
        if self.process is None:
            return 0
        self.process.terminate()
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            raise
        finally:
            self.process.kill()
            self.process.wait()
            self.process = None

    def prints(self, text: str = XID_79) -> int:
        """The kernel prints a line; its sequence."""
        return append(self.kmsg, text, mono=time.monotonic())

    def health(self) -> HostView:
        with self.client as client:
            return client.health()

    def events(self) -> tuple[Event, ...]:
        with self.client as client:
            return client.events(EventQuery(limit=1000))

    def open_types(self) -> list[str]:
        return sorted(condition.type for condition in self.health().conditions if condition.is_open)
