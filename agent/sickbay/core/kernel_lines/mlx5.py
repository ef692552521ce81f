"""NVIDIA network adapters (mlx5): cables, links, firmware that reports trouble or no longer answers.

Sources, 5.4 to 6.12: drivers/net/ethernet/mellanox/mlx5/core/events.c (`port_module`, `temp_warn`), health.c
(`poll_health`, `print_health_info`, `mlx5_health_try_recover`), cmd.c (`wait_func`), en_main.c
(`mlx5e_update_carrier`), drivers/infiniband/core/cache.c (port states, 6.14; earlier in NVIDIA's own driver
packages). A link that is down while a host boots, or that nobody has plugged in, is no fault: only
what happens is said here, and the state of a port is what sysfs says.
"""

import re
from types import MappingProxyType

from sickbay.core.kernel_lines.line import Family, KernelLine

_PCI = r"(?P<device>[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])"
_CORE = re.compile(
    r"mlx5_core " + _PCI + r": (?:\w{1,60}:\d{1,5}:\(pid \d{1,10}\): )?(?P<rest>.{1,500})",
    re.ASCII | re.DOTALL,
)

# mlx5_core 0000:1a:00.0 ens1f0np0: Link up
_NETDEV = re.compile(r"mlx5_core " + _PCI + r" (?P<name>[\w.-]{1,40}): Link (?P<state>up|down)", re.ASCII)
# mlx5_core 0000:0a:00.0 mlx5_0: Port: 1 Link DOWN
# mlx5_0: Port: 1 Link ACTIVE
_RDMA = re.compile(
    r"(?:mlx5_core " + _PCI + r" |infiniband )?(?P<name>[a-z]\w{1,40}): Port: (?P<port>\d{1,3}) "
    r"Link (?P<state>NOP|DOWN|INIT|ARMED|ACTIVE|ACTIVE_DEFER)",
    re.ASCII,
)
_STATES = {"up": "link_up", "ACTIVE": "link_up", "down": "link_down", "DOWN": "link_down"}

# Port module event: module 0, Cable unplugged
# Port module event[error]: module 1, Cable error, High Temperature
_MODULE = re.compile(
    r"Port module event(?P<error>\[error\])?: module (?P<port>\d{1,3}), (?P<what>[\w /()-]{1,60})"
    r"(?:, (?P<why>.{1,100}))?",
    re.ASCII,
)

_MESSAGES = (
    # device's health compromised - reached miss count
    (re.compile(r"device's health compromised - reached miss count"), "unresponsive"),
    # Fatal error 1 detected
    (re.compile(r"Fatal error \d{1,5} detected", re.ASCII), "fatal_error"),
    # PCI slot is unavailable
    (re.compile(r"PCI slot is unavailable"), "unresponsive"),
    # Health issue observed, firmware internal error, severity(3) ERROR:
    (re.compile(r"Health issue observed, .{1,100}, severity\(\d\) \w{1,20}:?", re.ASCII), "health_issue"),
    # health recovery flow aborted, PCI reads still not working
    (re.compile(r"health recovery (?:flow aborted.{0,100}|failed.{0,100})"), "recovery_failed"),
    # health recovery succeeded
    (re.compile(r"health recovery succeeded"), "recovered"),
    # High temperature on sensors with bit set 0 1
    (re.compile(r"High temperature on sensors with bit set .{1,60}"), "high_temperature"),
    # ACCESS_REG(0x805) timeout. Will cause a leak of a command resource
    (re.compile(r"\w{1,60}\(0x[0-9a-f]{1,4}\) timeout\. Will cause a leak of a command resource"), "timeout"),
)


def parse(text: str) -> KernelLine | None:
    """Something that happened to an mlx5 adapter or to a port of it; None for anything else."""
    if (match := _NETDEV.fullmatch(text) or _RDMA.fullmatch(text)) is not None:
        return _link(match)
    core = _CORE.fullmatch(text)
    if core is None:
        return None
    device, rest = core["device"], core["rest"].rstrip()
    if (match := _MODULE.fullmatch(rest)) is not None:
        return _module(device, match)
    what = next((what for pattern, what in _MESSAGES if pattern.fullmatch(rest) is not None), None)
    return None if what is None else _line(device, what, device=device, message=rest)


def _link(match: re.Match[str]) -> KernelLine | None:
    what = _STATES.get(match["state"])
    if what is None:
        return None
    said = match.groupdict()
    port = said.get("port")
    name = match["name"] if port is None else f"{match['name']}/{port}"
    return _line(name, what, device=match["device"], interface=match["name"], port=port)


def _module(device: str, match: re.Match[str]) -> KernelLine:
    what = "cable_error" if match["error"] else match["what"].strip().lower().replace(" ", "_")
    return _line(device, what, device=device, port=match["port"], message=match["why"] or match["what"])


def _line(
    part: str,
    what: str,
    *,
    device: str | None,
    interface: str | None = None,
    port: str | None = None,
    message: str | None = None,
) -> KernelLine:
    fields = {
        "what": what,
        "device": device,
        "interface": interface,
        "port": None if port is None else int(port),
        "message": message,
    }
    return KernelLine(
        kind="adapter_event",
        part=part,
        fields=MappingProxyType(fields),
        detail=(what, port),
    )


FAMILY = Family(parse=parse, starts=(b"mlx5_", b"infiniband mlx5_"))
