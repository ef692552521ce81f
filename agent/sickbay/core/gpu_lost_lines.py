"""Lines that mean a lost GPU without any Xid.

The driver prints them even where the Xid is suppressed (osinit.c, branch 595), and at probe time it has no
Xid to print at all.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from sickbay.core.devices import normalise_pci

_PCI = r"([0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}(?:\.[0-7])?)"
_DEVICE = r"(?: \(PCI ID: ([0-9a-fA-F]{4}:[0-9a-fA-F]{4})\))?"

# NVRM: GPU 0000:18:00.0: GPU has fallen off the bus.
# NVRM: GPU at 0000:18:00.0 has fallen off the bus.
# NVRM: GPU has fallen off the bus.
_LOST = re.compile(r"NVRM: (?:GPU " + _PCI + r": GPU|GPU at " + _PCI + r"|GPU) has fallen off the bus\.?")

# NVRM: The NVIDIA GPU 0000:18:00.0
# NVRM: (PCI ID: 10de:2330) installed in this system has
# NVRM: fallen off the bus and is not responding to commands.
_SUBJECT = re.compile(r"The NVIDIA GPU " + _PCI + _DEVICE + " ?")
_SENTENCE = "installed in this system has fallen off the bus and is not responding to commands."
_PATIENCE = 8
"""Lines of the driver, its own sentence included, after which an unfinished sentence is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuLostLine:
    """The driver found a GPU gone from the bus.

    `pci` has the form `0000:1b:00` and is empty where the driver did not say which GPU; `device` is its PCI
    vendor and device id where the driver said so.
    """

    pci: str
    at_probe: bool = False
    device: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeLoss:
    """The beginning of the probe-time sentence, and how many of the driver's lines ago it began."""

    words: str
    lines: int = 1


@lru_cache(maxsize=64)
def parse_gpu_lost(text: str) -> GpuLostLine | None:
    """A lost GPU that one record tells whole; None for anything else. See `follow_probe` for the rest."""
    match = _LOST.fullmatch(text)
    if match is not None:
        return GpuLostLine(pci=normalise_pci(match[1] or match[2] or "") or "")
    return _whole(_words(text)) if text.startswith("NVRM: The NVIDIA GPU ") else None


def follow_probe(pending: ProbeLoss | None, text: str) -> tuple[ProbeLoss | None, GpuLostLine | None]:
    """Join the probe-time sentence over records: what is still open after this one, or the loss it completes.

    The driver prints it with line breaks, at places that differ between branches. A record that does not go
    on with the sentence leaves it open for a while, because other lines of the driver may fall between.
    """
    if text.startswith("NVRM: The NVIDIA GPU "):
        words = _words(text)
        return (ProbeLoss(words=words) if _goes_on(words) else None), None
    if pending is None or not text.startswith("NVRM: "):
        return pending, None
    words = f"{pending.words} {_words(text)}"
    lost = _whole(words)
    if lost is not None:
        return None, lost
    if pending.lines >= _PATIENCE:
        return None, None
    return ProbeLoss(words=words if _goes_on(words) else pending.words, lines=pending.lines + 1), None


def _words(text: str) -> str:
    """The sentence of a record: without the driver's name on each line, and in one line."""
    return " ".join(text.replace("NVRM: ", " ").split())


def _whole(words: str) -> GpuLostLine | None:
    subject = _SUBJECT.match(words)
    if subject is None or words[subject.end() :].rstrip(".") != _SENTENCE.rstrip("."):
        return None
    return GpuLostLine(pci=normalise_pci(subject[1]) or "", at_probe=True, device=(subject[2] or "").lower())


def _goes_on(words: str) -> bool:
    subject = _SUBJECT.match(words)
    if subject is None:
        return False
    rest = words[subject.end() :]
    return _SENTENCE.startswith(rest) and rest != _SENTENCE
