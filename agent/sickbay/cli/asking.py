"""Who gives a command, and whether that person means it."""

import getpass
import os
import sys

import click

from sickbay.cli.output import EXIT_USAGE, fail

yes_option = click.option("--yes", is_flag=True, help="Do not ask; needed where nobody is there to answer.")


def operator() -> str:
    """Who asks: behind sudo, the person and not root."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (OSError, KeyError):
        # A uid without an entry in the user database, as in a container. Python 3.13 raises OSError.
        return f"uid {os.getuid()}"


def confirmed(question: str, *, yes: bool) -> None:
    """Go on only if a person says so, now or by --yes."""
    if yes:
        return
    if not sys.stdin.isatty():
        fail("nothing was done: nobody is here to be asked; say --yes to go on", code=EXIT_USAGE)
    if not click.confirm(question, err=True):
        fail("nothing was done")
