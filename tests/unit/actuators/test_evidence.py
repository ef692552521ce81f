"""Evidence: what can be had is kept, what cannot is said, and nothing waits for ever."""

import json
import threading
from pathlib import Path

import pytest
from tests.fakes.operations import host
from tests.fakes.words import a_directive

from sickbay.actuators.evidence import CollectEvidence, EvidenceError, Findings
from sickbay.core.messages import Verb
from sickbay.core.outcomes import Verdict
from sickbay.host.evidence_files import EvidenceFolder
from sickbay.host.kmsg import Blindness, KernelLogUnavailableError


async def findings() -> Findings:
    return Findings(view=host(), events=(), config=b"{}\n", missing={})


def collector(
    folder: Path, kernel_lines: object = lambda: b"[1.0] a line\n", deadline: float = 20.0
) -> CollectEvidence:
    return CollectEvidence(
        findings=findings,
        kernel_lines=kernel_lines,  # type: ignore[arg-type]
        folder=EvidenceFolder(root=folder),
        deadline=deadline,
    )


async def test_a_bundle_says_where_it_is(tmp_path: Path) -> None:
    outcome = await collector(tmp_path).perform(
        a_directive("rem-1/0/collect_evidence", verb=Verb.COLLECT_EVIDENCE)
    )
    assert outcome.verdict is Verdict.DONE
    path = Path(outcome.detail.partition(" (")[0])
    assert path.name == "rem-1-0-collect_evidence"
    assert (path / "kernel.log").read_text() == "[1.0] a line\n"
    assert json.loads((path / "agent.json").read_text())["node"] == "n1"


async def test_a_kernel_log_that_cannot_be_read_costs_only_itself(tmp_path: Path) -> None:
    def refused() -> bytes:
        raise KernelLogUnavailableError(Blindness.DENIED, "/dev/kmsg")

    bundle = await collector(tmp_path, refused).collect("x")
    assert "permission denied" in json.loads((bundle.path / "missing.json").read_text())["kernel.log"]
    assert (bundle.path / "conditions.json").exists()


async def test_a_disk_that_refuses_is_failed_with_its_reason(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    outcome = await collector(blocked).perform(a_directive(verb=Verb.COLLECT_EVIDENCE))
    assert outcome.verdict is Verdict.FAILED
    assert str(blocked) in outcome.detail


async def test_a_source_that_hangs_ends_at_the_deadline(tmp_path: Path) -> None:
    release = threading.Event()

    def hang() -> bytes:
        release.wait()
        return b""

    with pytest.raises(EvidenceError, match="took longer"):
        await collector(tmp_path, hang, deadline=0.05).collect("x")
    release.set()
