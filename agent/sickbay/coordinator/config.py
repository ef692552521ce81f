"""The coordinator's configuration: every key with its unit and default, checked before anything starts.

Spans of time are written with their unit (`250ms`, `10s`, `5m`, `30d`). What is not understood is refused
with file, line and what was expected; an unknown key is not passed over, because it is a typo more often than
not.
"""

import socket
from collections.abc import Mapping
from pathlib import Path

import msgspec

from sickbay.coordinator.gate_config import (
    ApprovalsConfig,
    BudgetsConfig,
    GatePlan,
    NotifyConfig,
    StormConfig,
    WindowConfig,
    places,
    windows,
)
from sickbay.coordinator.policy import Policy
from sickbay.coordinator.power_config import PowerConfig
from sickbay.coordinator.store import Retention
from sickbay.core.conditions import Mode
from sickbay.core.remedies import Remedy
from sickbay.core.rollout import ALL, Plan, Stage
from sickbay.host.config_files import Seconds
from sickbay.orchestrators.slurm_client import SlurmSettings
from sickbay.orchestrators.standalone import StandaloneSettings
from sickbay.rpc.serving import DEFAULT_PORT

_LEAST_ROWS = 1_000
_LEAST_BYTES = 10_000_000
_USUAL_RULES = ("/etc/sickbay/rules.d",)


class StandaloneConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No scheduler. Each hook is a program and its arguments, run without a shell; empty for none.

    on_cordon, on_return: told when a node leaves service and comes back.
    list_jobs: prints one job a line, `id [user [name]]`; nothing at all means that no job is left.
    hosts_run_no_jobs: there is nothing to wait for before a repair. Without it, and without list_jobs, no
    node ever counts as drained.
    deadline: for each hook.
    """

    on_cordon: tuple[str, ...] = ()
    on_return: tuple[str, ...] = ()
    list_jobs: tuple[str, ...] = ()
    hosts_run_no_jobs: bool = False
    deadline: Seconds = Seconds(10)

    def settings(self) -> StandaloneSettings:
        """As the orchestrator takes them."""
        return StandaloneSettings(
            on_cordon=self.on_cordon,
            on_return=self.on_return,
            list_jobs=self.list_jobs,
            hosts_run_no_jobs=self.hosts_run_no_jobs,
            deadline=self.deadline,
        )


class SlurmConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Slurm, by its own programs.

    scontrol, squeue: the programs, found on `path`.
    conf: SLURM_CONF for them; empty for that of our own environment.
    path: PATH for them; empty for that of our own environment.
    deadline: for each call; without a controller scontrol itself gives up after about 9s.
    reboots: whether Slurm's RebootProgram reboots nodes; if not, the node's agent does.
    """

    scontrol: str = "scontrol"
    squeue: str = "squeue"
    conf: str = ""
    path: str = ""
    deadline: Seconds = Seconds(5)
    reboots: bool = True

    def settings(self) -> SlurmSettings:
        """As the orchestrator takes them."""
        return SlurmSettings(
            scontrol=self.scontrol,
            squeue=self.squeue,
            conf=self.conf,
            path=self.path,
            deadline=self.deadline,
            reboots=self.reboots,
        )


class OrchestratorConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who schedules the jobs.

    kind: `standalone` (nobody; we keep the record ourselves) or `slurm`.
    busy_look, idle_look: between two looks at all nodes, while something is under way and while nothing is.
    """

    kind: str = "standalone"
    busy_look: Seconds = Seconds(1)
    idle_look: Seconds = Seconds(15)
    standalone: StandaloneConfig = StandaloneConfig()
    slurm: SlurmConfig = SlurmConfig()

    def __post_init__(self) -> None:
        """Refuse an orchestrator that there is not."""
        if self.kind not in {"standalone", "slurm"}:
            raise ValueError("kind: standalone or slurm")


class DatabaseConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where durable facts are kept.

    Of everything the oldest go first, and nothing that is open goes.

    sqlite: the file; empty for `sickbay.db` in state_dir.
    keep_events: how long events are kept, and
    max_events: how many at most.
    keep_history: how long closed incidents, ended remediations and the ledger are kept, and
    max_incidents: how many closed incidents at most, and as many remediations, and
    max_ledger: how many lines of the ledger at most.
    keep_nodes: how long a node that no agent speaks for is remembered; looked at when we start.
    max_bytes: beyond this size we say so, and keep half as many events.
    """

    sqlite: str = ""
    keep_events: Seconds = Seconds(2592000)
    max_events: int = 1_000_000
    keep_history: Seconds = Seconds(63072000)
    max_incidents: int = 200_000
    max_ledger: int = 2_000_000
    keep_nodes: Seconds = Seconds(7776000)
    max_bytes: int = 8_000_000_000

    def __post_init__(self) -> None:
        """Refuse what would keep next to nothing."""
        for name in ("max_events", "max_incidents", "max_ledger"):
            if getattr(self, name) < _LEAST_ROWS:
                raise ValueError(f"{name}: at least {_LEAST_ROWS}")
        if self.max_bytes < _LEAST_BYTES:
            raise ValueError(f"max_bytes: at least {_LEAST_BYTES}")

    @property
    def retention(self) -> Retention:
        """As the store takes it."""
        return Retention(
            event_age=self.keep_events,
            max_events=self.max_events,
            incident_age=self.keep_history,
            max_incidents=self.max_incidents,
            ledger_age=self.keep_history,
            max_ledger=self.max_ledger,
        )


class PatienceConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long things may take, and how old they may be. A remedy's own deadlines stand with the remedy.

    evidence_max_age: a fault last seen longer ago begins nothing.
    silent_after: an agent that was not heard for longer is not acted on.
    snooze: how long faults of the same family stay with a person who took the node back.
    relief: how long a fault must be gone before its repair is called off.
    poll: between two looks at what is awaited on a node.
    held: between two questions to gates that held something back.
    reply: how long an agent's answer to a directive is waited for.
    cool_down: from the end of a repair to the next one of the same family on that node.
    """

    evidence_max_age: Seconds = Seconds(43200)
    silent_after: Seconds = Seconds(30)
    snooze: Seconds = Seconds(86400)
    relief: Seconds = Seconds(30)
    poll: Seconds = Seconds(1)
    held: Seconds = Seconds(10)
    reply: Seconds = Seconds(15)
    cool_down: Seconds = Seconds(300)


class StageConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One stage of a roll-out. Nodes that are in stay in.

    pools: all nodes of these pools come in.
    percent: others follow, up to so many per cent of all nodes that take rules; one at least.
    """

    pools: tuple[str, ...] = ()
    percent: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a stage that brings nobody in."""
        if not 0.0 <= self.percent <= ALL:
            raise ValueError("percent: 0 to 100")
        if not self.pools and not self.percent:
            raise ValueError("a stage: pools, percent, or both")


class RolloutConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How changed rules reach the agents that take them from here (rules_from: coordinator).

    automatic: begin by itself when the rules have changed; without it, `sickbay rules roll-out` does.
    stages: who gets them when; the last one is `percent: 100`.
    soak: for so long a stage runs them before the next one begins.
    max_refusals: more nodes than that which refuse them, fall silent with them or do not answer hold it.
    max_new_conditions: so many more conditions a node on average than in as long a time before hold it.
    answer: by when a connected agent has taken or refused them.
    silence: after it an agent that had taken them counts as fallen silent.
    """

    automatic: bool = False
    stages: tuple[StageConfig, ...] = (
        StageConfig(percent=1),
        StageConfig(percent=10),
        StageConfig(percent=ALL),
    )
    soak: Seconds = Seconds(3600)
    max_refusals: int = 0
    max_new_conditions: float = 0.5
    answer: Seconds = Seconds(600)
    silence: Seconds = Seconds(300)

    def __post_init__(self) -> None:
        """Refuse stages that never reach everybody, and limits below nothing."""
        if not self.stages or self.stages[-1].percent < ALL:
            raise ValueError("stages: the last one is percent: 100")
        if self.max_refusals < 0 or self.max_new_conditions < 0:
            raise ValueError("max_refusals, max_new_conditions: not below 0")

    def plan(self) -> Plan:
        """As the roll-out takes it."""
        return Plan(
            stages=tuple(Stage(pools=each.pools, percent=each.percent) for each in self.stages),
            soak=self.soak,
            max_failures=self.max_refusals,
            max_new_conditions=self.max_new_conditions,
            answer=self.answer,
            silence=self.silence,
        )


def checked_mode(mode: str) -> None:
    """ValueError for a mode that there is not."""
    known = [each.value for each in Mode]
    if mode not in known:
        raise ValueError(f"mode: one of {', '.join(known)}")


class CoordinatorConfig(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"policy_file": "policy"}
):
    """The whole file. All keys have defaults; an empty file makes a coordinator that only observes.

    name: how it names itself to agents and people; empty for the host's name.
    listen: `host:port`, `[v6]:port` or `unix:/path`, for agents and operators; port 0 takes any free one.
    insecure_plaintext_off_host: leave to listen beyond this host in plaintext.
    state_dir: database and lock; one coordinator a directory.
    address_file: a file to write the addresses to that we really listen on, one a line; empty for none.
    metrics: `host:port` of /metrics, on loopback unless you choose otherwise; empty for none.
    policy: a file with mode, accept_synthetic, trust_new_builtins, patience, budgets, storm, approvals and
    maintenance, which then stand there alone; a relative path is beside this file; empty for none.
    mode: `observe` (touch nothing), `propose` or `act`; caps every rule's own.
    accept_synthetic: whether injected faults may act, for drills.
    heartbeat: how often agents are to be heard.
    rules: files or folders of the site, laid over the built-in rules by id, later ones over earlier ones.
    builtin_rules: the folder of the built-in rules; empty for those of this installation.
    trust_new_builtins: let built-in rules that an upgrade brought or changed act without being confirmed.
    places: a YAML file that says in which pool, rack, NVLink domain and switch nodes stand; empty for none.
    maintenance: windows that recur; those for once are for `sickbay maintenance add`.
    """

    name: str = ""
    listen: tuple[str, ...] = (f"127.0.0.1:{DEFAULT_PORT}",)
    insecure_plaintext_off_host: bool = False
    state_dir: str = "/var/lib/sickbay-coordinator"
    address_file: str = ""
    metrics: str = "127.0.0.1:9418"
    policy_file: str = ""
    mode: str = "observe"
    accept_synthetic: bool = False
    heartbeat: Seconds = Seconds(5)
    rules: tuple[str, ...] = _USUAL_RULES
    builtin_rules: str = ""
    trust_new_builtins: bool = False
    rollout: RolloutConfig = RolloutConfig()
    database: DatabaseConfig = DatabaseConfig()
    orchestrator: OrchestratorConfig = OrchestratorConfig()
    patience: PatienceConfig = PatienceConfig()
    power: PowerConfig = PowerConfig()
    places: str = ""
    budgets: BudgetsConfig = BudgetsConfig()
    storm: StormConfig = StormConfig()
    approvals: ApprovalsConfig = ApprovalsConfig()
    maintenance: tuple[WindowConfig, ...] = ()
    notify: NotifyConfig = NotifyConfig()

    def __post_init__(self) -> None:
        """Refuse a mode that there is not, and addresses that nobody could reach."""
        checked_mode(self.mode)
        if not self.listen:
            raise ValueError("listen: at least one address")
        host, colon, port = self.metrics.rpartition(":")
        if self.metrics and not (host and colon and port.isdecimal()):
            raise ValueError("metrics: host:port, or nothing for none")

    @property
    def coordinator_name(self) -> str:
        """The name that was given, or the host's own."""
        return self.name or socket.gethostname()

    @property
    def metrics_address(self) -> tuple[str, int] | None:
        """Host and port of /metrics; None for none."""
        host, _, port = self.metrics.rpartition(":")
        return (host.strip("[]"), int(port)) if self.metrics else None

    @property
    def rule_paths(self) -> tuple[Path, ...]:
        """The site's layers. The usual folder need not be there; one that somebody named must."""
        return tuple(Path(p) for p in self.rules if p not in _USUAL_RULES or Path(p).exists())

    @property
    def builtin_rules_path(self) -> Path | None:
        """The folder of built-in rules, None for this installation's own."""
        return Path(self.builtin_rules) if self.builtin_rules else None

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        return Path(self.database.sqlite) if self.database.sqlite else Path(self.state_dir) / "sickbay.db"

    def policy(self, remedies: Mapping[str, Remedy]) -> Policy:
        """What decisions rest on, with these remedies."""
        patience = self.patience
        return Policy(
            mode=Mode(self.mode),
            accept_synthetic=self.accept_synthetic,
            remedies=remedies,
            max_age=patience.evidence_max_age,
            max_silence=patience.silent_after,
            snooze=patience.snooze,
            relief=patience.relief,
            poll=patience.poll,
            held=patience.held,
            reply=patience.reply,
            cool_down=patience.cool_down,
            approve_from=self.approvals.threshold,
            approval_life=self.approvals.life,
            approval_wait=self.approvals.wait,
        )

    def gates(self) -> GatePlan:
        """What holds actions back. RefusedError when the map of places cannot be used."""
        return GatePlan(
            places=places(self.places),
            budgets=self.budgets.budgets,
            storm=self.storm.limits,
            windows=windows(self.maintenance),
        )


def shown(config: CoordinatorConfig) -> bytes:
    """The configuration that is in force, defaults included; spans in seconds."""
    encoded = msgspec.json.encode(config, enc_hook=float)
    return msgspec.json.format(encoded, indent=2) + b"\n"
