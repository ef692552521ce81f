"""The configuration of power by BMC, and the parts that it asks for."""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import msgspec

from sickbay.coordinator.out_of_band import PowerPlan
from sickbay.core.problems import Place, Problem, RefusedError
from sickbay.host.clock import Clock
from sickbay.host.config_files import Seconds
from sickbay.power.absent import NoPower
from sickbay.power.credentials import CredentialsError, CredentialsFile
from sickbay.power.machines import Machines, address_mistake, read_machines
from sickbay.power.protocol import PowerControl, Reset

_WAYS = tuple(reset.value for reset in Reset)
_USUAL_CREDENTIALS = "/etc/sickbay/bmc-credentials.yaml"
_HANDED_OVER = "CREDENTIALS_DIRECTORY"
"""systemd's name for the folder of credentials: systemd.exec(5), LoadCredential=."""


class RedfishConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """BMCs that speak Redfish.

    address: of the BMC of a node that `machines` gives none; `{node}` stands for its name. Empty for none.
    machines: a YAML file, `node: {address, serial, uuid, hostname, system}`; empty for none.
    credentials: a YAML file, `default: {username, password}`, and `nodes:` by name where they differ. It must
    be ours or root's, and nobody else may read it.
    systemd_credential: the name of a credential of that form that systemd hands over, instead of the file.
    ca_file: certificates of those who sign the BMCs'; empty for the usual authorities.
    login: `session`, or `basic` for BMCs that have no sessions.
    connect, read: for each request.
    call: for a whole visit.
    off: until a machine's power is gone.
    at_once: BMCs visited at the same time.
    insecure_plaintext_passwords: leave to send passwords over http.
    insecure_accept_any_certificate: leave to send them to whoever answers.
    insecure_trust_addresses_alone: leave to restart a machine of which nothing proves that it is the node's.
    """

    address: str = "https://{node}-bmc"
    machines: str = ""
    credentials: str = _USUAL_CREDENTIALS
    systemd_credential: str = ""
    ca_file: str = ""
    login: str = "session"
    connect: Seconds = Seconds(5)
    read: Seconds = Seconds(20)
    call: Seconds = Seconds(60)
    off: Seconds = Seconds(60)
    at_once: int = 8
    insecure_plaintext_passwords: bool = False
    insecure_accept_any_certificate: bool = False
    insecure_trust_addresses_alone: bool = False

    def __post_init__(self) -> None:
        """Refuse what could not work, or would work too well."""
        if self.login not in {"session", "basic"}:
            raise ValueError("login: session or basic")
        if self.at_once < 1:
            raise ValueError("at_once: at least 1")
        mistake = self.mistake_in(self.address) if self.address else ""
        if mistake:
            raise ValueError(f"address: {mistake}")
        if "/" in self.systemd_credential:
            raise ValueError("systemd_credential: a name as in LoadCredential=, not a path")

    def mistake_in(self, address: str) -> str:
        """What is wrong with the address of a BMC; empty when nothing is."""
        return address_mistake(address, may_be_plain=self.insecure_plaintext_passwords)


class PowerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Power out of band.

    kind: `none` or `redfish`.
    reboot: how the rung `reboot` is performed through the BMC, mildest way first, of `graceful`, `forced` and
    `cycle`; empty leaves it to the scheduler or the agent.
    power_cycle: the same for the rung `power_cycle`.
    wait: for a new boot before the next way is taken: longer than a shutdown and a boot together.
    patience: with a BMC that does not answer.
    """

    kind: str = "none"
    reboot: tuple[str, ...] = ()
    power_cycle: tuple[str, ...] = ("cycle",)
    wait: Seconds = Seconds(900)
    patience: Seconds = Seconds(120)
    redfish: RedfishConfig = RedfishConfig()

    def __post_init__(self) -> None:
        """Refuse a kind that there is not, and ways that do not get harder."""
        if self.kind not in {"none", "redfish"}:
            raise ValueError("kind: none or redfish")
        if self.kind == "none" and self.reboot:
            raise ValueError("reboot: only with a kind other than none")
        for name, ways in (("reboot", self.reboot), ("power_cycle", self.power_cycle)):
            if not set(ways) <= set(_WAYS) or any(_rank(a) >= _rank(b) for a, b in pairwise(ways)):
                raise ValueError(f"{name}: each way harder than the one before it: {', '.join(_WAYS)}")
        if not self.power_cycle:
            raise ValueError("power_cycle: at least one way")

    @property
    def plan(self) -> PowerPlan:
        """As the coordinator goes about it."""
        return PowerPlan(
            reboot=tuple(Reset(way) for way in self.reboot),
            power_cycle=tuple(Reset(way) for way in self.power_cycle),
            wait=self.wait,
            patience=self.patience,
        )


def power_control(config: PowerConfig, clock: Clock, environ: Mapping[str, str]) -> PowerControl:
    """The part that talks to BMCs.

    Raises:
        RefusedError: a file of it is missing, unsafe or not understood, or its library is not installed.
    """
    return NoPower(clock=clock) if config.kind == "none" else _redfish(config.redfish, clock, environ)


def _redfish(config: RedfishConfig, clock: Clock, environ: Mapping[str, str]) -> PowerControl:
    try:
        # Only here, because the library is an extra, and costs a second of start and 20 MB.
        from sickbay.power.redfish import Redfish, RedfishSettings  # noqa: PLC0415
        from sickbay.power.redfish_visit import Door  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise _refused("power", f"no module {error.name}", "pip install 'sickbay[redfish]'") from error
    authorities: bool | str = config.ca_file or True
    settings = RedfishSettings(
        machines=_machines(config),
        credentials=_credentials(config, environ),
        door=Door(
            sessions=config.login == "session",
            verify=authorities if not config.insecure_accept_any_certificate else False,
            connect=config.connect,
            read=config.read,
        ),
        call=config.call,
        at_once=config.at_once,
        off=config.off,
    )
    return Redfish(settings=settings, clock=clock)


def _machines(config: RedfishConfig) -> Machines:
    by_node = read_machines(Path(config.machines)) if config.machines else {}
    for node, machine in by_node.items():
        mistake = config.mistake_in(machine.address) if machine.address else ""
        if mistake:
            raise _refused(config.machines, f"{node}: {machine.address!r}", mistake)
    if config.ca_file and not Path(config.ca_file).is_file():
        raise _refused(config.ca_file, "no file", "certificates in PEM form (power.redfish.ca_file)")
    return Machines(
        template=config.address, by_node=by_node, identify=not config.insecure_trust_addresses_alone
    )


def _credentials(config: RedfishConfig, environ: Mapping[str, str]) -> CredentialsFile:
    file = CredentialsFile(path=Path(config.credentials))
    if config.systemd_credential:
        folder = environ.get(_HANDED_OVER)
        if folder is None:
            name = config.systemd_credential
            raise _refused(name, f"no ${_HANDED_OVER}", f"LoadCredential={name}:FILE in the unit")
        file = CredentialsFile(path=Path(folder) / config.systemd_credential, by_systemd=True)
    try:
        file.check()
    except CredentialsError as error:
        raise _refused(str(file.path), str(error), "credentials of BMCs") from error
    return file


def _rank(way: str) -> int:
    return _WAYS.index(way)


def _refused(file: str, found: str, expected: str) -> RefusedError:
    return RefusedError((Problem(place=Place(file=file), found=found, expected=expected),))
