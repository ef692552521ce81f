"""Simulated nodes by hand: `python -m sickbay.sim --help`."""

from pathlib import Path

import click

from sickbay.core.problems import RefusedError
from sickbay.sim.known_profiles import USUAL, UnknownProfileError, profile_names
from sickbay.sim.scenario import load_scenario, parse_fault
from sickbay.sim.simulated_node import create_node, inject_fault, reboot

_FOLDER = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))


@click.group()
def main() -> None:
    """Pretend a host, let things go wrong there, and reboot it.

    An agent with `simulation: {node_dir: FOLDER}` in its configuration takes the folder for its host.
    """


@main.command(help=f"Make a node in an empty or missing folder. There are {', '.join(profile_names())}.")
@_FOLDER
@click.option("--profile", default=USUAL, show_default=True, help="One of those, or a recorded file.")
@click.option(
    "--scenario",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file of faults, each with its time after the boot.",
)
def node(folder: Path, profile: str, scenario: Path | None) -> None:
    """See `help`."""
    try:
        create_node(folder, profile=profile, scenario=load_scenario(scenario) if scenario else None)
    except (UnknownProfileError, RefusedError, FileExistsError) as error:
        raise click.ClickException(str(error)) from error


@main.command()
@_FOLDER
@click.argument("fault")
def hurt(folder: Path, fault: str) -> None:
    """Let something go wrong: FAULT is an object in JSON, as in a scenario."""
    try:
        inject_fault(folder, parse_fault(fault))
    except (ValueError, FileNotFoundError) as error:
        raise click.ClickException(str(error)) from error


@main.command("reboot")
@_FOLDER
def reboot_node(folder: Path) -> None:
    """Boot the node anew; what lasts `until: never` is still there. Its agent is not touched."""
    reboot(folder)


if __name__ == "__main__":
    main(prog_name="python -m sickbay.sim")
