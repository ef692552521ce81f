"""The agent killed with SIGKILL, at any point: nothing is lost, and nothing is told or done twice."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.fakes.gateway import FakeGateway, NodeRecord
from tests.support.agent_process import AgentProcess
from tests.support.waiting import until

from sickbay.core.ids import ActionId, BootId, NodeName
from sickbay.core.messages import ActionReport, Directive, Grant, Verb
from sickbay.core.outcomes import Verdict
from sickbay.core.signals import Signal
from sickbay.host.spool_records import READING, kind_of
from sickbay.rpc.coordinator_server import AgentService
from sickbay.rpc.serving import RpcServer

PAGE_FAULT = "NVRM: Xid (PCI:0000:1b:00): 31, pid={pid}, name=python, MMU Fault"


@pytest.fixture
def agent(tmp_path: Path) -> AgentProcess:
    return AgentProcess(tmp_path / "host")


@asynccontextmanager
async def coordinator(agent: AgentProcess) -> AsyncIterator[tuple[FakeGateway, NodeRecord]]:
    gateway = FakeGateway()
    server = RpcServer(["127.0.0.1:0"], [AgentService(gateway)])
    (address,) = await server.start()
    agent.changes["coordinators"] = [address]
    try:
        yield gateway, gateway.record("n1")
    finally:
        gateway.committing.set()
        await asyncio.to_thread(agent.stop)
        await server.stop(grace=0.0)


def xids(record: NodeRecord) -> list[str]:
    """Those of them that happened; a reading that was kept is told beside them."""
    return [
        event.id for event in record.events.values() if isinstance(event.what, Signal) and event.what.is_event
    ]


def happened(record: NodeRecord) -> list[str]:
    """Everything that came, however often, but the readings that a new process keeps anew."""
    return [event.id for event in record.received if kind_of(event.what) != READING]


def directive(
    action: str, verb: Verb = Verb.REBOOT, *, boot: str = "boot-1", lasts: float = 60.0
) -> Directive:
    grant = Grant(
        action_id=ActionId(action),
        node=NodeName("n1"),
        boot_id=BootId(boot),
        term=3,
        expires_at=time.time() + lasts,
    )
    return Directive(verb=verb, grant=grant)


async def answered(record: NodeRecord, action: str) -> ActionReport:
    def found() -> list[ActionReport]:
        return [report for report in record.reports if report.action_id == action]

    await until(found)
    return found()[-1]


async def test_events_that_were_sent_and_not_acknowledged_come_again_and_count_once(
    agent: AgentProcess,
) -> None:
    async with coordinator(agent) as (gateway, record):
        await asyncio.to_thread(agent.start)
        await until(lambda: record.connections == 1)
        gateway.committing.clear()
        sequences = [agent.prints(PAGE_FAULT.format(pid=pid)) for pid in range(5)]
        await until(lambda: agent.health().spooled_events >= 5)
        await asyncio.to_thread(agent.kill)
        gateway.committing.set()
        await asyncio.to_thread(agent.start)
        await until(lambda: agent.health().spooled_events == 0)
        assert sorted(xids(record)) == [f"boot-1/kmsg/{sequence}" for sequence in sequences]


async def test_lines_printed_while_it_is_killed_over_and_over_are_all_told_exactly_once(
    agent: AgentProcess,
) -> None:
    async with coordinator(agent) as (_, record):
        sequences: list[int] = []
        # Twelve in all: past sixteen of one code, an agent that reads all at one go counts the rest together.
        for round_ in range(4):
            await asyncio.to_thread(agent.start)
            sequences += [agent.prints(PAGE_FAULT.format(pid=round_ * 100 + n)) for n in range(3)]
            await asyncio.to_thread(agent.kill)
        await asyncio.to_thread(agent.start)
        await until(lambda: len(xids(record)) == len(sequences))
        await until(lambda: agent.health().spooled_events == 0)
        assert sorted(xids(record)) == sorted(f"boot-1/kmsg/{sequence}" for sequence in sequences)
        kept = Counter(event.id for event in agent.events())
        assert [ident for ident, times in kept.items() if times > 1] == []


async def test_open_conditions_survive_a_kill_and_are_not_told_as_new(agent: AgentProcess) -> None:
    async with coordinator(agent) as (_, record):
        await asyncio.to_thread(agent.start)
        agent.prints()
        await until(lambda: record.conditions and agent.health().spooled_events == 0)
        (before,) = record.conditions.values()
        received = happened(record)
        await asyncio.to_thread(agent.kill)
        record.conditions.clear()
        await asyncio.to_thread(agent.start)
        await until(lambda: record.conditions)
        assert list(record.conditions.values()) == [before]
        assert happened(record) == received


async def test_a_reboot_is_done_once_however_often_it_is_asked_for(
    agent: AgentProcess, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    script = f"open({str(ran)!r}, 'a').write('x')"
    agent.changes["actuators"] = {"reboot_command": [sys.executable, "-c", script]}
    async with coordinator(agent) as (_, record):
        await asyncio.to_thread(agent.start)
        await until(lambda: record.session)
        for _ in range(2):
            assert record.session is not None
            record.session.direct(directive("a1"))
            report = await answered(record, "a1")
            assert report.outcome.verdict is Verdict.DONE
            record.reports.clear()
        await asyncio.to_thread(agent.kill)
        await asyncio.to_thread(agent.start)
        await until(lambda: record.session and record.connections == 2)
        record.session.direct(directive("a1"))
        assert (await answered(record, "a1")).outcome.verdict is Verdict.DONE
        assert ran.read_text() == "x"


async def test_a_reboot_cut_short_by_a_kill_is_unknown_and_not_done_again(
    agent: AgentProcess,
    tmp_path: Path,
) -> None:
    ran, enough = tmp_path / "ran", tmp_path / "enough"
    script = (
        f"import os, time; open({str(ran)!r}, 'a').write('x')\n"
        f"while not os.path.exists({str(enough)!r}): time.sleep(0.02)"
    )
    agent.changes["actuators"] = {"reboot_command": [sys.executable, "-c", script]}
    async with coordinator(agent) as (_, record):
        await asyncio.to_thread(agent.start)
        await until(lambda: record.session)
        assert record.session is not None
        record.session.direct(directive("a1"))
        await until(ran.exists)
        await asyncio.to_thread(agent.kill)
        await asyncio.to_thread(agent.start)
        await until(lambda: record.session and record.connections == 2)
        record.session.direct(directive("a1"))
        report = await answered(record, "a1")
        assert report.outcome.verdict is Verdict.UNKNOWN
        assert "never recorded" in report.outcome.detail
        assert ran.read_text() == "x"
        enough.touch()


async def test_no_grant_that_is_not_for_here_and_now_is_obeyed(agent: AgentProcess, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    agent.changes["actuators"] = {"reboot_command": ["touch", str(ran)]}
    async with coordinator(agent) as (_, record):
        await asyncio.to_thread(agent.start)
        await until(lambda: record.session)
        assert record.session is not None
        refused = {
            "other-boot": directive("other-boot", boot="boot-0"),
            "expired": directive("expired", lasts=-1.0),
            "no-target": directive("no-target", Verb.RESET_GPU),
        }
        for action, asked in refused.items():
            record.session.direct(asked)
            assert (await answered(record, action)).outcome.verdict is Verdict.FAILED
        assert not ran.exists()
        words = {report.action_id: report.outcome.detail for report in record.reports}
        assert "another boot" in words[ActionId("other-boot")]
        assert "no list of PCI addresses" in words[ActionId("no-target")]


async def test_evidence_and_a_sweep_are_given_when_asked_for(agent: AgentProcess) -> None:
    async with coordinator(agent) as (_, record):
        await asyncio.to_thread(agent.start)
        await until(lambda: record.session)
        assert record.session is not None
        record.session.direct(directive("e1", Verb.COLLECT_EVIDENCE))
        report = await answered(record, "e1")
        assert report.outcome.verdict is Verdict.DONE
        assert (Path(report.outcome.detail.partition(" (")[0]) / "kernel.log").exists()
        record.session.direct(directive("s1", Verb.SWEEP))
        assert (await answered(record, "s1")).outcome.verdict is Verdict.DONE
