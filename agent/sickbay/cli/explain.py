"""`sickbay explain`: why, of an incident, a condition, an event, a kernel line or an Xid."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sickbay.cli.options import (
    Coordinator,
    coordinator_at,
    coordinator_option,
    examples,
    output_option,
    socket_option,
)
from sickbay.cli.output import EXIT_UNREACHABLE, Plain, emit, fail, plain
from sickbay.core.ids import IncidentId
from sickbay.host.clock import SystemClock
from sickbay.rpc.questions import Refused, Unreachable

if TYPE_CHECKING:
    from sickbay.core.explanations import Account
    from sickbay.core.views import IncidentDetail

_XID = re.compile(r"xid[ _-]?(\d{1,5})", re.IGNORECASE | re.ASCII)


@click.command(
    epilog=examples(
        "sickbay explain inc-0123456789ab",
        "sickbay explain GpuFallenOffBus",
        'sickbay explain "NVRM: Xid (PCI:0000:1b:00): 79, GPU has fallen off the bus."',
        "sickbay explain xid 79",
    )
)
@click.argument("what", nargs=-1, required=True)
@socket_option
@coordinator_option
@output_option
def explain(*, what: tuple[str, ...], socket: Path | None, coordinator: Coordinator, form: str) -> None:
    """Why: what it rests on, which rule, what every gate said, what comes next and when.

    WHAT is an incident's id (asked of the coordinator); or a condition's type, a part, an event's id or
    number (asked of this host's agent); or a kernel line as you find it, or an Xid, which ask nobody.
    """
    asked = " ".join(what).strip()
    if asked.startswith("inc-"):
        _incident(asked, coordinator, form)
    elif (xid := _XID.fullmatch(asked)) is not None:
        _shown(*_of_xid(int(xid[1])), form)
    else:
        said, data = _of_host(asked, socket)
        _shown(*_with_gates(said, data, coordinator), form)


def _incident(ident: str, coordinator: Coordinator, form: str) -> None:
    # The story of an incident needs the fleet's values, which a kernel line does without.
    from sickbay.cli.incident_story import next_of, tell  # noqa: PLC0415 - as above

    with coordinator_at(coordinator) as client:
        detail = client.incident(IncidentId(ident))
    value = plain(detail)
    if isinstance(value, dict):
        value["next"] = next_of(detail)
    emit(value, form, lambda: tell(detail, SystemClock().now().wall))


def _shown(text: str, data: Plain, form: str) -> None:
    emit(data, form, lambda: click.echo(text))


def _of_host(what: str, socket: Path | None) -> tuple[str, Plain]:
    """The agent's answer; a kernel line is explained here when no agent answers."""
    from sickbay.core.log_forms import bare_text  # noqa: PLC0415 - only the host's questions need it
    from sickbay.rpc.node_client import DEFAULT_SOCKET, NodeClient  # noqa: PLC0415 - as above

    asked = bare_text(what) or what
    try:
        with NodeClient(socket or DEFAULT_SOCKET) as client:
            text, data = client.explain(asked)
    except Refused as error:
        fail(str(error))
    except Unreachable as error:
        if " " not in asked:
            fail(f"{error} (--socket PATH)", code=EXIT_UNREACHABLE)
        click.echo("no agent answers here: explained by the built-in rules alone", err=True)
        account = _of_line(asked)
        return account.text, plain(account.data)
    return text, json.loads(data)


def _with_gates(said: str, data: Plain, coordinator: Coordinator) -> tuple[str, Plain]:
    """A condition of this host with what the coordinator makes of it; nobody need answer there."""
    if not isinstance(data, dict) or data.get("kind") != "condition" or data.get("status") != "True":
        return said, data
    incident, otherwise = _incident_of(str(data.get("node")), str(data.get("key")), coordinator)
    if incident is None:
        return f"{said}\n  {otherwise}", {**data, "incident": None, "coordinator": otherwise}
    from sickbay.cli.incident_story import gates_told, next_of  # noqa: PLC0415 - only with an incident

    follows = next_of(incident)
    lines = [f"incident: {incident.incident.id}", *gates_told(incident.incident.decision), f"next: {follows}"]
    gates = plain(incident.incident.decision)
    more: dict[str, Plain] = {"incident": incident.incident.id, "gates": gates, "next": follows}
    return "\n".join((said, *(f"  {line}" for line in lines if line))), {**data, **more}


def _incident_of(node: str, key: str, coordinator: Coordinator) -> "tuple[IncidentDetail | None, str]":
    """The open incident that a condition of a node belongs to, or why there is none to tell of."""
    from sickbay.core.ids import NodeName  # noqa: PLC0415 - only for a condition
    from sickbay.rpc.fleet_client import DEFAULT_TARGET, FleetClient  # noqa: PLC0415 - as above
    from sickbay.rpc.serving import BadAddress, Security  # noqa: PLC0415 - as above

    security = Security(insecure_plaintext_off_host=coordinator.insecure)
    try:
        with FleetClient(coordinator.target or DEFAULT_TARGET, security=security, timeout=1.0) as client:
            found = [i for i in client.incidents(node=NodeName(node)) if i.is_open and key in i.conditions]
            return (client.incident(found[0].id), "") if found else (None, "no incident rests on it")
    except (Unreachable, Refused, BadAddress) as error:
        return None, f"what the gates say is not known: {error}"


def _of_line(line: str) -> "Account":
    """What an agent with the built-in rules would make of the line."""
    # Rules load CEL and YAML: half a second that only this question is worth.
    from sickbay.core.devices import Inventory  # noqa: PLC0415 - as above
    from sickbay.core.explanations import explain_nothing, explain_signals  # noqa: PLC0415 - as above
    from sickbay.core.ids import BootId  # noqa: PLC0415 - as above
    from sickbay.core.kernel_records import KERN, KernelRecord  # noqa: PLC0415 - as above
    from sickbay.host.rule_files import load_rules  # noqa: PLC0415 - as above
    from sickbay.monitors import kernel_log  # noqa: PLC0415 - as above
    from sickbay.monitors.xid import Seen  # noqa: PLC0415 - as above

    seen = Seen(boot_id=BootId("unknown"), now=SystemClock().now(), inventory=Inventory())
    record = KernelRecord(facility=KERN, level=0, sequence=0, usec=0, text=line)
    signals = kernel_log.observe(kernel_log.KernelLogState(), [record], seen).signals
    return explain_signals(signals, load_rules().rules) if signals else explain_nothing(line)


def _of_xid(code: int) -> tuple[str, Plain]:
    """The catalogue's entry."""
    from sickbay.core.xids import lookup  # noqa: PLC0415 - the catalogue is for this question only

    xid = lookup(code)
    lines = (
        f"Xid {code}: {xid.name}",
        f"  class: {xid.klass.value}",
        f"  NVIDIA's immediate action: {xid.action.value}; to investigate: {xid.investigate.value}",
        f"  {xid.because}" if xid.because else "",
        f"  {xid.notes}" if xid.notes else "",
        f"  source: {xid.source}" if xid.source else "",
    )
    return "\n".join(line for line in lines if line), plain(xid)
