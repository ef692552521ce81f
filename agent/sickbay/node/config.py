"""The agent's configuration: every key with its unit and default, checked before anything starts.

Spans of time are written with their unit (`250ms`, `10s`, `5m`, `30d`). What is not understood is refused
with file, line and what was expected; an unknown key is not passed over, because it is a typo more often than
not.
"""

import socket
from pathlib import Path

import msgspec

from sickbay.core.ids import NodeName
from sickbay.host.config_files import Seconds
from sickbay.host.host_settings import USUAL_SETTINGS, HostSettings
from sickbay.host.nvml.hang_watch import Deadlines

_LEAST_SWEEP = 0.05
_LEAST_SPOOL = 65_536
_LEAST_TRACE = 65_536
_USUAL_RULES = ("/etc/sickbay/rules.d",)


class KernelLogConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where kernel lines come from.

    path: the device, or a file.
    form: `device`, or `file` for records in the device's own format that are appended to a plain file.
    boot_id: the file that names this boot.
    """

    path: str = "/dev/kmsg"
    form: str = "device"
    boot_id: str = "/proc/sys/kernel/random/boot_id"

    def __post_init__(self) -> None:
        """Refuse a form that nothing reads."""
        if self.form not in {"device", "file"}:
            raise ValueError("form: device or file")


class NvmlConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the driver is watched.

    enabled: false on a host without GPUs, where nothing is then missing.
    worker: the command line of the process that loads NVML; empty for our own.
    sweep: how often every GPU is read. Not all of it each time: with the default, link errors, fabric and
        processes each 30s, modes and repairs each minute, platform and InfoROM each hour. Shorter sweeps
        bring all but the InfoROM closer in proportion; longer ones leave these periods as they are.
    jitter: by how much of that (0 to 0.5) sweeps are spread, so that a fleet does not read in step.
    call: how long one driver call may take before its GPU counts as unresponsive.
    slow_call: the same for calls that initialise a driver or a GPU.
    release: the longest that the driver may be let go of at a time.
    """

    enabled: bool = True
    worker: tuple[str, ...] = ()
    sweep: Seconds = Seconds(10)
    jitter: float = 0.1
    call: Seconds = Seconds(5)
    slow_call: Seconds = Seconds(30)
    release: Seconds = Seconds(3600)

    def __post_init__(self) -> None:
        """Refuse intervals that would read without pause, or never."""
        if self.sweep < _LEAST_SWEEP:
            raise ValueError(f"sweep: at least {_LEAST_SWEEP:g}s")
        if not 0.0 <= self.jitter <= 0.5:  # noqa: PLR2004 - beyond half, sweeps could meet
            raise ValueError("jitter: a share from 0 to 0.5")


class SpoolConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much history is kept.

    max_bytes: of events altogether; the oldest go first.
    max_age: of events that a coordinator has; others wait for one.
    readings: also keep readings when they change, so that other rules can be tried on this node's past.
    """

    max_bytes: int = 64 * 1024 * 1024
    max_age: Seconds = Seconds(2592000)
    readings: bool = True

    def __post_init__(self) -> None:
        """Refuse what would keep nothing."""
        if self.max_bytes < _LEAST_SPOOL:
            raise ValueError(f"max_bytes: at least {_LEAST_SPOOL}")


class TraceConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record of all that the rules are shown, for `sickbay rules replay`; off unless a path is given.

    path: a file in state_dir (`.jsonl`, or `.jsonl.gz` for a tenth of the size); the unit may write nowhere
        else.
    max_bytes: of the file and the one before it (`trace.1.jsonl.gz`) together.
    """

    path: str = ""
    max_bytes: int = 256 * 1024 * 1024

    def __post_init__(self) -> None:
        """Refuse what would begin a file at every piece."""
        if self.max_bytes < _LEAST_TRACE:
            raise ValueError(f"max_bytes: at least {_LEAST_TRACE}")


class EvidenceConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept of a fault before it is repaired.

    max_bytes: of one bundle.
    keep: how many bundles; the oldest go first.
    deadline: for collecting one.
    """

    max_bytes: int = 16 * 1024 * 1024
    keep: int = 20
    deadline: Seconds = Seconds(20)


class ActuatorsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Effects on this host, each only under a grant of the coordinator.

    reboot_command: a program and its arguments, run without a shell.
    reboot_deadline: how long it may take to accept.
    restart_services: whole names of the units that may be restarted (`nvidia-persistenced.service`); none
        unless you name it.
    restart_deadline: how long one restart may take.
    gpu_reset_command: a program and its arguments, to which one PCI address is added, run without a shell
        (`[nvidia-smi, --gpu-reset, -i]`); empty: no GPU is reset, and the ladder goes on to the reboot.
    gpu_reset_deadline: how long it may take for one GPU.
    """

    reboot_command: tuple[str, ...] = ("systemctl", "reboot")
    reboot_deadline: Seconds = Seconds(30)
    restart_services: tuple[str, ...] = ()
    restart_deadline: Seconds = Seconds(90)
    gpu_reset_command: tuple[str, ...] = ()
    gpu_reset_deadline: Seconds = Seconds(120)

    def __post_init__(self) -> None:
        """Refuse an empty command."""
        if not self.reboot_command:
            raise ValueError("reboot_command: a program and its arguments")


class SimulationConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pretended node, standing for the driver, the kernel log and the boot.

    node_dir: its folder, as `sickbay.sim` makes it; empty for the real host.
    """

    node_dir: str = ""


class AgentConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. All keys have defaults; an empty file makes an agent that works alone.

    node: the name under which the scheduler knows this host; empty for the short host name.
    pool: the group of nodes that it belongs to; rules, budgets and roll-outs may choose by it.
    coordinators: `host:port` or `unix:/path`, tried in turn; empty to report to nobody.
    insecure_plaintext_off_host: leave to speak to a coordinator on another host in plaintext.
    state_dir: spool and evidence; must outlive reboots.
    runtime_dir: verdict.json and the socket; emptied by reboots.
    socket: the local API; empty for `agent.sock` in runtime_dir.
    metrics: `host:port` of /metrics, on loopback unless you choose otherwise; empty for none.
    rules: files or folders of the site, laid over the built-in rules by id, later ones over earlier ones.
    builtin_rules: the folder of the built-in rules; empty for those of this installation.
    rules_from: `local` (built-in rules and `rules`, whatever a coordinator offers) or `coordinator` (the set
        that it hands out, whole, instead of both; until the first one came, both).
    accept_injected: take kernel lines from user space and from `sickbay inject`, marked synthetic.
    """

    node: str = ""
    pool: str = ""
    coordinators: tuple[str, ...] = ()
    insecure_plaintext_off_host: bool = False
    state_dir: str = "/var/lib/sickbay"
    runtime_dir: str = "/run/sickbay"
    socket: str = ""
    metrics: str = "127.0.0.1:9417"
    rules: tuple[str, ...] = _USUAL_RULES
    builtin_rules: str = ""
    rules_from: str = "local"
    accept_injected: bool = False
    kernel_log: KernelLogConfig = KernelLogConfig()
    nvml: NvmlConfig = NvmlConfig()
    host: HostSettings = USUAL_SETTINGS
    spool: SpoolConfig = SpoolConfig()
    trace: TraceConfig = TraceConfig()
    evidence: EvidenceConfig = EvidenceConfig()
    actuators: ActuatorsConfig = ActuatorsConfig()
    simulation: SimulationConfig = SimulationConfig()

    def __post_init__(self) -> None:
        """Refuse an address that nobody could reach."""
        host, colon, port = self.metrics.rpartition(":")
        if self.metrics and not (host and colon and port.isdecimal()):
            raise ValueError("metrics: host:port, or nothing for none")
        if self.rules_from not in {"local", "coordinator"}:
            raise ValueError("rules_from: local or coordinator")

    @property
    def node_name(self) -> NodeName:
        """The name that was given, or the host's own up to the first dot."""
        return NodeName(self.node or socket.gethostname().partition(".")[0])

    @property
    def socket_path(self) -> Path:
        """Where the local API listens."""
        return Path(self.socket) if self.socket else Path(self.runtime_dir) / "agent.sock"

    @property
    def verdict_path(self) -> Path:
        """What job prologs read."""
        return Path(self.runtime_dir) / "verdict.json"

    @property
    def rule_paths(self) -> tuple[Path, ...]:
        """The site's layers. The usual folder need not be there; one that somebody named must."""
        return tuple(Path(path) for path in self.rules if path not in _USUAL_RULES or Path(path).exists())

    @property
    def builtin_rules_path(self) -> Path | None:
        """The folder of built-in rules, None for this installation's own."""
        return Path(self.builtin_rules) if self.builtin_rules else None

    @property
    def takes_rules(self) -> bool:
        """Whether a coordinator may hand rules to this agent."""
        return self.rules_from == "coordinator"

    @property
    def shelf_path(self) -> Path:
        """Where the last good rules are kept."""
        return Path(self.state_dir) / "rules"

    @property
    def metrics_address(self) -> tuple[str, int] | None:
        """Host and port of /metrics; None for none."""
        host, _, port = self.metrics.rpartition(":")
        return (host.strip("[]"), int(port)) if self.metrics else None

    @property
    def call_deadlines(self) -> Deadlines:
        """How long driver calls may take."""
        return Deadlines(call=self.nvml.call, slow=self.nvml.slow_call)

    @property
    def spool_path(self) -> Path:
        """The agent's memory."""
        return Path(self.state_dir) / "spool.db"


def shown(config: AgentConfig) -> bytes:
    """The configuration that is in force, defaults included, spans in seconds."""
    return msgspec.json.format(msgspec.json.encode(config, enc_hook=float), indent=2) + b"\n"
