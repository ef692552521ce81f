"""One GPU that was left out, asked alone: a worker that hangs over it costs the other GPUs nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sickbay.host.nvml.catalogue import describe_code
from sickbay.host.nvml.exclusions import Cause, Exclusions
from sickbay.host.nvml.left_behind import LeftBehind
from sickbay.host.nvml.readings import GpuState, Hang
from sickbay.host.nvml.sweeping import state_of
from sickbay.host.nvml.worker_process import HungError, WorkerGoneError, WorkerProcess


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came of one try: the GPU is `well`, or ill for `cause` (None: nothing was learnt of it)."""

    target: str
    well: bool = False
    cause: Cause | None = None
    because: str = ""
    hang: Hang | None = None

    def applied_to(self, out: Exclusions, now: float) -> Exclusions:
        """What is left out after this try. Unchanged when the GPU is not left out any more."""
        if self.target not in out:
            return out
        if self.well:
            return out.take_back(self.target)
        if self.cause is None:
            return out.postpone(self.target, now)
        return out.leave_out(self.target, cause=self.cause, because=self.because, now=now, hang=self.hang)


async def probe(
    target: str,
    *,
    spawn: Callable[[], WorkerProcess],
    left: LeftBehind,
    groups: Sequence[str],
) -> Finding:
    """Read one GPU in a worker of its own, which is gone or given up afterwards."""
    try:
        worker = spawn()
    except WorkerGoneError as error:
        return Finding(target=target, because=error.detail)
    part = left.abandon
    try:
        await worker.started()
        answer = await worker.sweep([target], groups=groups, events=False)
        part = left.part
    except HungError as error:
        about_it = error.look is not None and error.look.gpu is not None
        hang = Hang(call=error.call, waited=error.waited) if about_it else None
        cause = Cause.HUNG if about_it else None
        return Finding(target=target, cause=cause, because=error.detail, hang=hang)
    except WorkerGoneError as error:
        return Finding(target=target, because=error.detail)
    finally:
        part(worker)
    return _judged(target, answer.gpus[0].code)


def _judged(target: str, code: int) -> Finding:
    state = state_of(code)
    if state is GpuState.LOST:
        return Finding(target=target, cause=Cause.LOST, because=describe_code(code))
    # A GPU that the driver does not list is safe to ask for again, and so belongs back into the sweeps.
    return Finding(target=target, well=state is not GpuState.UNSEEN, because=describe_code(code))
