"""The files of a Slurm on this machine: configuration, GPUs that are device nodes, a RebootProgram."""

import os
import random
import shutil
import socket
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

NODE_VARIABLE = "SICKBAY_TEST_NODE"
"""slurmd runs RebootProgram without an argument, but in its own environment: this names the node there."""

_GPUS = 8
_CPUS = 4
_NVIDIA_MAJOR = 195


@dataclass(frozen=True, slots=True, kw_only=True)
class SlurmOptions:
    """What differs from test to test. `extra` holds lines to add to slurm.conf."""

    resume_timeout_s: int = 60
    return_to_service: int = 1
    reboot_program: bool = True
    extra: str = ""


@dataclass(frozen=True, slots=True)
class SlurmLayout:
    """Where things are below one directory."""

    directory: Path

    @property
    def conf(self) -> Path:
        return self.directory / "slurm.conf"

    @property
    def reboot_requests(self) -> Path:
        """A FIFO: RebootProgram writes a node's name, one a line."""
        return self.directory / "reboots"

    @property
    def munge(self) -> Path:
        """munged's own folder, with its key."""
        return self.directory / "munge"

    @property
    def munge_socket(self) -> Path:
        return self.munge / "socket"

    def write(self, names: Sequence[str], options: SlurmOptions) -> bool:
        """Make every file; whether the nodes have GPUs."""
        self.directory.chmod(0o755)
        for name in ("state", "spool", "run", "dev"):
            (self.directory / name).mkdir()
        self._write_munge_key()
        self._write_reboot_program()
        has_gpus = self._make_gpus()
        self.conf.write_text("\n".join(self._lines(names, options, has_gpus=has_gpus)) + "\n")
        return has_gpus

    def _write_munge_key(self) -> None:
        self.munge.mkdir(mode=0o755)
        key = self.munge / "key"
        key.write_bytes(random.randbytes(128))
        key.chmod(0o400)
        for path in (self.munge, key):
            shutil.chown(path, "munge", "munge")

    def _write_reboot_program(self) -> None:
        os.mkfifo(self.reboot_requests)
        script = self.directory / "reboot.sh"
        # The line is shorter than PIPE_BUF, so that two nodes' lines cannot mix.
        script.write_text(f'#!/bin/sh\necho "${NODE_VARIABLE}" > {self.reboot_requests}\n')
        script.chmod(0o755)

    def _make_gpus(self) -> bool:
        """Device nodes of NVIDIA's major number: with plain files CUDA_VISIBLE_DEVICES stays empty."""
        devices = self.directory / "dev"
        try:
            for index in range(_GPUS):
                os.mknod(devices / f"nvidia{index}", stat.S_IFCHR | 0o600, os.makedev(_NVIDIA_MAJOR, index))
        except PermissionError:
            return False
        (self.directory / "gres.conf").write_text(f"Name=gpu File={devices}/nvidia[0-{_GPUS - 1}]\n")
        return True

    def _lines(self, names: Sequence[str], options: SlurmOptions, *, has_gpus: bool) -> Iterator[str]:
        host = socket.gethostname().split(".", 1)[0]
        controller, *ports = free_ports(len(names) + 1)
        yield from self._controller_lines(host, controller)
        yield f"ReturnToService={options.return_to_service}"
        yield f"ResumeTimeout={options.resume_timeout_s}"
        if options.reboot_program:
            yield f"RebootProgram={self.directory}/reboot.sh"
        if has_gpus:
            yield "GresTypes=gpu"
        shape = f"CPUs={_CPUS} Gres=gpu:{_GPUS}" if has_gpus else f"CPUs={_CPUS}"
        for name, port in zip(names, ports, strict=True):
            yield f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} {shape} State=UNKNOWN"
        yield f"PartitionName=all Nodes={','.join(names)} Default=YES MaxTime=INFINITE State=UP"
        yield options.extra

    def _controller_lines(self, host: str, port: int) -> Iterator[str]:
        here = self.directory
        yield "ClusterName=sickbaytest"
        yield f"SlurmctldHost={host}(127.0.0.1)"
        yield f"SlurmctldPort={port}"
        yield "AuthType=auth/munge"
        yield "CredType=cred/munge"
        yield f"AuthInfo=socket={self.munge_socket}"
        yield "SlurmUser=root"
        yield "SlurmdUser=root"
        yield f"StateSaveLocation={here}/state"
        yield f"SlurmdSpoolDir={here}/spool/%n"
        yield f"SlurmctldPidFile={here}/run/slurmctld.pid"
        yield f"SlurmdPidFile={here}/run/slurmd-%n.pid"
        yield f"SlurmctldLogFile={here}/slurmctld.log"
        yield f"SlurmdLogFile={here}/slurmd-%n.log"
        yield "ProctrackType=proctrack/linuxproc"
        yield "TaskPlugin=task/none"
        yield "JobAcctGatherType=jobacct_gather/none"
        yield "SelectType=select/cons_tres"
        yield "MpiDefault=none"
        yield "SlurmdParameters=config_overrides"


def free_ports(count: int) -> list[int]:
    """Ports below 32768: those above are handed to any client that connects somewhere."""
    found: list[int] = []
    with ExitStack() as held:
        for port in random.sample(range(20000, 32000), 2000):
            probe = held.enter_context(socket.socket())
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
            if len(found) == count:
                return found
    raise OSError(f"fewer than {count} free ports between 20000 and 32000")
