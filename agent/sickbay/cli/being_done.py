"""What a coordinator says that it does about one host: asked on the side, and never in the way."""

from sickbay.core.host_views import HostView

_LOCAL = ("127.", "localhost:", "[::1]:", "unix:")
_MOST = 5
_PATIENCE = 1.0
"""Seconds; the host's own answer stands on the screen's upper half already."""


def whom_to_ask(view: HostView, named: str | None) -> str:
    """The coordinator that was named, else the agent's own where it is on this machine; empty for none.

    The agent's own connection may be encrypted with keys that are not ours, so one elsewhere has to be named.
    """
    if named:
        return named
    return view.coordinator if view.coordinator.startswith(_LOCAL) else ""


def being_done(view: HostView, target: str, *, insecure: bool = False) -> tuple[str, ...]:
    """A sentence an open incident of the host; one that says why where the coordinator does not answer."""
    # Only who has something wrong, and a coordinator, pays for loading these.
    from sickbay.cli.incident_story import next_of  # noqa: PLC0415 - as above
    from sickbay.rpc.fleet_client import FleetClient  # noqa: PLC0415 - as above
    from sickbay.rpc.questions import Refused, Unreachable  # noqa: PLC0415 - as above
    from sickbay.rpc.serving import BadAddress, Security  # noqa: PLC0415 - as above

    security = Security(insecure_plaintext_off_host=insecure)
    try:
        with FleetClient(target, timeout=_PATIENCE, security=security) as client:
            found = [each for each in client.node(view.node).incidents if each.is_open]
            told = [(each, next_of(client.incident(each.id))) for each in found[:_MOST]]
    except (Unreachable, Refused, BadAddress) as error:
        return (f"not known: {error}",)
    more = (f"and {len(found) - _MOST} more incidents",) if len(found) > _MOST else ()
    lines = (f"{each.severity.value} {each.id} {each.reason}: {then}" for each, then in told)
    return (*lines, *more) or ("it has no open incident of this host",)
