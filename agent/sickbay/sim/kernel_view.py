"""What the kernel of a simulated node says beside its driver: never what this machine's own kernel says.

The bus holds the GPUs of the profile. A GPU that the driver does not list (`missing`) is still on it, unless
the fault says `off_bus`. Processes come from the node's own tree, `host/proc`, where it has one; elsewhere
those of the profile live, and every other one is dead.
"""

from __future__ import annotations

from sickbay.core.devices import normalise_pci
from sickbay.host.driver_versions import DriverVersions
from sickbay.host.job_of_process import Processes, ProcessView
from sickbay.host.kernel_view import KernelView
from sickbay.host.pci_devices import PciGpu, PciView
from sickbay.sim import faults
from sickbay.sim.node_dir import FaultsInView, NodeDir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any


class SimulatedKernel:
    """`KernelSide` of one simulated node."""

    def __init__(self, node: NodeDir) -> None:
        self._node = node
        self._faults = FaultsInView(node)
        proc = node.path / "host" / "proc"
        self._processes = Processes(proc) if proc.is_dir() else None

    def look(self, pids: Collection[int]) -> KernelView:
        """See KernelSide."""
        profile = self._node.read_profile()
        version = str(profile["driver_version"])
        ordered = sorted(profile["gpus"], key=lambda gpu: str(gpu["pci"]))
        return KernelView(
            pci=PciView(gpus=tuple(_gpu(gpu) for slot, gpu in enumerate(ordered) if not self._is_off(slot))),
            driver=DriverVersions(loaded=True, module=version, library=self._library(version)),
            processes=self._look_at(pids, ordered),
        )

    def _look_at(self, pids: Collection[int], gpus: Sequence[Mapping[str, Any]]) -> Mapping[int, ProcessView]:
        if self._processes is not None:
            return self._processes.look(pids)
        lists = (gpu["values"].get(name, ()) for gpu in gpus for name in ("compute_pids", "mps_pids"))
        living = {pid for pids_of_gpu in lists for pid in pids_of_gpu}
        return {pid: ProcessView(exists=pid in living) for pid in pids if pid > 0}

    def _library(self, module: str) -> str:
        mismatch = [record for record in self._active() if record["fault"] == "driver_mismatch"]
        return str(mismatch[-1]["library"]) if mismatch else module

    def _is_off(self, slot: int) -> bool:
        return any(record["gpu"] == slot and record.get("off_bus") for record in self._active())

    def _active(self) -> list[Mapping[str, Any]]:
        records, now = self._faults.look(), self._faults.uptime()
        return [record for record in records if faults.is_active(record, now)]


def _gpu(gpu: Mapping[str, Any]) -> PciGpu:
    device = str(gpu["values"].get("pci_device_id", "")).removeprefix("0x")[:4].lower()
    return PciGpu(pci=normalise_pci(gpu["pci"]) or gpu["pci"], device=device, driver="nvidia")
