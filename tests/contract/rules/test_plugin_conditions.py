"""What a site's own checks find: it opens, moves and clears as they say."""

from tests.support.host_monitors import builtin_rules
from tests.support.rules import START, Host

from sickbay.host.commands import CommandResult, TimedOut
from sickbay.monitors import plugins
from sickbay.node.status import sight_of


def ended(code: int, text: str = "") -> CommandResult:
    return CommandResult(argv=("check",), exit_code=code, stdout=text, stderr="", seconds=0.1)


def run(host: Host, outcome: CommandResult | TimedOut, at: float) -> None:
    found = plugins.finding("scratch", outcome, START.later(at))
    host.see(sight_of(found.signal.subject.name, found.trouble, START.later(at)), found.signal)


def test_a_plugins_finding_opens_moves_and_clears_as_it_says() -> None:
    host = Host(rules=builtin_rules())
    run(host, ended(0, "OK"), 0)
    assert host.types() == set()
    run(host, ended(1, "WARNING - 80 % used | used=80%"), 60)
    assert host.types() == {"PluginWarning"}
    assert host.open["PluginWarning"].message.endswith("scratch: WARNING - 80 % used")
    run(host, ended(2, "CRITICAL - 99 % used"), 120)
    assert host.types() == {"PluginCritical"}
    assert host.open["PluginCritical"].reason == "scratch"
    run(host, TimedOut(argv=("check",), seconds=10.0), 180)
    assert host.types() == {"PluginCritical", "MonitorDegraded"}
    run(host, ended(0, "OK"), 240)
    assert host.types() == set()


def test_a_plugin_that_cannot_tell_is_no_fault() -> None:
    host = Host(rules=builtin_rules())
    run(host, ended(3, "UNKNOWN"), 0)
    assert host.types() == {"MonitorDegraded"}
    run(host, ended(0), 60)
    assert host.types() == set()


def test_a_plugin_that_is_configured_no_more_takes_its_finding_with_it() -> None:
    host = Host(rules=builtin_rules())
    run(host, ended(2, "CRITICAL"), 0)
    host.see(plugins.dropped("scratch", START.later(60)))
    assert host.types() == set()
