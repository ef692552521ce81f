"""Puts the coordinator's parts together, for the daemon and for the tests alike."""

from dataclasses import dataclass, field, replace

from sickbay.coordinator.census import Census
from sickbay.coordinator.course import Course
from sickbay.coordinator.directives import Directives
from sickbay.coordinator.effects import Effects
from sickbay.coordinator.fleet import Fleet
from sickbay.coordinator.gate_config import GatePlan
from sickbay.coordinator.gateway import Gateway
from sickbay.coordinator.housekeeping import Housekeeping
from sickbay.coordinator.link_watch import LinkWatch
from sickbay.coordinator.operations import Operations
from sickbay.coordinator.order_operations import OrderOperations
from sickbay.coordinator.out_of_band import OutOfBand, PowerPlan
from sickbay.coordinator.paging import Pager, PagingSettings
from sickbay.coordinator.policy import Policy
from sickbay.coordinator.reconciler import Reconciler
from sickbay.coordinator.scheduler_watch import SchedulerWatch
from sickbay.coordinator.situation import Situation
from sickbay.coordinator.standing_orders import StandingOrders
from sickbay.coordinator.store import Retention, Snapshot, Store
from sickbay.coordinator.storm_watch import StormWatch
from sickbay.coordinator.upkeep import Upkeep
from sickbay.core.ids import NodeName
from sickbay.core.remediation_steps import interrupted
from sickbay.host.clock import Clock
from sickbay.host.commands import CommandRunner, SystemCommands
from sickbay.orchestrators.protocol import Orchestrator
from sickbay.power.absent import NoPower
from sickbay.power.protocol import PowerControl


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What the coordinator reaches the world through; without `power`, no BMC.

    `gates` is what the site says of budgets, storms and maintenance, `paging` whom it wants called.
    `retention` is how much history the store keeps, `store_bound` how many bytes it may take.
    """

    store: Store
    orchestrator: Orchestrator
    clock: Clock
    power: PowerControl | None = None
    power_plan: PowerPlan = field(default_factory=PowerPlan)
    gates: GatePlan = field(default_factory=GatePlan)
    commands: CommandRunner = field(default_factory=SystemCommands)
    paging: PagingSettings = field(default_factory=PagingSettings)
    retention: Retention = Retention(event_age=float("inf"), max_events=2**31)  # noqa: RUF009 - frozen
    store_bound: int = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """How this coordinator presents itself, and its paces in seconds.

    `busy_look` and `idle_look` are between two looks at the whole scheduler, while something is under way and
    while nothing is.
    """

    name: str
    version: str
    rules_digest: str = ""
    heartbeat_interval: float = 5.0
    busy_look: float = 1.0
    idle_look: float = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinator:
    """The parts that others hold on to."""

    fleet: Fleet
    gateway: Gateway
    operations: Operations
    reconciler: Reconciler
    watch: SchedulerWatch
    situation: Situation
    orders: OrderOperations
    housekeeping: Housekeeping
    upkeep: Upkeep


class _Wake:
    """Breaks the circle between those who ask for a look at a node and the one who looks."""

    def __init__(self) -> None:
        self.reconciler: Reconciler | None = None

    def __call__(self, name: NodeName) -> None:
        if self.reconciler is not None:
            self.reconciler.look(name)


async def assemble(ports: Ports, policy: Policy, identity: Identity, snapshot: Snapshot) -> Coordinator:
    """The coordinator, with all that a former one left in the store; nothing runs yet.

    Raises:
        StoreError: when the store does not give a term.
    """
    clock, orchestrator = ports.clock, ports.orchestrator
    policy = replace(policy, term=await ports.store.next_term())
    fleet, wake = Fleet(ports.store), _Wake()
    now = clock.now().wall
    situation = _situation(ports, policy, snapshot)
    fleet.on_change += [situation.census.changed, situation.links.changed, situation.storms.changed]
    fleet.restore(snapshot, lambda rem: interrupted(rem, now))
    directives = Directives(clock)
    course = Course(fleet=fleet, policy=policy, clock=clock)
    watch = SchedulerWatch(
        fleet=fleet,
        orchestrator=orchestrator,
        clock=clock,
        wake=wake,
        busy=identity.busy_look,
        idle=identity.idle_look,
    )
    effects = Effects(
        orchestrator=orchestrator,
        watch=watch,
        directives=directives,
        out_of_band=OutOfBand(
            power=ports.power or NoPower(clock=clock),
            plan=ports.power_plan,
            watch=watch,
            policy=policy,
            clock=clock,
        ),
        policy=policy,
        clock=clock,
    )
    wake.reconciler = Reconciler(
        fleet=fleet,
        effects=effects,
        watch=watch,
        course=course,
        policy=policy,
        situation=situation,
        clock=clock,
    )
    gateway = Gateway(
        fleet=fleet,
        directives=directives,
        policy=policy,
        clock=clock,
        wake=wake,
        coordinator=identity.name,
        heartbeat_interval=identity.heartbeat_interval,
    )
    operations = Operations(
        fleet_state=fleet,
        orchestrator=orchestrator,
        watch_on_scheduler=watch,
        course=course,
        policy=policy,
        clock=clock,
        wake=wake,
        coordinator=identity.name,
        version=identity.version,
        rules_digest=identity.rules_digest,
        started_at=now,
    )
    return Coordinator(
        fleet=fleet,
        gateway=gateway,
        operations=operations,
        reconciler=wake.reconciler,
        watch=watch,
        situation=situation,
        orders=OrderOperations(fleet=fleet, course=course, situation=situation, clock=clock, wake=wake),
        housekeeping=Housekeeping(
            fleet=fleet,
            orders=situation.orders,
            storms=situation.storms,
            pager=Pager(
                orders=situation.orders,
                commands=ports.commands,
                clock=clock,
                coordinator=identity.name,
                settings=ports.paging,
            ),
            clock=clock,
            kept=policy.max_age,
        ),
        upkeep=Upkeep(fleet=fleet, clock=clock, retention=ports.retention, bound=ports.store_bound),
    )


def _situation(ports: Ports, policy: Policy, snapshot: Snapshot) -> Situation:
    """What decisions rest on beside one node, with what people have said before."""
    orders = StandingOrders(
        ports.store,
        configured=ports.gates.windows,
        orders=snapshot.orders,
        approvals=snapshot.approvals,
    )
    census = Census(ports.gates.places, ports.gates.budgets)
    links = LinkWatch(place=census.place)
    storms = StormWatch(
        limits=ports.gates.storm,
        census=census,
        orders=orders,
        clock=ports.clock,
        may_act=policy.may_ever,
        explains=links.explains,
    )
    return Situation(policy=policy, orders=orders, census=census, storms=storms, links=links)
