"""The part of the configuration about what holds actions back: budgets, storms, approvals, maintenance."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from sickbay.coordinator.paging import PagingSettings
from sickbay.coordinator.places import Places, load_places
from sickbay.core.approvals import SEVERITY
from sickbay.core.areas import DOMAIN_KINDS, parse_area
from sickbay.core.budgets import DOMAIN_BUDGET, POOL_BUDGET, Budget, Budgets, Limit
from sickbay.core.maintenance import parse_recurrence
from sickbay.core.orders import Order, OrderKind
from sickbay.core.remediation import ActionKind
from sickbay.core.storm_gate import StormLimits
from sickbay.host.config_files import Seconds

_WHOLE = 100.0
_STORM = StormLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePlan:
    """All of it, as the coordinator uses it. `windows` recur and come from the file alone."""

    places: Places = field(default_factory=Places)
    budgets: Budgets = field(default_factory=Budgets)
    storm: StormLimits = field(default_factory=StormLimits)
    windows: tuple[Order, ...] = ()


class LimitConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The smaller of the two counts; the percentage never comes to less than one node.

    nodes: so many nodes; 0 for none at all.
    percent: so many of a hundred of the group's known nodes.
    """

    nodes: int = 0
    percent: float = _WHOLE

    def __post_init__(self) -> None:
        """Refuse what no number of nodes can be."""
        if self.nodes < 0 or not 0 < self.percent <= _WHOLE:
            raise ValueError("nodes: 0 or more; percent: more than 0, at most 100")

    @property
    def limit(self) -> Limit:
        """As the gate takes it."""
        return Limit(nodes=self.nodes, percent=self.percent)


class BudgetConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One budget.

    at_once: nodes out of service at our word at one time, quarantined ones included.
    within: nodes taken out within any `window`, each counted once.
    window: the length of that window.
    """

    at_once: LimitConfig
    within: LimitConfig
    window: Seconds = Seconds(3600)

    @property
    def budget(self) -> Budget:
        """As the gate takes it."""
        return Budget(at_once=self.at_once.limit, within=self.within.limit, window=self.window)


def _config(budget: Budget) -> BudgetConfig:
    """A default, as a file would write it."""
    return BudgetConfig(
        at_once=LimitConfig(nodes=budget.at_once.nodes, percent=budget.at_once.percent),
        within=LimitConfig(nodes=budget.within.nodes, percent=budget.within.percent),
        window=Seconds(budget.window),
    )


class BudgetsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many nodes may be out at our word.

    pool: the budget of every pool.
    domain: the budget of every failure domain (rack, NVLink domain, switch).
    groups: budgets of single groups by their name, such as `pool:h100` or `rack:r12`.
    """

    pool: BudgetConfig = _config(POOL_BUDGET)
    domain: BudgetConfig = _config(DOMAIN_BUDGET)
    groups: dict[str, BudgetConfig] = {}

    def __post_init__(self) -> None:
        """Refuse a name that no group can have."""
        for name in self.groups:
            if not name.startswith(tuple(f"{kind}:" for kind in ("pool", *DOMAIN_KINDS))):
                raise ValueError(f"groups: {name!r} is none; expected a form such as pool:h100 or rack:r12")

    @property
    def budgets(self) -> Budgets:
        """As the gate takes them."""
        return Budgets(
            pool=self.pool.budget,
            domain=self.domain.budget,
            groups={name: each.budget for name, each in self.groups.items()},
        )


class StormConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When more goes wrong at once than nodes do by themselves.

    base_rate: failures of nodes that the fleet has anyway, a thousand nodes and day.
    window: what is reported within it counts together.
    improbable: so many independent faults or more, at the base rate, must be less likely than this, and
    at_least: so many of them, to be a storm.
    percent, nodes: of the nodes of one job, failure domain, pool or the fleet with one family of faults, or
    together: so many of them at least, to be a storm.
    quiet: how long neither must be so before the gate opens by itself.
    """

    base_rate: float = _STORM.base_rate
    window: Seconds = Seconds(_STORM.window)
    improbable: float = _STORM.improbable
    at_least: int = _STORM.at_least
    percent: float = _STORM.percent
    nodes: int = _STORM.nodes
    together: int = _STORM.together
    quiet: Seconds = Seconds(_STORM.quiet)

    def __post_init__(self) -> None:
        """Refuse what would trip at a single fault, or never."""
        if self.at_least < 2 or self.together < 2 or self.nodes < 2:  # noqa: PLR2004 - more than one
            raise ValueError("at_least, together, nodes: 2 or more; one fault is no storm")
        if not (self.base_rate > 0 and 0 < self.improbable < 1 and 0 < self.percent <= _WHOLE):
            raise ValueError("base_rate: more than 0; improbable: between 0 and 1; percent: 1 to 100")

    @property
    def limits(self) -> StormLimits:
        """As the gate takes them."""
        return StormLimits(**{name: getattr(self, name) for name in self.__struct_fields__})


class ApprovalsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What waits for `sickbay approve`, beside everything that a rule of mode propose asks for.

    above: from this action on (cordon, restart_service, reset_gpu, reboot, power_cycle); empty for none.
    life: how long a person's word counts.
    wait: how long a node that we hold waits for it, before it is left to a person for good.
    """

    above: str = ""
    life: Seconds = Seconds(86400)
    wait: Seconds = Seconds(259200)

    def __post_init__(self) -> None:
        """Refuse an action that there is not."""
        known = [kind.value for kind in SEVERITY]
        if self.above and self.above not in known:
            raise ValueError(f"above: one of {', '.join(known)}, or nothing")

    @property
    def threshold(self) -> ActionKind | None:
        """The mildest action that waits."""
        return ActionKind(self.above) if self.above else None


class WindowConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A maintenance window that recurs.

    area: `fleet`, `pool:NAME`, `rack:NAME`, `nvlink:NAME`, `switch:NAME` or a node's name.
    at: days and hour in UTC, such as `sat 02:00`, `mon-fri 22:30` or `daily 03:00`.
    length: how long it is open, at most 24h.
    reason: in words for your colleagues.
    """

    area: str
    at: str
    length: Seconds
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse an area or a time that nobody can mean."""
        self.order("check")

    def order(self, ident: str) -> Order:
        """As the gate takes it, in force from ever on."""
        return Order(
            id=ident,
            kind=OrderKind.MAINTENANCE,
            area=parse_area(self.area),
            by="the configuration",
            reason=self.reason,
            begins_at=0.0,
            recurs=parse_recurrence(self.at, self.length),
        )


class NotifyConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to call when a storm trips the gate; both get the same JSON.

    command: a program and its arguments, run without a shell, the JSON on its standard input; empty for none.
    webhook: an http or https address that the JSON is posted to; empty for none.
    deadline: for each of them.
    """

    command: tuple[str, ...] = ()
    webhook: str = ""
    deadline: Seconds = Seconds(10)

    def __post_init__(self) -> None:
        """Refuse an address that cannot be posted to."""
        if self.webhook and not self.webhook.startswith(("https://", "http://")):
            raise ValueError("webhook: an address that begins with https:// or http://")

    def settings(self) -> PagingSettings:
        """As the pager takes them."""
        return PagingSettings(command=self.command, webhook=self.webhook, deadline=self.deadline)


def windows(configured: Sequence[WindowConfig]) -> tuple[Order, ...]:
    """The windows of the file, each with an id that says so."""
    return tuple(window.order(f"configured-{number}") for number, window in enumerate(configured, start=1))


def places(path: str) -> Places:
    """The site's map; nothing for none. RefusedError as `load_places` has it."""
    return load_places(Path(path)) if path else Places()
