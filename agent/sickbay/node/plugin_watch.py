"""The site's own checks, each in a loop of its own, so that none waits for another."""

import asyncio
import random
from typing import NoReturn

from sickbay.host.clock import Clock
from sickbay.host.commands import CommandRunner
from sickbay.host.host_settings import HostSettings, PluginSettings
from sickbay.monitors import plugins
from sickbay.monitors.parts import part
from sickbay.node.judge import Judge

_PREFIX = part("plugin", "").name


class PluginWatch:
    """Runs plugins until cancelled. One that cannot tell is a monitor that cannot see, by its own name."""

    def __init__(
        self, *, clock: Clock, judge: Judge, commands: CommandRunner, settings: HostSettings
    ) -> None:
        """`commands` should keep no more of their output than `sickbay.monitors.plugins.OUTPUT_LIMIT`."""
        self._clock = clock
        self._judge = judge
        self._commands = commands
        self._settings = settings
        self._troubles: dict[str, str] = {}

    async def run(self) -> NoReturn:
        """One task a plugin, for ever."""
        self._let_go()
        async with asyncio.TaskGroup() as group:
            for plugin in self._settings.plugins:
                group.create_task(self._watch(plugin), name=f"plugin {plugin.name}")
            await asyncio.Event().wait()
        raise AssertionError("nobody sets the event")

    async def look_once(self) -> None:
        """Every plugin once, side by side."""
        await asyncio.gather(*(self._look(plugin) for plugin in self._settings.plugins))

    def _let_go(self) -> None:
        """End what is open for plugins that an earlier process had and this one has not."""
        wanted = {part("plugin", plugin.name).name for plugin in self._settings.plugins}
        open_now = {condition.subject.name for condition in self._judge.status.conditions}
        for name in sorted(open_now - wanted):
            if name.startswith(_PREFIX):
                self._judge.sight(name, "")
                self._judge.take((plugins.dropped(name.removeprefix(_PREFIX), self._clock.now()),))

    async def _watch(self, plugin: PluginSettings) -> NoReturn:
        jitter = self._settings.jitter
        await self._clock.sleep(_spread(plugin.every, 0.0, jitter))
        while True:
            await self._look(plugin)
            await self._clock.sleep(plugin.every + _spread(plugin.every, -jitter, jitter))

    async def _look(self, plugin: PluginSettings) -> None:
        outcome = await self._commands.run(plugin.command, deadline=plugin.deadline)
        found = plugins.finding(plugin.name, outcome, self._clock.now())
        monitor = found.signal.subject.name
        if self._troubles.get(monitor) != found.trouble:
            self._troubles[monitor] = found.trouble
            self._judge.sight(monitor, found.trouble)
        elif not found.trouble:
            self._judge.status.saw(monitor, found.signal.at.wall)
        self._judge.take((found.signal,))


def _spread(span: float, least: float, most: float) -> float:
    return span * random.uniform(least, most)  # noqa: S311 - spreads a fleet, keeps no secret
