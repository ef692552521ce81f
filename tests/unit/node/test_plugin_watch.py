"""The site's own checks, as real programs."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.fakes.node_parts import Parts
from tests.support.waiting import until

from sickbay.core.signals import FieldValue
from sickbay.host.commands import SystemCommands
from sickbay.host.config_files import Seconds
from sickbay.host.host_settings import HostSettings, PluginSettings
from sickbay.monitors.plugins import OUTPUT_LIMIT
from sickbay.node.plugin_watch import PluginWatch


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    made = Parts(tmp_path)
    made.start()
    yield made
    await made.spool.close()


def script(folder: Path, name: str, text: str) -> PluginSettings:
    """A plugin that is a shell script."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return PluginSettings(name=name, command=(str(path),), deadline=Seconds(20))


def watch(parts: Parts, *plugins: PluginSettings) -> PluginWatch:
    return PluginWatch(
        clock=parts.clock,
        judge=parts.judge,
        commands=SystemCommands(output_limit=OUTPUT_LIMIT),
        settings=HostSettings(jitter=0.0, plugins=plugins),
    )


def shown(parts: Parts, name: str) -> dict[str, FieldValue]:
    return dict(parts.status.readings["plugin", f"node/plugin:{name}"].fields)


def sight(parts: Parts, name: str) -> tuple[bool, str]:
    monitor = parts.status.monitors[f"plugin:{name}"]
    return monitor.healthy, monitor.detail


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("echo 'OK - all there | mounts=3'; exit 0", 0, "OK - all there"),
        ("echo 'WARNING - 80 %'; echo 'and more'; exit 1", 1, "WARNING - 80 %"),
        ("echo 'CRITICAL - gone'; exit 2", 2, "CRITICAL - gone"),
        ("echo 'no output but this' >&2; exit 2", 2, "no output but this"),
        ("exit 0", 0, ""),
    ],
)
async def test_a_plugin_that_can_tell_is_believed(
    parts: Parts, tmp_path: Path, text: str, code: int, message: str
) -> None:
    await watch(parts, script(tmp_path, "check", text)).look_once()
    assert shown(parts, "check") == {"name": "check", "configured": True, "code": code, "message": message}
    assert sight(parts, "check") == (True, "")


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("echo 'UNKNOWN - no licence'; exit 3", "it says that it does not know: UNKNOWN - no licence"),
        ("exit 3", "it says that it does not know"),
        ("exit 127", "exit 127"),
        ("kill -SEGV $$", "ended by signal 11"),
    ],
)
async def test_a_plugin_that_cannot_tell_has_found_nothing(
    parts: Parts, tmp_path: Path, text: str, detail: str
) -> None:
    await watch(parts, script(tmp_path, "check", text)).look_once()
    assert shown(parts, "check")["code"] is None
    assert sight(parts, "check") == (False, detail)


async def test_a_plugin_that_cannot_be_started_is_unknown_and_the_others_run(
    parts: Parts, tmp_path: Path
) -> None:
    missing = PluginSettings(name="missing", command=("/no/such/check",))
    data = tmp_path / "data"
    data.write_text("no program")
    refused = PluginSettings(name="refused", command=(str(data),))
    await watch(parts, missing, refused, script(tmp_path, "fine", "echo OK")).look_once()
    assert sight(parts, "missing") == (False, "/no/such/check: no such program")
    assert sight(parts, "refused") == (False, f"{data}: not permitted")
    assert shown(parts, "fine")["code"] == 0


async def test_a_plugin_that_does_not_end_is_killed_with_all_that_it_started(
    parts: Parts, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    slow = script(tmp_path, "slow", f"sleep 1000 & echo $! $$ > {pids}; wait")
    plugin = PluginSettings(name="slow", command=slow.command, deadline=Seconds(1))
    await watch(parts, plugin).look_once()
    healthy, detail = sight(parts, "slow")
    assert not healthy
    assert detail.endswith("s, killed")
    await until(lambda: not any(_runs(int(pid)) for pid in pids.read_text().split()))


def _runs(pid: int) -> bool:
    """Whether it lives; what has ended and was not waited for by a parent of its own is no more."""
    try:
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    except (ProcessLookupError, FileNotFoundError):
        return False


async def test_a_plugin_that_prints_without_end_costs_no_memory(parts: Parts, tmp_path: Path) -> None:
    chatty = script(tmp_path, "chatty", "head -c 10000000 /dev/zero | tr '\\0' x; exit 1")
    await watch(parts, chatty).look_once()
    message = shown(parts, "chatty")["message"]
    assert isinstance(message, str)
    assert len(message) == 500


async def test_plugins_run_at_their_intervals_and_none_waits_for_another(
    parts: Parts, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    quick = script(tmp_path, "quick", f"echo run >> {ran}")
    hangs = script(tmp_path, "hangs", "sleep 1000")
    task = asyncio.ensure_future(watch(parts, quick, hangs).run())
    try:
        for times in (1, 2, 3):
            await until(lambda times=times: ran.exists() and len(ran.read_text().split()) == times)  # type: ignore[misc]
            await until(lambda: parts.clock.next_wake is not None)
            parts.clock.advance(60.0)
        assert "plugin:hangs" not in parts.status.monitors
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_what_is_open_for_a_plugin_that_is_configured_no_more_ends(
    parts: Parts, tmp_path: Path
) -> None:
    await watch(parts, script(tmp_path, "old", "echo CRITICAL; exit 2")).look_once()
    await watch(parts, script(tmp_path, "lost", "exit 3")).look_once()
    assert {condition.type for condition in parts.status.conditions} == {"PluginCritical", "MonitorDegraded"}
    parts.clock.advance(60.0)
    task = asyncio.ensure_future(watch(parts).run())
    await until(lambda: not parts.status.conditions)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
