"""One task ends, all end, and it is said which."""

import asyncio

import pytest

from sickbay.node.root_tasks import until_one_ends


async def forever() -> None:
    await asyncio.Event().wait()


async def ends() -> None:
    await asyncio.sleep(0)


async def breaks() -> None:
    await asyncio.sleep(0)
    raise OSError("the disk is gone")


async def test_the_orderly_end_is_no_error() -> None:
    assert await until_one_ends({"a": forever(), "told to stop": ends()}, orderly="told to stop") == 0


async def test_any_other_end_is_an_error_and_is_named(caplog: pytest.LogCaptureFixture) -> None:
    assert await until_one_ends({"sweeps": ends(), "told to stop": forever()}, orderly="told to stop") == 1
    assert "sweeps ended, and so do we" in caplog.text


async def test_an_error_names_the_task_and_shows_the_cause(caplog: pytest.LogCaptureFixture) -> None:
    assert await until_one_ends({"spool": breaks(), "told to stop": forever()}, orderly="told to stop") == 1
    assert "spool ended by an error" in caplog.text
    assert "the disk is gone" in caplog.text


async def test_the_others_are_ended_before_it_returns() -> None:
    ended = asyncio.Event()

    async def tidy() -> None:
        try:
            await forever()
        finally:
            ended.set()

    await until_one_ends({"tidy": tidy(), "told to stop": ends()}, orderly="told to stop")
    assert ended.is_set()
