"""What the driver answered, kept as a profile: a host that the simulator can start from."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from sickbay.core.outcomes import Outcome
from sickbay.host.nvml.profile import as_json, record_profile
from sickbay.host.nvml.readings import GpuState, NvmlEvent, Sweep
from sickbay.host.nvml.source import NvmlSource
from sickbay.node.ports import Ports


class NothingToRecordError(Exception):
    """No GPU answered; the message says why."""


@dataclass(slots=True)
class Recording:
    """Hears what the driver answers through the ports that `over` gives, and keeps the last of it."""

    ports: Ports
    sweeps: list[Sweep] = field(default_factory=list)

    def over(self) -> Ports:
        """The same ports, with every sweep of the driver heard."""
        connect = self.ports.gpus
        if connect is None:
            return self.ports

        def heard(on_event: Callable[[NvmlEvent], None], known: Iterable[str]) -> NvmlSource:
            return _Heard(connect(on_event, known), self.sweeps)

        return replace(self.ports, gpus=heard)

    def write(self, file: Path) -> None:
        """Write the profile. NothingToRecordError when no GPU answered; OSError when it cannot be written."""
        sweep = self.sweeps[-1] if self.sweeps else None
        names = [gpu.text("name") for gpu in sweep.gpus if gpu.state is GpuState.READ] if sweep else []
        if sweep is None or not names:
            why = sweep.unavailable.reason if sweep is not None and sweep.unavailable else "none is watched"
            raise NothingToRecordError(f"no GPU answered, so there is nothing to record: {why}")
        about = f"{len(names)} x {names[0]}, recorded by sickbay-agent"
        # What a simulated driver answered was never measured, however often it is recorded.
        is_real = self.ports.nvml_name != "simulated"
        day = datetime.fromtimestamp(sweep.at.wall, UTC).date().isoformat() if is_real else ""
        file.write_bytes(as_json(record_profile(sweep, about=about, day=day)))


class _Heard:
    """A source whose sweeps are kept; otherwise the source itself."""

    __slots__ = ("_kept", "_source")

    def __init__(self, source: NvmlSource, kept: list[Sweep]) -> None:
        self._source = source
        self._kept = kept

    async def sweep(self, *, everything: bool = False) -> Sweep:
        """See NvmlSource."""
        sweep = await self._source.sweep(everything=everything)
        self._kept[:] = [sweep]
        return sweep

    def leave_out(self, pci: str, because: str) -> None:
        """See NvmlSource."""
        self._source.leave_out(pci, because)

    async def release(self, seconds: float) -> Outcome:
        """See NvmlSource."""
        return await self._source.release(seconds)

    async def resume(self) -> None:
        """See NvmlSource."""
        await self._source.resume()

    async def close(self) -> None:
        """See NvmlSource."""
        await self._source.close()
