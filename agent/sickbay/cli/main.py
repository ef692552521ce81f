"""The command `sickbay`: one table of nouns and verbs, each loaded only when it is used.

Loading lazily keeps `sickbay status` quick enough for a shell prompt or a job's prolog.
"""

from importlib import import_module

import click

COMMANDS: dict[str, tuple[str, str]] = {
    "status": ("sickbay.cli.status:status", "Is this host fit for work? The exit code says it too."),
    "events": ("sickbay.cli.events:events", "What happened, on this host or on the fleet."),
    "explain": ("sickbay.cli.explain:explain", "Why: an incident, a condition, an event or a kernel line."),
    "nodes": ("sickbay.cli.nodes:nodes", "The fleet, a row a node."),
    "node": ("sickbay.cli.nodes:node", "One node: GPUs, conditions, incidents."),
    "incidents": (
        "sickbay.cli.incidents:incidents",
        "What is wrong in the fleet, and what is done about it.",
    ),
    "cordon": ("sickbay.cli.cordon:cordon", "Take a node out of service, in your name."),
    "return": ("sickbay.cli.cordon:give_back", "Give a node back at your word."),
    "inject": ("sickbay.cli.inject:inject", "Pretend a kernel line on this host, marked synthetic."),
    "demo": ("sickbay.cli.demo:demo", "One fault, all the way, on this machine, in under a minute."),
}
"""name -> (where it is, what it is for): the one table of commands, read by `--help` without loading them."""


class LazyCommands(click.Group):
    """A group that imports a command's module only when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All names, in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command itself, or None when there is no such name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            msg = f"{module}:{attribute} is not a command"
            raise TypeError(msg)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The table of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


def _show_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001
    if not value:
        return
    from importlib.metadata import version  # noqa: PLC0415 - reading the metadata costs 20 ms

    click.echo(f"sickbay {version('sickbay')}")
    ctx.exit()


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
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
