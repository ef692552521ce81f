"""A page tells the truth about commands, links and runbooks."""

import re
import shlex

import click
import pytest
from tests.meta.tree import ROOT, ending, project, text

from sickbay.cli.main import main

PAGES = ending(".md")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")
INLINE = re.compile(r"`(sickbay(?:-agent|-coordinator)?(?: [^`]*)?)`")
TYPED = re.compile(r"^\s*\$ (sickbay.*)$", re.MULTILINE)
RUNBOOK = re.compile(r"^\s*(?:- )?runbook:\s*[\"']?([\w-]+)", re.MULTILINE)


def commands(page: str) -> list[str]:
    """Every command of ours that the page quotes, in a line or after a prompt."""
    found = INLINE.findall(text(page)) + TYPED.findall(text(page))
    return [line for line in found if not re.search(r"[*…{]", line)]


@pytest.mark.parametrize("page", PAGES)
def test_a_relative_link_leads_somewhere(page: str) -> None:
    here = (ROOT / page).parent
    assert [link for link in LINK.findall(text(page)) if not (here / link).exists()] == []


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)])
def test_a_quoted_command_is_one_that_the_program_knows(page: str) -> None:
    wrong = {line: why for line in commands(page) if (why := trouble(line))}
    assert wrong == {}


def trouble(line: str) -> str:
    """Why the command would be refused; empty when it would be taken."""
    words = [
        word for word in shlex.split(line.split(" | ", maxsplit=1)[0], comments=True) if word != "[OPTIONS]"
    ]
    if words[0] != "sickbay":
        return "" if words[0] in project()["project"]["scripts"] else "no such program"
    return trouble_of_group(main, words[1:])


def trouble_of_group(group: click.Group, words: list[str]) -> str:
    """Follow the nouns down to a command, then let click judge the options."""
    if not words or words[0].startswith("-"):
        return trouble_of_options(group, words)
    command = group.get_command(click.Context(group), words[0])
    if command is None:
        return f"no command {words[0]!r}"
    if isinstance(command, click.Group):
        return trouble_of_group(command, words[1:])
    return trouble_of_options(command, words[1:])


def trouble_of_options(command: click.Command, words: list[str]) -> str:
    """Whether click's own parser knows every option in the words."""
    context = click.Context(command, info_name=command.name)
    try:
        command.make_parser(context).parse_args(args=list(words))
    except click.UsageError as error:
        return error.format_message()
    return ""


def test_every_runbook_that_a_rule_names_has_a_page_and_is_listed() -> None:
    rules = [name for name in ending(".yaml") if name.startswith("rules/")]
    named = {found for rule in rules for found in RUNBOOK.findall(text(rule))}
    pages = {
        name.removeprefix("docs/runbooks/").removesuffix(".md") for name in PAGES if "/runbooks/" in name
    }
    assert named - pages == set()
    assert {
        page for page in pages - {"README"} if f"({page}.md)" not in text("docs/runbooks/README.md")
    } == set()


def test_decision_records_are_numbered_without_gaps_and_listed() -> None:
    records = [name.rsplit("/", 1)[-1] for name in PAGES if re.search(r"/adr/\d", name)]
    assert [int(name[:4]) for name in records] == list(range(1, len(records) + 1))
    assert [name for name in records if f"({name})" not in text("docs/adr/README.md")] == []
