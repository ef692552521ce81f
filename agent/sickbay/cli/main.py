"""The command `sickbay`: one table of nouns and verbs, each loaded only when it is used.

Loading lazily keeps `sickbay status` quick enough for a shell prompt or a job's prolog.
"""

import click

from sickbay.cli.lazy import LazyGroup
from sickbay.version import __version__

COMMANDS: dict[str, tuple[str, str]] = {
    "status": ("sickbay.cli.status:status", "Is this host fit for work? The exit code says it too."),
    "events": ("sickbay.cli.events:events", "What happened, on this host or on the fleet."),
    "explain": ("sickbay.cli.explain:explain", "Why: an incident, a condition, an event or a kernel line."),
    "decode": ("sickbay.cli.decode:decode", "What kernel lines say, from a log or from your clipboard."),
    "nodes": ("sickbay.cli.nodes:nodes", "The fleet, a row a node."),
    "node": ("sickbay.cli.nodes:node", "One node: GPUs, conditions, incidents."),
    "incidents": (
        "sickbay.cli.incidents:incidents",
        "What is wrong in the fleet, and what is done about it.",
    ),
    "cordon": ("sickbay.cli.cordon:cordon", "Take a node out of service, in your name."),
    "return": ("sickbay.cli.cordon:give_back", "Give a node back at your word."),
    "approve": ("sickbay.cli.approve:approve", "Let what is proposed about an incident be done."),
    "deny": ("sickbay.cli.approve:deny", "Forbid what is proposed about an incident."),
    "pause": ("sickbay.cli.pause:pause", "Hands off the fleet, a pool, a rack or a node, for a while."),
    "resume": ("sickbay.cli.pause:resume", "End a pause, a maintenance window or a storm."),
    "maintenance": ("sickbay.cli.maintenance:maintenance", "Windows in which nothing is done about faults."),
    "budget": ("sickbay.cli.budget:budget", "How many nodes are out at our word, and how many more may be."),
    "rules": ("sickbay.cli.rules:rules", "What the rules are, whether they are sound, what they would do."),
    "inject": ("sickbay.cli.inject:inject", "Pretend a kernel line on this host, marked synthetic."),
    "demo": ("sickbay.cli.demo:demo", "One fault, all the way, on this machine, in under a minute."),
}
"""name -> (where it is, what it is for): the one table of commands, read by `--help` without loading them."""


def _show_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001
    if not value:
        return
    click.echo(f"sickbay {__version__}")
    ctx.exit()


@click.group(cls=LazyGroup, commands_table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version.",
)
def main() -> None:
    """Health and self-healing for GPU hosts.

    On a host, `sickbay status` asks the agent there. `nodes`, `incidents`, `cordon` and `return` ask the
    coordinator (--coordinator or SICKBAY_COORDINATOR). `sickbay demo` needs neither: it starts its own.
    """


if __name__ == "__main__":
    main()
