"""A BMC to test against: sushy-emulator as a process, over HTTP or HTTPS, with two machines behind it."""

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bcrypt
from tests.support.waiting import wait_until

from sickbay.core.ids import NodeName

NODE, OTHER = NodeName("n1"), NodeName("n2")
UUIDS = {
    NODE: "11111111-9e44-4fa7-8e91-f3527a1ef001",
    OTHER: "22222222-9e44-4fa7-8e91-f3527a1ef002",
}
SERIALS = {NODE: "SN-0001", OTHER: "SN-0002"}
USER, PASSWORD = "admin", "correct horse"


@dataclass(frozen=True, kw_only=True)
class Emulator:
    """One that runs."""

    directory: Path
    port: int
    is_https: bool
    process: "subprocess.Popen[bytes]"

    @property
    def address(self) -> str:
        return f"http{'s' if self.is_https else ''}://127.0.0.1:{self.port}"

    @property
    def ca_file(self) -> Path:
        return self.directory / "bmc.crt"

    @property
    def journal(self) -> list[dict[str, str]]:
        """What happened, in order."""
        file = self.directory / "journal"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    @property
    def resets(self) -> list[tuple[NodeName, str]]:
        """The machines that were reset, and how."""
        nodes = {uuid: node for node, uuid in UUIDS.items()}
        return [(nodes[e["system"]], e["type"]) for e in self.journal if e["what"] == "reset"]

    def will(self, fault: str) -> None:
        """Let the next request that it concerns go wrong; the front knows the names."""
        (self.directory / "faults" / fault).touch()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text()


@contextlib.contextmanager
def redfish_emulator(
    directory: Path,
    *,
    https: bool = True,
    sessions: bool = True,
    power_cycle: bool = True,
    tells_resets: bool = True,
    power: str = "On",
) -> Iterator[Emulator]:
    """Run one in `directory`; both machines are in the power state `power`."""
    (directory / "faults").mkdir(parents=True)
    port = _free_port()
    command = [sys.executable, "-m", "tests.support.redfish_emulator", _front(directory, locals())]
    command += ["--fake", "-i", "127.0.0.1", "-p", str(port)]
    if https:
        _make_certificate(directory)
        command += ["--ssl-certificate", str(directory / "bmc.crt"), "--ssl-key", str(directory / "bmc.key")]
    with (directory / "log").open("wb") as log:
        root = Path(__file__).parents[2]
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=root)
    made = Emulator(directory=directory, port=port, is_https=https, process=process)
    try:
        wait_until(lambda: process.poll() is not None or _answers(port))
        assert process.poll() is None, made.log
        yield made
    finally:
        made.stop()


def _front(directory: Path, chosen: dict[str, object]) -> str:
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    (directory / "users").write_text(f"{USER}:{hashed}\n")
    systems = [
        {"uuid": uuid, "name": node, "power_state": chosen["power"], "nics": []}
        for node, uuid in UUIDS.items()
    ]
    config = {
        "SUSHY_EMULATOR_FAKE_SYSTEMS": systems,
        "SUSHY_EMULATOR_AUTH_FILE": str(directory / "users"),
        "SUSHY_EMULATOR_STATE_DIR": str(directory),
    }
    (directory / "emulator.conf").write_text("".join(f"{key} = {value!r}\n" for key, value in config.items()))
    front = {
        "config": str(directory / "emulator.conf"),
        "faults": str(directory / "faults"),
        "journal": str(directory / "journal"),
        "login": [USER, PASSWORD],
        "sessions": chosen["sessions"],
        "power_cycle": chosen["power_cycle"],
        "tells_resets": chosen["tells_resets"],
        "elsewhere": "https://elsewhere.invalid/redfish/v1/SessionService/Sessions",
        "identities": {
            uuid: {"SerialNumber": SERIALS[node], "HostName": f"{node}.cluster.example"}
            for node, uuid in UUIDS.items()
        },
    }
    (directory / "front.json").write_text(json.dumps(front))
    return str(directory / "front.json")


def _make_certificate(directory: Path) -> None:
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=bmc", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(directory / "bmc.key"), "-out", str(directory / "bmc.crt")]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
