"""A real Slurm on this machine: munged, slurmctld and a few slurmd, in one temporary directory.

Debian builds Slurm with MULTIPLE_SLURMD, so one host plays several nodes, each with its own port, name and
spool. Jobs that still run when it is stopped are ended with it, though slurmd starts them detached.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
from tests.support.slurm_layout import NODE_VARIABLE, SlurmLayout, SlurmOptions
from tests.support.slurm_reboots import RebootWatch

PROGRAMS = ("munged", "slurmctld", "slurmd", "scontrol", "squeue", "sbatch", "scancel", "setpriv")

# NodeName=n1 … OS=Linux … RealMemory=1 AllocMem=0 … State=IDLE+DRAIN ThreadsPerCore=1 …
_STATE = re.compile(r" State=(\S+) ")


def why_no_slurm() -> str:
    """The reason why no cluster can be started on this machine, or empty text when one can."""
    missing = [program for program in PROGRAMS if shutil.which(program, path=_path()) is None]
    if missing:
        return f"not installed: {', '.join(missing)} (Debian: slurmctld slurmd slurm-client munge)"
    if os.geteuid() != 0:
        return "slurmd, and munged under its own user, need root"
    return ""


class SlurmClusterError(Exception):
    """A part of the cluster did not do what it was asked; the message holds its last words."""


@dataclass(slots=True)
class _Part:
    """One daemon and the file that holds its words."""

    process: subprocess.Popen[bytes]
    log: Path


@dataclass(slots=True, kw_only=True)
class SlurmCluster:
    """Use as a context. Nodes are IDLE when it is entered; nothing of it runs after it is left.

    `on_reboot` is called with a node's name, on a thread of its own, when slurmctld had that node's slurmd
    run RebootProgram; it may call `finish_reboot`. Without it the request waits for `wait_reboot`.
    """

    names: Sequence[str] = ("n1", "n2", "n3")
    on_reboot: Callable[[str], None] | None = None
    options: SlurmOptions = field(default_factory=SlurmOptions)
    layout: SlurmLayout = field(init=False)
    reboots: RebootWatch = field(init=False)
    has_gpus: bool = field(init=False, default=False)
    _parts: dict[str, _Part] = field(init=False, default_factory=dict)

    # -- life ------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start every part and wait until all nodes are IDLE.

        Raises:
            SlurmClusterError: when a part ends, or a node is not IDLE after 30 s.
        """
        # A short path: a unix socket's name may have 108 bytes.
        self.layout = SlurmLayout(Path(tempfile.mkdtemp(prefix="sbs-")))
        self.reboots = RebootWatch(self.layout.reboot_requests, self.on_reboot)
        try:
            self.has_gpus = self.layout.write(self.names, self.options)
            self._start_munge()
            self.reboots.start()
            self.start_slurmctld()
            for name in self.names:
                self.start_slurmd(name)
            for name in self.names:
                self.wait_state(name, lambda state: state == "IDLE", timeout=30)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End every process that this cluster started, its jobs too, and remove its directory."""
        self.reboots.stop()
        for part in reversed(self._parts.values()):
            _end(part.process)
        self._parts.clear()
        _end_all(list(self._leftovers()))
        shutil.rmtree(self.layout.directory, ignore_errors=True)

    def reset(self) -> None:
        """Bring every node back to IDLE without jobs, whatever was done to it."""
        self.command("scancel", "--full", "-u", "root")
        for name in self.names:
            if f"slurmd-{name}" not in self._parts:
                self.start_slurmd(name)
            if "REBOOT_ISSUED" in self.state(name):
                self.finish_reboot(name)
        for name in self.names:
            self.wait_state(name, self._is_reset(name))

    def _is_reset(self, node: str) -> Callable[[str], bool]:
        def look(state: str) -> bool:
            if "DRAIN" in state or state == "DOWN":
                self.command("scontrol", "update", f"nodename={node}", "state=resume")
            return state == "IDLE"

        return look

    # -- what a person does at a terminal --------------------------------------------------------------

    @property
    def directory(self) -> Path:
        """All files of the cluster, gone after it."""
        return self.layout.directory

    @property
    def slurm_conf(self) -> Path:
        """The configuration file that every Slurm command of this cluster reads."""
        return self.layout.conf

    @property
    def env(self) -> dict[str, str]:
        """A whole environment in which `scontrol` and its kin talk to this cluster."""
        marks = {name: value for name, value in os.environ.items() if name.startswith("SICKBAY_TEST_")}
        return marks | {"PATH": _path(), "SLURM_CONF": str(self.slurm_conf), "LC_ALL": "C"}

    def command(self, *argv: str, timeout: float = 20) -> str:
        """The standard output of a Slurm command.

        Raises:
            SlurmClusterError: when it ends with another status than 0.
        """
        done = subprocess.run(
            argv, env=self.env, capture_output=True, text=True, timeout=timeout, check=False
        )
        if done.returncode != 0:
            raise SlurmClusterError(f"{' '.join(argv)}: {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def show(self, node: str) -> str:
        """The node's record on one line, as `scontrol -o show node` prints it."""
        return self.command("scontrol", "-o", "show", "node", node).strip()

    def state(self, node: str) -> str:
        """The state words of a node as slurmctld prints them, such as `MIXED+DRAIN`."""
        record = self.show(node)
        match = _STATE.search(record)
        if match is None:
            raise SlurmClusterError(f"no State= in {record!r}")
        return match.group(1)

    def reason(self, node: str) -> str:
        """The node's reason with the bracket that names who wrote it and when; empty when there is none."""
        return self.show(node).partition(" Reason=")[2]

    def wait_state(self, node: str, wanted: Callable[[str], bool], *, timeout: float = 20) -> str:
        """The first state of `node` that is `wanted`.

        Raises:
            SlurmClusterError: when none was seen within `timeout` seconds; it lists those that were.
        """
        seen: list[str] = []
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            with contextlib.suppress(SlurmClusterError):  # slurmctld may not answer yet
                state = self.state(node)
                if wanted(state):
                    return state
                if not seen or seen[-1] != state:
                    seen.append(state)
            self._raise_if_a_part_ended()
            time.sleep(0.05)
        raise SlurmClusterError(f"{node} went through {seen} in {timeout} s\n{self._last_words()}")

    def run_job(self, node: str, seconds: float, *, gpus: int = 1) -> int:
        """Submit a job of `seconds` to `node`, wait until it runs, return its id."""
        wish = [f"--gres=gpu:{gpus}"] if self.has_gpus and gpus else []
        job = int(self.submit(node, f"sleep {seconds}", *wish))
        self.wait_job(job, lambda state: state == "RUNNING")
        return job

    def submit(self, node: str, script: str, *options: str) -> str:
        """Submit a shell line to `node` without waiting; the job's id as text."""
        argv = ["sbatch", "--parsable", "-w", node, "-n1", "-o", f"{self.directory}/job-%j.out"]
        return self.command(*argv, *options, "--wrap", script).strip()

    def job_state(self, job: int) -> str:
        """`RUNNING`, `COMPLETED`, `CANCELLED`, …: the state of a job in slurmctld's memory."""
        record = self.command("scontrol", "-o", "show", "job", str(job))
        return record.partition(" JobState=")[2].split(" ", 1)[0]

    def wait_job(self, job: int, wanted: Callable[[str], bool], *, timeout: float = 20) -> str:
        """The first state of `job` that is `wanted`, within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        state = ""
        while time.monotonic() < deadline:
            state = self.job_state(job)
            if wanted(state):
                return state
            time.sleep(0.05)
        raise SlurmClusterError(f"job {job} is {state} after {timeout} s\n{self._last_words()}")

    # -- what happens to machines ----------------------------------------------------------------------

    def wait_reboot(self, node: str, *, timeout: float = 30) -> None:
        """Return once RebootProgram ran on `node` since its last `finish_reboot`."""
        if not self.reboots.wait(node, timeout):
            raise SlurmClusterError(f"no reboot of {node} in {timeout} s\n{self._last_words()}")

    def finish_reboot(self, node: str) -> None:
        """Let `node` come up: its slurmd ends, and the next one reports a fresh boot."""
        self.kill_slurmd(node)
        self.reboots.over(node)
        self.start_slurmd(node, "-b")

    def kill_slurmd(self, node: str) -> None:
        """End a node's slurmd without a word, as a power cut does; its job steps go on."""
        self._kill(f"slurmd-{node}")

    def start_slurmd(self, node: str, *options: str) -> None:
        """Start a node's slurmd; `-b` makes it report a fresh boot."""
        self._spawn(f"slurmd-{node}", ["slurmd", "-D", "-N", node, *options], {NODE_VARIABLE: node})

    def kill_slurmctld(self) -> None:
        """End the controller without a word."""
        self._kill("slurmctld")

    def start_slurmctld(self) -> None:
        """Start the controller; it reads back what the last one saved."""
        self._spawn("slurmctld", ["slurmctld", "-D", "-i"])

    # -- inside ----------------------------------------------------------------------------------------

    def _start_munge(self) -> None:
        files = [f"--{name}-file={self.layout.munge}/{name}" for name in ("key", "pid", "log", "seed")]
        user = ["setpriv", "--reuid=munge", "--regid=munge", "--clear-groups"]
        self._spawn("munged", [*user, "munged", "-F", *files, f"--socket={self.layout.munge_socket}"])
        deadline = time.monotonic() + 10
        while not self.layout.munge_socket.exists():
            self._raise_if_a_part_ended()
            if time.monotonic() > deadline:
                raise SlurmClusterError(f"munged made no socket\n{self._last_words()}")
            time.sleep(0.02)

    def _spawn(self, name: str, argv: list[str], variables: dict[str, str] | None = None) -> None:
        log = self.directory / f"{name}.out"
        with log.open("ab") as sink:
            process = subprocess.Popen(
                argv,
                env=self.env | (variables or {}),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
            )
        self._parts[name] = _Part(process, log)

    def _kill(self, name: str) -> None:
        part = self._parts.pop(name, None)
        if part is not None:
            part.process.kill()
            part.process.wait()

    def _raise_if_a_part_ended(self) -> None:
        for name, part in list(self._parts.items()):
            if part.process.poll() is not None:
                raise SlurmClusterError(f"{name} ended with {part.process.returncode}\n{self._last_words()}")

    def _last_words(self) -> str:
        logs = [part.log for part in self._parts.values()] + sorted(self.directory.glob("slurm*.log"))
        return "\n".join(f"{log.name}: {line}" for log in logs if log.exists() for line in _tail(log))

    def _leftovers(self) -> Iterator[psutil.Process]:
        """What a job or a RebootProgram left: it carries our SLURM_CONF, or writes into our directory.

        slurmstepd is found by the latter: it writes its title over its environment.
        """
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                is_marked = process.environ().get("SLURM_CONF") == str(self.slurm_conf)
                if is_marked or (process.name() == "slurmstepd" and self._is_open_in(process.pid)):
                    yield process

    def _is_open_in(self, pid: int) -> bool:
        links = (fd.readlink() for fd in Path(f"/proc/{pid}/fd").iterdir())
        return any(link.is_relative_to(self.directory) for link in links)


def _tail(log: Path, lines: int = 12) -> list[str]:
    return log.read_text(errors="replace").splitlines()[-lines:]


def _path() -> str:
    """Debian keeps the daemons in sbin, which a plain user's PATH leaves out."""
    return os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin:/sbin:/bin"


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _end_all(processes: Sequence[psutil.Process]) -> None:
    """SIGKILL, because these are job steps whose slurmd is gone: none of them has anything to save."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(processes, timeout=5)
