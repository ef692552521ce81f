"""A policy in a file of its own: what the coordinator may do, apart from how it is wired.

So that those who answer for actions can own, review and lint one file, whatever machine the coordinator runs
on. Every key means what it means in the coordinator's own file, and stands in one of the two, never in both:
two answers to *may we?* are a mistake, not a question of which one wins.
"""

from pathlib import Path

import msgspec

from sickbay.coordinator.config import CoordinatorConfig, PatienceConfig, checked_mode
from sickbay.coordinator.gate_config import ApprovalsConfig, BudgetsConfig, StormConfig, WindowConfig
from sickbay.core.problems import Place, Problem, RefusedError
from sickbay.host.config_files import load_config
from sickbay.host.yaml_files import read_yaml


class PolicyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. All keys have defaults; an empty file is a policy that only observes.

    mode: `observe` (touch nothing), `propose` or `act`; caps every rule's own.
    accept_synthetic: whether injected faults may act, for drills.
    trust_new_builtins: let built-in rules that an upgrade brought or changed act without being confirmed.
    maintenance: windows that recur; those for once are for `sickbay maintenance add`.
    """

    mode: str = "observe"
    accept_synthetic: bool = False
    trust_new_builtins: bool = False
    patience: PatienceConfig = PatienceConfig()
    budgets: BudgetsConfig = BudgetsConfig()
    storm: StormConfig = StormConfig()
    approvals: ApprovalsConfig = ApprovalsConfig()
    maintenance: tuple[WindowConfig, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a mode that there is not."""
        checked_mode(self.mode)


def load_coordinator_config(path: Path) -> CoordinatorConfig:
    """The coordinator's file, with the policy that it names laid into it.

    Raises:
        RefusedError: for a mistake in either, with its file, line and column.
    """
    config = load_config(path, CoordinatorConfig)
    if not config.policy_file:
        return config
    document = read_yaml(path)
    said = document.value if isinstance(document.value, dict) else {}
    twice = [key for key in PolicyFile.__struct_fields__ if key in said]
    if twice:
        raise RefusedError(
            tuple(_twice(document.locate((key,), key=True), key, config.policy_file) for key in twice)
        )
    # As a reader of the coordinator's file would take it: beside that file.
    policy = load_config(path.parent / config.policy_file, PolicyFile)
    return msgspec.structs.replace(config, **_fields(policy))


def _fields(policy: PolicyFile) -> dict[str, object]:
    return {name: getattr(policy, name) for name in policy.__struct_fields__}


def _twice(place: Place, key: str, file: str) -> Problem:
    return Problem(place=place, found=f"the key {key!r} beside a policy file", expected=f"it in {file} alone")
