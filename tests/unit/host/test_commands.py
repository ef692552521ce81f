import asyncio
import os
import time
from pathlib import Path

import psutil
import pytest

from sickbay.host.commands import (
    CommandResult,
    NotFound,
    NotPermitted,
    NotStarted,
    SystemCommands,
    TimedOut,
    run,
)


async def ended(argv: list[str], **more: object) -> CommandResult:
    result = await SystemCommands(**more).run(argv, deadline=20)
    assert isinstance(result, CommandResult), result
    return result


async def test_both_streams_and_the_exit_code_are_kept_apart():
    result = await ended(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (result.exit_code, result.stdout, result.stderr, result.is_cut) == (3, "out\n", "err\n", False)


async def test_arguments_reach_the_program_without_a_shell():
    result = await ended(["printf", "%s|", "a b", "$HOME", "; exit 9", ""])
    assert result.stdout == "a b|$HOME|; exit 9||"


async def test_standard_input_is_fed_whole_and_closed():
    result = await run(["cat"], deadline=20, stdin=b"x" * 300_000)
    assert isinstance(result, CommandResult)
    assert len(result.stdout) == 300_000


async def test_a_program_that_does_not_read_its_input_is_no_error():
    result = await run(["true"], deadline=20, stdin=b"x" * 300_000)
    assert isinstance(result, CommandResult)
    assert result.exit_code == 0


async def test_the_environment_given_is_the_whole_environment():
    result = await run(["env"], deadline=20, env={"PATH": os.environ["PATH"], "ONLY": "this"})
    assert isinstance(result, CommandResult)
    assert "ONLY=this" in result.stdout
    assert "HOME=" not in result.stdout


async def test_a_program_is_looked_up_on_the_path_it_is_given(tmp_path: Path):
    tool = tmp_path / "scontrol"
    tool.write_text("#!/bin/sh\necho mine\n")
    tool.chmod(0o755)
    result = await run(["scontrol"], deadline=20, env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert isinstance(result, CommandResult)
    assert result.stdout == "mine\n"


async def test_a_missing_program_is_a_value():
    failure = await run(["no-such-program-here"], deadline=20)
    assert isinstance(failure, NotFound)
    assert str(failure) == "no-such-program-here: no such program"


async def test_a_file_that_may_not_be_executed_is_a_value(tmp_path: Path):
    plain = tmp_path / "plain"
    plain.write_text("#!/bin/sh\n")
    plain.chmod(0o644)
    assert isinstance(await run([str(plain)], deadline=20), NotPermitted)


@pytest.mark.parametrize("argument", ["nul\0byte", "x" * 4_000_000])
async def test_what_the_system_will_not_start_is_a_value(argument: str):
    failure = await run(["true", argument], deadline=20)
    assert isinstance(failure, NotStarted)
    assert failure.why


async def test_at_the_deadline_the_whole_group_is_killed_and_its_words_are_kept():
    failure = await run(["sh", "-c", "echo begun; sleep 1000 & echo $!; wait"], deadline=0.5)
    assert isinstance(failure, TimedOut)
    begun, child = failure.stdout.split()
    assert begun == "begun"
    wait_until_gone(int(child))


async def test_a_child_that_holds_the_output_open_cannot_hold_up_its_caller():
    failure = await run(["setsid", "-f", "sh", "-c", "echo $$; exec sleep 1000"], deadline=0.5)
    assert isinstance(failure, TimedOut)
    orphan = psutil.Process(int(failure.stdout))  # in a session of its own, so it is for the test to end
    orphan.kill()
    wait_until_gone(orphan.pid)


async def test_a_cancelled_call_leaves_no_process(tmp_path: Path):
    pid_file = tmp_path / "pid"
    call = asyncio.create_task(run(["sh", "-c", f"echo $$ > {pid_file}; sleep 1000"], deadline=1000))
    async with asyncio.timeout(20):
        while not pid_file.exists() or not pid_file.read_text():
            await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    wait_until_gone(int(pid_file.read_text()))


async def test_output_beyond_the_limit_is_dropped_and_said_to_be():
    result = await ended(["sh", "-c", "head -c 5000000 /dev/zero; echo end >&2"], output_limit=1000)
    assert (len(result.stdout), result.stderr, result.exit_code, result.is_cut) == (1000, "end\n", 0, True)


async def test_bytes_that_are_no_text_are_kept_as_escapes():
    result = await ended(["printf", r"a\377b"])
    assert result.stdout == r"a\xffb"


async def test_the_signal_that_ended_a_program_is_its_negative_exit_code():
    assert (await ended(["sh", "-c", "kill -TERM $$"])).exit_code == -15


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while is_running(pid):
        assert time.monotonic() < deadline, f"{pid} still runs"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
