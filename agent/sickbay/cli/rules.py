"""`sickbay rules`: what the rules are, whether they are sound, and what they would have done.

What looks at rules works on files alone; what hands them to a fleet asks the coordinator.
"""

import click

from sickbay.cli.lazy import LazyGroup
from sickbay.cli.options import examples

COMMANDS: dict[str, tuple[str, str]] = {
    "show": ("sickbay.cli.rules_show:show", "The merged rules, and the file that gave each field."),
    "lint": ("sickbay.cli.rules_lint:lint_rules", "Mistakes, with their place; exit 1 when there is one."),
    "test": ("sickbay.cli.rules_test:run_cases", "Run cases: signals in, conditions and proposals out."),
    "replay": ("sickbay.cli.rules_replay:replay", "What they would have done with a recorded history."),
    "status": ("sickbay.cli.rules_rollout:status", "Which rules the fleet runs, and how a roll-out stands."),
    "roll-out": ("sickbay.cli.rules_rollout:roll_out", "Hand the coordinator's rules out, stage by stage."),
    "hold": ("sickbay.cli.rules_rollout:hold", "Stop a roll-out where it stands."),
    "roll-back": ("sickbay.cli.rules_rollout:roll_back", "Give every node the former rules again, at once."),
    "confirm": ("sickbay.cli.rules_rollout:confirm", "Let new or changed built-in rules act."),
    "schema": ("sickbay.cli.rules_show:schema", "The JSON Schema that an editor checks a file against."),
}


@click.group(
    "rules",
    cls=LazyGroup,
    commands_table=COMMANDS,
    epilog=examples(
        "sickbay rules show gpu-power-brake",
        "sickbay rules lint --rules ./rules.d",
        "sickbay rules test --rules ./rules.d",
    ),
)
def rules() -> None:
    """What the rules are, whether they are sound, and what they would have done.

    A site's rules lie in /etc/sickbay/rules.d, over the built-in ones; --rules names others. A file there may
    change a rule of the same id field by field, switch it off, or add rules of its own.
    """
