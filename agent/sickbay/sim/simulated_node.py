"""Simulated nodes as others handle them: made, hurt, rebooted. What they consist of is in node_dir.py."""

import json
import time
import uuid
from pathlib import Path

from sickbay.core.ids import BootId
from sickbay.host.nvml.profile import Profile, load_profile, renamed
from sickbay.sim.fault_printing import print_due
from sickbay.sim.known_profiles import USUAL, profile_file
from sickbay.sim.node_dir import NodeDir
from sickbay.sim.scenario import Fault, Scenario, as_record

H100X8 = profile_file(USUAL)
"""Eight H100 SXM5 as in a DGX H100, healthy and idle."""


def create_node(
    path: Path,
    *,
    profile: Profile | Path | str = USUAL,
    scenario: Scenario | None = None,
    salt: str = "",
) -> NodeDir:
    """Make a node in an empty or missing folder, booted just now, with nothing yet gone wrong.

    `profile` is one of known_profiles.profile_names(), or a file or a value of one's own. `salt` gives its
    GPUs UUIDs and serial numbers of their own, so that two nodes of one profile differ.

    Raises:
        RefusedError: when the profile's file is none.
        UnknownProfileError: when nobody knows a profile of that name.
        FileExistsError: when there already is a node.
    """
    shape = _shape(profile)
    path.mkdir(parents=True, exist_ok=True)
    node = NodeDir(path)
    if node.profile.exists():
        raise FileExistsError(f"{path} holds a simulated node already")
    text = json.dumps((renamed(shape, salt) if salt else shape).for_simulation(), indent=1)
    node.profile.write_text(text, encoding="utf-8")
    _boot(node)
    faults = scenario.faults if scenario is not None else ()
    node.add_faults([as_record(fault, at=float(fault.at)) for fault in faults])
    return node


def _shape(profile: Profile | Path | str) -> Profile:
    if isinstance(profile, Profile):
        return profile
    return load_profile(profile if isinstance(profile, Path) else profile_file(profile))


def inject_fault(path: Path, fault: Fault) -> None:
    """Let something go wrong, `fault.at` seconds from now. The kernel log says so at once if it is due.

    ValueError when the node has no GPU in that slot.
    """
    node = NodeDir(path)
    gpus = len(node.read_profile()["gpus"])
    if fault.gpu is not None and fault.gpu >= gpus:
        raise ValueError(f"gpu: {fault.gpu}; the node has {gpus}, and slots count from 0")
    node.add_faults([as_record(fault, at=node.uptime() + float(fault.at))])
    print_due(path)


def reboot(path: Path) -> BootId:
    """The node comes up again: a new boot_id, an empty kernel log, and only faults that last for ever."""
    node = NodeDir(path)
    with node.locked():
        lasting = [{**record, "at": 0.0} for record in node.read_faults() if record["until"] == "never"]
        node.replace_faults(lasting)
        node.write_printed(set())
        boot_id = _boot(node)
    print_due(path)
    return boot_id


def reset_gpu(path: Path, gpu: int) -> None:
    """The GPU in a slot is reset: its faults that last until a reset are gone."""
    node = NodeDir(path)
    with node.locked():
        kept = [r for r in node.read_faults() if not (r["gpu"] == gpu and r["until"] == "reset")]
        node.replace_faults(kept)


def _boot(node: NodeDir) -> BootId:
    boot_id = BootId(str(uuid.uuid4()))
    node.kmsg.write_bytes(b"")
    node.epoch.write_text(f"{time.monotonic_ns() / 1e9}\n", encoding="ascii")
    fresh = node.boot_id.with_suffix(".new")
    fresh.write_text(f"{boot_id}\n", encoding="ascii")
    fresh.replace(node.boot_id)
    return boot_id
