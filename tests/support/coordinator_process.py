"""The real `sickbay-coordinator`, as a process that can be killed and started again on the same address."""

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PATIENCE = 30.0

RULES = """
- id: reboot
  ladder:
    - {do: reboot, deadline: 60s}
    - {do: quarantine}
  validation: {soak: 1s, deadline: 30s}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(slots=True)
class CoordinatorProcess:
    """Standalone, in mode act, with a remedy `reboot` and hooks that append a line to `told`."""

    directory: Path
    port: int = field(default_factory=free_port)
    extra: dict[str, Any] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def database(self) -> Path:
        return self.directory / "state" / "sickbay.db"

    @property
    def told(self) -> list[str]:
        """What the hooks were told, oldest first."""
        file = self.directory / "told"
        return file.read_text().split() if file.exists() else []

    def configure(self) -> Path:
        rules = self.directory / "rules"
        rules.mkdir(exist_ok=True)
        (rules / "remedies.yaml").write_text(RULES)
        hook = self.directory / "hook"
        hook.write_text(f'#!/bin/sh\necho "$1" >> {self.directory}/told\n')
        hook.chmod(0o755)
        config = self.directory / "coordinator.yaml"
        config.write_text(
            json.dumps(
                {
                    "listen": [self.target],
                    "state_dir": str(self.directory / "state"),
                    "metrics": "",
                    "mode": "act",
                    "heartbeat": "500ms",
                    "rules": [],
                    "builtin_rules": str(rules),
                    "patience": {"poll": "50ms", "held": "200ms", "reply": "3s"},
                    "orchestrator": {
                        "busy_look": "100ms",
                        "standalone": {
                            "hosts_run_no_jobs": True,
                            "on_cordon": [str(hook), "cordon"],
                            "on_return": [str(hook), "return"],
                        },
                    },
                }
                | self.extra,
            ),
        )
        return config

    def start(self) -> None:
        log = (self.directory / "log").open("ab")
        argv = [sys.executable, "-m", "sickbay.coordinator.main", "--config", str(self.configure())]
        self.process = subprocess.Popen(argv, stdout=log, stderr=log)
        log.close()

    def kill(self) -> None:
        """SIGKILL: no last word, no flush."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(how)
        status = self.process.wait(PATIENCE)
        self.process = None
        return status

    def log(self) -> str:
        return (self.directory / "log").read_text()

    def remediations(self) -> list[dict[str, Any]]:
        """Every remediation as the store has it at this moment."""
        return [
            json.loads(body) for (body,) in self._rows("SELECT body FROM remediations ORDER BY opened_at")
        ]

    def ledger(self) -> list[dict[str, Any]]:
        return [json.loads(body) for (body,) in self._rows("SELECT body FROM ledger ORDER BY row")]

    def knows_well(self, node: str) -> bool:
        """Whether it has seen the node whole; one whose first word is a fault is not given back by itself."""
        rows = self._rows(f"SELECT body FROM nodes WHERE node = '{node}'")  # noqa: S608 - a test's own word
        return any(json.loads(body)["baseline"] for (body,) in rows)

    def _rows(self, query: str) -> list[Any]:
        if not self.database.exists():
            return []
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=PATIENCE)
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []  # the tables are not there yet
        finally:
            connection.close()


def deadline() -> float:
    return time.monotonic() + PATIENCE
