"""Which BMC belongs to which node, and by what the machine behind it is known to be that node's.

A wrong line here is the one mistake that would switch off somebody else's machine. So an address alone is
never enough: what the BMC says of its machine must agree with everything that is stated here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

import msgspec

from sickbay.core.ids import NodeName
from sickbay.host.config_files import load_config

# A node names itself to us: one that calls itself `attacker.example/` must not choose where a password goes.
_HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_NODE = "{node}"


class Machine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One node's machine. What is stated of serial, uuid and hostname must all be so; empty: not stated.

    address: `https://` and host of its BMC, with a port where it is not the usual one; empty: the template.
    system: the `Id` of the computer system, where a BMC has several and the identity does not tell.
    serial, uuid, hostname: as the BMC shows them (`SerialNumber`, `UUID`, `HostName`).
    """

    address: str = ""
    system: str = ""
    serial: str = ""
    uuid: str = ""
    hostname: str = ""

    @property
    def stated(self) -> Mapping[str, str]:
        """What identifies the machine, by the name of the fact."""
        facts = {"serial": self.serial, "uuid": self.uuid, "hostname": self.hostname}
        return {name: value for name, value in facts.items() if value}

    def denied_by(self, told: Mapping[str, str | None]) -> tuple[str, ...]:
        """What the BMC tells otherwise, or not at all; empty when all that is stated agrees."""
        return tuple(
            f"{name} should be {value} and is {told.get(name) or 'not told'}"
            for name, value in self.stated.items()
            if not _ALIKE[name](value, told.get(name) or "")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """All of them. `template` serves nodes that have no address of their own; empty for none.

    `identify`: a machine of which nothing is stated must call itself what its node calls itself. Without it,
    such a machine is believed for its address alone.
    """

    template: str = ""
    identify: bool = True
    by_node: Mapping[NodeName, Machine] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, node: NodeName) -> Machine | str:
        """The node's machine with its address and identity filled in, or why there is none, in words."""
        stated = self.by_node.get(node, Machine())
        address = stated.address
        if not address:
            if not self.template:
                return f"no BMC is written down for {node}"
            if _HOST_NAME.fullmatch(node) is None:
                return f"{node!r} cannot stand in an address"
            address = self.template.replace(_NODE, node)
        hostname = str(node) if self.identify and not stated.stated else stated.hostname
        return msgspec.structs.replace(stated, address=address.rstrip("/"), hostname=hostname)


def read_machines(path: Path) -> Mapping[NodeName, Machine]:
    """The map file: `node: {address, serial, uuid, hostname, system}`.

    Raises:
        RefusedError: when it cannot be read or does not fit, with file, line and column.
    """
    read = load_config(path, dict[str, Machine])
    return {NodeName(name): machine for name, machine in read.items()}


def address_mistake(address: str, *, may_be_plain: bool) -> str:
    """What is wrong with the address of a BMC, or the template of addresses; empty when nothing is."""
    try:
        parts = urlsplit(address.replace(_NODE, "node"))
        port = parts.port
    except ValueError as error:
        return f"an address such as https://gpu-1-bmc, not one with {error}"
    if parts.scheme not in {"https", "http"} or not parts.hostname or port == 0:
        return "an address such as https://gpu-1-bmc"
    if parts.username is not None or parts.password is not None:
        return "an address without a user and a password: these belong into the credentials file"
    if parts.path.strip("/") or parts.query or parts.fragment:
        return "nothing after the host and the port"
    if parts.scheme == "http" and not may_be_plain:
        return "https: over http the password can be read by anybody on the way"
    return ""


def _same_word(stated: str, told: str) -> bool:
    return stated.strip().casefold() == told.strip().casefold()


def _same_uuid(stated: str, told: str) -> bool:
    return _same_word(stated.replace("-", ""), told.replace("-", ""))


def _same_host(stated: str, told: str) -> bool:
    """Equal, or one of them without the domain that the other has."""
    ours, _, our_domain = stated.strip().casefold().partition(".")
    theirs, _, their_domain = told.strip().casefold().partition(".")
    same_domain = not our_domain or not their_domain or our_domain == their_domain
    return bool(theirs) and ours == theirs and same_domain


_ALIKE = {"serial": _same_word, "uuid": _same_uuid, "hostname": _same_host}
