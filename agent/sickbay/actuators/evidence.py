"""Collect what is known of a fault before a repair destroys it. Nothing here calls the driver.

A piece that cannot be had is missing from the bundle with its reason in `missing.json`; it never costs the
others, and the whole has a deadline: a host that is too sick to be described is repaired all the same.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from sickbay.core.host_views import HostView
from sickbay.core.messages import Directive, Event
from sickbay.core.outcomes import Outcome
from sickbay.host.blocking import in_thread
from sickbay.host.evidence_files import Bundle, EvidenceFolder, Piece
from sickbay.host.kmsg import KernelLogUnavailableError
from sickbay.host.processes import holders
from sickbay.host.spool_records import encoded


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What the agent knows at this moment. `missing` says what could not be had, and why."""

    view: HostView
    events: tuple[Event, ...]
    config: bytes
    missing: dict[str, str]


class EvidenceError(Exception):
    """No bundle could be kept; `str()` says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectEvidence:
    """`findings` tells what the agent knows, `kernel_lines` reads the log anew. `deadline` in seconds."""

    findings: Callable[[], Awaitable[Findings]]
    kernel_lines: Callable[[], bytes]
    folder: EvidenceFolder
    deadline: float = 20.0

    async def perform(self, directive: Directive) -> Outcome:
        """DONE with the bundle's path; FAILED when none could be kept."""
        try:
            bundle = await self.collect(directive.target or directive.grant.action_id)
        except EvidenceError as error:
            return Outcome.failed(str(error))
        cut = f", cut to fit: {', '.join(bundle.cut)}" if bundle.cut else ""
        return Outcome.done(f"{bundle.path} ({bundle.size} bytes{cut})")

    async def collect(self, name: str) -> Bundle:
        """A fresh bundle called `name`; EvidenceError when the disk refuses or the deadline passes."""
        found = await self.findings()
        try:
            return await in_thread(
                lambda: self.folder.write(name, self._pieces(found)),
                deadline=self.deadline,
                name="evidence",
            )
        except TimeoutError as error:
            raise EvidenceError(f"collecting evidence took longer than {self.deadline:g} s") from error
        except OSError as error:
            raise EvidenceError(f"no evidence could be kept in {self.folder.root}: {error}") from error

    def _pieces(self, found: Findings) -> list[Piece]:
        """In order of worth: what does not fit any more is at the end."""
        missing = dict(found.missing)
        view = found.view
        pieces = [
            _piece("conditions.json", view.conditions),
            _piece("inventory.json", view.inventory),
            _piece("readings.json", view.readings),
            _piece(
                "agent.json",
                {
                    "node": view.node,
                    "boot_id": view.boot_id,
                    "version": view.version,
                    "health": view.health.value,
                    "summary": view.summary,
                    "monitors": view.monitors,
                    "rules_digest": view.rules_digest,
                    "at": view.at,
                },
            ),
            _piece("events.json", found.events),
            Piece(name="config.yaml", content=found.config),
        ]
        self._add_holders(pieces, missing)
        self._add_kernel_log(pieces, missing)
        if missing:
            pieces.insert(0, _piece("missing.json", missing))
        return pieces

    @staticmethod
    def _add_holders(pieces: list[Piece], missing: dict[str, str]) -> None:
        try:
            pieces.append(_piece("holders.json", holders()))
        except OSError as error:
            missing["holders.json"] = str(error)

    def _add_kernel_log(self, pieces: list[Piece], missing: dict[str, str]) -> None:
        try:
            pieces.append(Piece(name="kernel.log", content=self.kernel_lines()))
        except KernelLogUnavailableError as error:
            missing["kernel.log"] = str(error)


def _piece(name: str, content: object) -> Piece:
    return Piece(name=name, content=msgspec.json.format(encoded(content), indent=1) + b"\n")
