"""One visit to a BMC: log in, find the node's machine among its systems, look, maybe reset, log out.

All of it blocks, and runs in a thread of its own. `sushy` speaks Redfish; see DMTF DSP0266 (protocol) and
the ComputerSystem schema in DSP8010 for the names of fields.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sushy import auth
from sushy.main import Sushy
from sushy.resources.constants import PowerState as Told
from sushy.resources.constants import ResetType
from sushy.resources.system.constants import BootProgressStates

from sickbay.core.ids import NodeName
from sickbay.core.outcomes import Outcome
from sickbay.power.credentials import Credentials
from sickbay.power.machines import Machine
from sickbay.power.protocol import PowerObservation, PowerState, Reset
from sickbay.power.redfish_connector import OneTryConnector
from sickbay.power.redfish_errors import ERRORS, BmcError, after_sending, before_sending

_STATES = {
    Told.ON: PowerState.ON,
    Told.OFF: PowerState.OFF,
    Told.POWERING_ON: PowerState.CHANGING,
    Told.POWERING_OFF: PowerState.CHANGING,
}
_NOT_BOOTING = {BootProgressStates.NONE, BootProgressStates.OS_RUNNING}
# Many a BMC is never told more than that the loader has begun, so these say nothing of the present moment.
_INCONCLUSIVE = {None, BootProgressStates.OS_BOOT_STARTED, BootProgressStates.SETUP, BootProgressStates.OEM}
_TYPES = {Reset.GRACEFUL: ResetType.GRACEFUL_RESTART, Reset.FORCED: ResetType.FORCE_RESTART}


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """How BMCs are entered. Spans in seconds, for each request.

    `verify`: True for the usual certificate authorities, or the path of a file with others.
    """

    sessions: bool = True
    verify: bool | str = True
    connect: float = 5.0
    read: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """The node's machine, found and identified."""

    node: NodeName
    secrets: tuple[str, ...]
    connector: OneTryConnector
    system: Any

    def look(self, at: float) -> PowerObservation:
        """What the BMC says of it now, `at` Unix seconds.

        Raises:
            BmcError: it said nothing of use.
        """
        with _translated(self.secrets):
            progress = self.system.boot_progress
            reached = None if progress is None else progress.last_state
            return PowerObservation(
                node=self.node,
                at=at,
                state=_STATES.get(self.system.power_state, PowerState.UNKNOWN),
                reset_age=_age(self.system.json.get("LastResetTime"), self.connector.told_at),
                booting=None if reached in _INCONCLUSIVE else reached not in _NOT_BOOTING,
            )

    def way(self, reset: Reset) -> ResetType | Outcome:
        """How this BMC does it: its own word for it, FORCE_OFF where it can only switch off and on."""
        with _translated(self.secrets):
            offered = self.system.get_allowed_reset_system_values()
        wanted = _TYPES.get(reset, ResetType.POWER_CYCLE)
        if wanted in offered:
            return wanted
        if reset is Reset.CYCLE and {ResetType.FORCE_OFF, ResetType.ON} <= offered:
            return ResetType.FORCE_OFF
        names = ", ".join(sorted(each.value for each in offered))
        return Outcome.failed(f"the BMC offers no {reset.words}, only {names or 'nothing'}")

    def send(self, way: ResetType, what: str) -> Outcome:
        """Send it once. DONE: the BMC took it."""
        try:
            self.system.reset_system(way)
        except ERRORS as error:
            return after_sending(error, what=what, secrets=self.secrets)
        return Outcome.done(f"the BMC took the {what} ({way.value})")


@contextmanager
def visit(
    node: NodeName,
    machine: Machine,
    credentials: Credentials,
    door: Door,
) -> Iterator[Visit]:
    """The machine behind the BMC, once it is proved to be the node's.

    Raises:
        BmcError: it cannot be reached, refuses us, or does not show that machine; nothing was changed.
    """
    secrets = (credentials.password, credentials.username)
    kind = auth.SessionAuth if door.sessions else auth.BasicAuth
    login = kind(username=credentials.username, password=credentials.password)
    connector = OneTryConnector(machine.address, verify=door.verify, connect=door.connect, read=door.read)
    try:
        with _translated(secrets):
            root = Sushy(machine.address, auth=login, connector=connector)
            systems = root.get_system_collection().get_members()
        system = _chosen(node, machine, systems)
        yield Visit(node=node, secrets=secrets, connector=connector, system=system)
    finally:
        _leave(login, connector)


def _leave(login: Any, connector: OneTryConnector) -> None:  # noqa: ANN401 - sushy has no types
    """Log out: a BMC has room for a handful of sessions, and keeps a lost one for half an hour."""
    try:
        login.close()
    except ERRORS:
        # A machine's reset may take its BMC with it; the session then ends with the BMC's own time-out.
        login.reset_session_attrs()
    finally:
        connector.close()


def _chosen(node: NodeName, machine: Machine, systems: list[Any]) -> Any:  # noqa: ANN401 - sushy has no types
    """The only system that is the node's machine; a BMC of a GPU board has one for the board beside it."""
    named = [each for each in systems if machine.system in {"", each.identity}]
    denials = {str(each.identity): machine.denied_by(_told(each)) for each in named}
    proved = [each for each in named if not denials[str(each.identity)]]
    if len(proved) == 1:
        return proved[0]
    doubts = "; ".join(f"system {name}: {', '.join(why)}" for name, why in denials.items() if why)
    found = f"{len(proved)} systems prove" if proved else "no system proves"
    text = f"behind {machine.address} {found} to be {node} ({doubts or 'as far as stated'}); nothing was done"
    raise BmcError(Outcome.failed(text))


def _told(system: Any) -> dict[str, str | None]:  # noqa: ANN401 - sushy has no types
    facts = {"serial": system.serial_number, "uuid": system.uuid, "hostname": system.hostname}
    return {name: str(value)[:100] if value else None for name, value in facts.items()}


def _age(stamp: object, told_at: float | None) -> float | None:
    """Seconds since a time on the BMC's clock, by the BMC's clock; None where either is not told."""
    if not isinstance(stamp, str) or told_at is None:
        return None
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    age = told_at - moment.timestamp()
    return age if age >= -1.0 else None


@contextmanager
def _translated(secrets: tuple[str, ...]) -> Iterator[None]:
    try:
        yield
    except ERRORS as error:
        # Not `from error`: what lies under it holds the request, and the request of a login its password.
        raise BmcError(before_sending(error, secrets=secrets)) from None
