"""`sickbay-agent`: reads its files, says what is wrong with them, and watches this host."""

import asyncio
import logging
import os
import sys
from pathlib import Path

import click
import msgspec

from sickbay.core.problems import Place, Problem, RefusedError
from sickbay.host.boot import BootIdUnknownError
from sickbay.host.config_files import load_config
from sickbay.host.priority import go_ahead
from sickbay.host.rule_shelf import RuleShelf
from sickbay.host.state_lock import AlreadyRunningError
from sickbay.host.systemd import service_manager
from sickbay.node.config import AgentConfig, shown
from sickbay.node.daemon import serve
from sickbay.node.edges import ports_of
from sickbay.node.rule_intake import beginning, own_files
from sickbay.rpc.serving import BadAddress, Security, check_plaintext
from sickbay.version import __version__

DEFAULT_CONFIG = Path("/etc/sickbay/agent.yaml")

_FAILED = 1
_MISTAKE = 2
"""The exit status for a configuration that cannot be used: a restart will not help."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"The configuration file. [default: {DEFAULT_CONFIG} if there is one, else all defaults]",
)
@click.option("--once", is_flag=True, help="Look at everything once, show it, exit; see below.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How --once shows it.",
)
@click.option(
    "--profile",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --once: also write what the driver answered, as a host to simulate.",
)
@click.option(
    "--check-config",
    is_flag=True,
    help="Check configuration and rules, show what is in force, exit.",
)
@click.option(
    "--accept-injected",
    is_flag=True,
    help="Take kernel lines that user space wrote, marked synthetic: for drills and tests.",
)
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
@click.version_option(__version__, prog_name="sickbay-agent")
def main(
    path: Path | None,
    *,
    once: bool,
    output: str,
    profile: Path | None,
    check_config: bool,
    accept_injected: bool,
    verbose: bool,
) -> None:
    """Watch this host's GPUs, say what is wrong, keep the evidence; repair only under a grant.

    Without options it runs until SIGTERM; SIGHUP reads the rules anew.

    With --once it reads every GPU and the kernel log of this boot, starts nothing and keeps nothing, and its
    exit status says how the host is: 0 healthy, 1 degraded, 2 unhealthy, 3 unknown. A rule that asks for
    several readings cannot speak after one.
    """
    if profile is not None and not once:
        raise click.UsageError("--profile goes with --once")
    _begin_log(verbose=verbose, quiet=once)
    try:
        config = _read(path, accept_injected=accept_injected)
        if check_config:
            own_files(config)
            click.echo(shown(config).decode(), nl=False)
            return
        begun = beginning(config, RuleShelf(config.shelf_path))
        ports = ports_of(config)
        if once:
            from sickbay.node.once import look_once  # noqa: PLC0415 - the daemon need not carry it

            look = look_once(config, begun, ports, version=__version__, form=output, profile=profile)
            sys.exit(asyncio.run(look))
        daemon = serve(
            config,
            begun,
            ports,
            version=__version__,
            manager=service_manager(os.environ),
        )
        go_ahead()
        status = asyncio.run(daemon)
    except RefusedError as error:
        click.echo(str(error), err=True)
        sys.exit(_MISTAKE)
    except (AlreadyRunningError, BadAddress, BootIdUnknownError, OSError) as error:
        click.echo(f"sickbay-agent cannot start: {error}", err=True)
        sys.exit(_FAILED)
    sys.exit(status)


def _read(path: Path | None, *, accept_injected: bool) -> AgentConfig:
    """The configuration. RefusedError with every mistake that was found in it."""
    if path is None and DEFAULT_CONFIG.exists():
        path = DEFAULT_CONFIG
    config = AgentConfig() if path is None else load_config(path, AgentConfig)
    if accept_injected:
        config = msgspec.structs.replace(config, accept_injected=True)
    _check_addresses(config, path)
    return config


def _check_addresses(config: AgentConfig, path: Path | None) -> None:
    """Refuse a coordinator that we could not, or may not, speak to."""
    security = Security(insecure_plaintext_off_host=config.insecure_plaintext_off_host)
    for address in config.coordinators:
        try:
            check_plaintext(address, security)
        except BadAddress as error:
            raise RefusedError(
                (
                    Problem(
                        place=Place(file=str(path)), found=f"coordinators: {address}", expected=str(error)
                    ),
                ),
            ) from error


def _begin_log(*, verbose: bool, quiet: bool) -> None:
    """To standard error, where systemd keeps it with its own time stamps."""
    usual = logging.ERROR if quiet else logging.INFO
    logging.basicConfig(
        level=logging.DEBUG if verbose else usual,
        format="%(levelname)s %(name)s: %(message)s" if _UNDER_SYSTEMD in os.environ else _BY_HAND,
        stream=sys.stderr,
    )


_UNDER_SYSTEMD = "JOURNAL_STREAM"
_BY_HAND = "%(asctime)s %(levelname)s %(name)s: %(message)s"


if __name__ == "__main__":
    main()
