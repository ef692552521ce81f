"""A page tells the truth about commands, links and runbooks."""

import importlib
import re
import shlex
from typing import Any

import click
import yaml
from tests.meta.tree import ROOT, ending, project, text

PAGES = ending(".md")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")
INLINE = re.compile(r"`(sickbay(?:-agent|-coordinator)?(?: [^`]*)?)`")
TYPED = re.compile(r"^\s*\$ (sickbay.*)$", re.MULTILINE)


def commands(page: str) -> list[str]:
    """Every command of ours that the page quotes, in a line or after a prompt."""
    found = INLINE.findall(text(page)) + TYPED.findall(text(page))
    return [line for line in found if not re.search(r"[*…{]", line)]


def test_a_relative_link_leads_somewhere() -> None:
    links = [(page, link) for page in PAGES for link in LINK.findall(text(page))]
    assert [(page, link) for page, link in links if not (ROOT / page).parent.joinpath(link).exists()] == []


def test_a_quoted_command_is_one_that_the_program_knows() -> None:
    quoted = [(page, line) for page in PAGES for line in commands(page)]
    assert quoted, "the pages quote commands, but none was found"
    assert {(page, line): why for page, line in quoted if (why := trouble(line))} == {}


def trouble(line: str) -> str:
    """Why the command would be refused; empty when it would be taken."""
    program, *words = shlex.split(line.split(" | ", maxsplit=1)[0], comments=True)
    entry = project()["project"]["scripts"].get(program)
    if entry is None:
        return "no such program"
    # The agent's entry point spares memory for this process before it hands over to the command itself.
    module, _, attribute = entry.replace("node.launch", "node.main").partition(":")
    command = getattr(importlib.import_module(module), attribute)
    follow = trouble_of_group if isinstance(command, click.Group) else trouble_of_options
    return follow(command, words)


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


def rules() -> list[dict[str, Any]]:
    """Every built-in rule, as its file has it."""
    names = [name for name in ending(".yaml") if name.startswith("rules/")]
    return [rule for name in names for rule in yaml.safe_load(text(name)) if "condition" in rule]


def test_every_rule_names_a_runbook_that_names_the_rule_and_its_condition() -> None:
    unexplained = [
        (rule["id"], word)
        for rule in rules()
        for word in (rule["id"], rule["condition"]["type"])
        if f"`{word}`" not in text(f"docs/runbooks/{rule['runbook']}.md")
    ]
    assert unexplained == []


def test_every_reason_that_a_rule_can_give_is_in_its_runbook() -> None:
    unexplained = [
        (rule["id"], reason)
        for rule in rules()
        if (reason := rule["condition"].get("reason", rule["condition"]["type"]))
        and f"`{reason}`" not in text(f"docs/runbooks/{rule['runbook']}.md")
    ]
    assert unexplained == []


def test_every_runbook_is_listed_and_belongs_to_a_rule() -> None:
    pages = {name.rsplit("/", 1)[-1].removesuffix(".md") for name in PAGES if "/runbooks/" in name}
    listed = set(re.findall(r"^\| \[[^]]+\]\(([\w-]+)\.md\)", text("docs/runbooks/README.md"), re.MULTILINE))
    assert pages - {"README"} == listed == {rule["runbook"] for rule in rules()}


def test_decision_records_are_numbered_without_gaps_and_listed() -> None:
    records = [name.rsplit("/", 1)[-1] for name in PAGES if re.search(r"/adr/\d", name)]
    assert [int(name[:4]) for name in records] == list(range(1, len(records) + 1))
    assert [name for name in records if f"({name})" not in text("docs/adr/README.md")] == []
