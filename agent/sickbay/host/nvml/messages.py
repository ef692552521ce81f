"""The worker's messages as types: anything else than these is a broken worker, not a reading."""

import msgspec

from sickbay.host.nvml.framing import BrokenFrameError


class Started(msgspec.Struct, frozen=True, tag="started", tag_field="kind"):
    """NVML is initialised; `count` GPUs are listed."""

    driver: str
    nvml: str
    count: int


class Failed(msgspec.Struct, frozen=True, tag="failed", tag_field="kind"):
    """NVML could not be initialised: `call` returned `code`."""

    call: str
    code: int


class SweptGpu(msgspec.Struct, frozen=True):
    """One GPU's answers. `code` is not 0 when the GPU could not be opened or is lost."""

    target: str
    pci: str | None
    code: int
    values: dict[str, int | float | str | list[int | None]]
    codes: dict[str, int]


class Swept(msgspec.Struct, frozen=True, tag="sweep", tag_field="kind"):
    """The answer to one request. `calls` maps a call to (count, total ns, longest ns)."""

    id: int
    count: int | None
    gpus: list[SweptGpu]
    calls: dict[str, tuple[int, int, int]]


class Happened(msgspec.Struct, frozen=True, tag="event", tag_field="kind"):
    """The driver delivered an event, at `at_ns` on CLOCK_MONOTONIC."""

    pci: str | None
    type: int
    data: int
    gpu_instance: int
    compute_instance: int
    at_ns: int


class Deaf(msgspec.Struct, frozen=True, tag="deaf", tag_field="kind"):
    """Waiting for events failed with `code`."""

    code: int


class Broken(msgspec.Struct, frozen=True, tag="broken", tag_field="kind"):
    """The worker itself has a defect; `text` is the last line of its traceback and where it was."""

    text: str


Message = Broken | Started | Failed | Swept | Happened | Deaf

_DECODER = msgspec.json.Decoder(Message)


def decode(body: bytes) -> Message:
    """One message; BrokenFrameError when it is none of ours."""
    try:
        message: Message = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BrokenFrameError(f"no message of a worker: {error}") from error
    return message
