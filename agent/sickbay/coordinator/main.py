"""`sickbay-coordinator`: reads its files, says what is wrong with them, and serves."""

import asyncio
import logging
import os
import sys
from pathlib import Path

import click

from sickbay.coordinator.config import CoordinatorConfig, shown
from sickbay.coordinator.daemon import serve
from sickbay.coordinator.own_rules import read_or_kept, read_rules, shelf_of
from sickbay.coordinator.policy_file import load_coordinator_config
from sickbay.coordinator.store import StoreError
from sickbay.core.problems import RefusedError
from sickbay.host.state_lock import AlreadyRunningError
from sickbay.host.systemd import service_manager
from sickbay.rpc.serving import BadAddress
from sickbay.version import __version__

DEFAULT_CONFIG = Path("/etc/sickbay/coordinator.yaml")

_MISTAKE = 2
"""The exit status for a configuration that cannot be used: a restart will not help."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"The configuration file. [default: {DEFAULT_CONFIG} if there is one, else all defaults]",
)
@click.option(
    "--check-config", is_flag=True, help="Check configuration and rules, show what is in force, exit."
)
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
@click.version_option(__version__, prog_name="sickbay-coordinator")
def main(path: Path | None, *, check_config: bool, verbose: bool) -> None:
    """Decide, for the whole fleet, which nodes to take out, repair, prove and give back."""
    _begin_log(verbose=verbose)
    try:
        config = _read(path)
        if check_config:
            read_rules(config)
            config.gates()
            click.echo(shown(config).decode(), nl=False)
            return
        rules = read_or_kept(config, shelf_of(config))
        status = asyncio.run(serve(config, rules, __version__, service_manager(os.environ)))
    except RefusedError as error:
        click.echo(str(error), err=True)
        sys.exit(_MISTAKE)
    except (AlreadyRunningError, StoreError, BadAddress, OSError) as error:
        click.echo(f"sickbay-coordinator cannot start: {error}", err=True)
        sys.exit(1)
    sys.exit(status)


def _read(path: Path | None) -> CoordinatorConfig:
    """The configuration. RefusedError with every mistake that was found in it."""
    if path is None and DEFAULT_CONFIG.exists():
        path = DEFAULT_CONFIG
    return CoordinatorConfig() if path is None else load_coordinator_config(path)


def _begin_log(*, verbose: bool) -> None:
    """To standard error, where systemd keeps it with its own time stamps."""
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(levelname)s %(name)s: %(message)s" if _UNDER_SYSTEMD in os.environ else _BY_HAND,
        stream=sys.stderr,
    )


_UNDER_SYSTEMD = "JOURNAL_STREAM"
_BY_HAND = "%(asctime)s %(levelname)s %(name)s: %(message)s"


if __name__ == "__main__":
    main()
