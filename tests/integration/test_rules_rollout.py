"""Real agents and a real coordinator: a rule set on its way to the nodes, refused, held, and taken back."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import pytest
from tests.support.agent_process import AgentProcess
from tests.support.coordinator_process import CoordinatorProcess
from tests.support.waiting import wait_until

from sickbay.core.outcomes import Outcome, Verdict
from sickbay.core.rules_views import RolloutChange, RulesView
from sickbay.rpc.fleet_client import FleetClient
from sickbay.rpc.ports import Unreachable

T = TypeVar("T")

LONG = 90.0
"""Seconds: an agent that has lost its coordinator twice waits for up to 30 s before it dials again."""

QUICK = {
    "stages": [{"pools": ["canary"]}, {"percent": 100}],
    "soak": "300ms",
    "answer": "20s",
    "silence": "1m",
}

A_RULE = """
- id: our-xid-79
  on: xid
  when: signal.code == 79
  condition: {type: OurGpuLost, severity: warning, scope: gpu, reason: "Xid{code}"}
  clear: {after: reboot}
  because: a test says so
"""


class Fleet:
    """A coordinator whose rules lie in `site`, and agents that take them from it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self._stack = folder, stack
        self.site = folder / "site"
        self.site.mkdir()
        (folder / "c").mkdir()
        self.coordinator = CoordinatorProcess(folder / "c")
        self.coordinator.extra = {"rules": [str(self.site)], "rollout": QUICK}
        self.agents: dict[str, AgentProcess] = {}

    def start(self) -> None:
        self.coordinator.start()
        wait_until(self.answers)

    def agent(self, name: str, *, pool: str = "", rules_from: str = "coordinator") -> AgentProcess:
        changes: dict[str, object] = {
            "node": name,
            "pool": pool,
            "rules_from": rules_from,
            "coordinators": [self.coordinator.target],
        }
        agent = AgentProcess(self.folder / name, changes=changes)
        self.agents[name] = self._stack.enter_context(agent)
        return agent

    def ask(self, question: Callable[[FleetClient], T]) -> T:
        with FleetClient(self.coordinator.target, timeout=10.0) as client:
            return question(client)

    def answers(self) -> bool:
        try:
            return self.view() is not None
        except Unreachable:
            return False

    def view(self) -> RulesView:
        return self.ask(lambda client: client.rules())

    def change(self, change: RolloutChange) -> Outcome:
        return self.ask(lambda client: client.change_rollout(change, operator="ann", reason="test"))

    def write(self, text: str) -> None:
        """The site's rules are this now, and the coordinator is told to read them."""
        before = self.view()
        (self.site / "site.yaml").write_text(text)
        assert self.coordinator.process is not None
        self.coordinator.process.send_signal(signal.SIGHUP)
        wait_until(lambda: (self.view().candidate, self.view().refused) != (before.candidate, before.refused))

    def on(self, digest: str) -> int:
        return sum(each.nodes for each in self.view().running if each.digest == digest)

    def rolled_out(self) -> str:
        """Roll out what the coordinator has read, to the end; its digest."""
        outcome = self.change(RolloutChange.BEGIN)
        assert outcome.verdict is Verdict.DONE, outcome
        wait_until(lambda: self.view().phase == "idle")
        return self.view().base


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with ExitStack() as stack:
        made = Fleet(tmp_path, stack)
        made.start()
        stack.callback(made.coordinator.kill)
        yield made


def test_a_new_rule_reaches_the_canary_first_and_then_everybody(fleet: Fleet) -> None:
    canary, other, own = (
        fleet.agent("n1", pool="canary"),
        fleet.agent("n2"),
        fleet.agent("n3", rules_from="local"),
    )
    wait_until(lambda: sum(each.connected for each in fleet.view().running) == 3)
    fleet.write(A_RULE)
    digest = fleet.rolled_out()
    assert digest == fleet.view().candidate
    wait_until(lambda: fleet.on(digest) == 2)
    assert fleet.view().not_taking == 1
    for agent in (canary, other):
        agent.prints()
        wait_until(lambda agent=agent: "OurGpuLost" in agent.open_types())
    own.prints()
    wait_until(own.open_types)
    assert "OurGpuLost" not in own.open_types()
    told = [entry["what"] for entry in fleet.coordinator.ledger() if not entry["node"]]
    assert told[0] == "rules roll-out begun"
    assert told[-1] == "rules rolled out"


def test_an_agent_that_nobody_answers_starts_with_the_set_that_it_was_handed(fleet: Fleet) -> None:
    agent = fleet.agent("n1", pool="canary")
    wait_until(lambda: fleet.view().running)
    fleet.write(A_RULE)
    digest = fleet.rolled_out()
    wait_until(lambda: fleet.on(digest) == 1)
    fleet.coordinator.kill()
    agent.kill()
    agent.start()
    agent.prints()
    wait_until(lambda: "OurGpuLost" in agent.open_types())


def test_rolling_back_gives_every_node_its_own_files_again_at_once(fleet: Fleet) -> None:
    agent = fleet.agent("n1", pool="canary")
    wait_until(lambda: fleet.view().running)
    before = agent.health().rules_digest
    fleet.write(A_RULE)
    fleet.rolled_out()
    wait_until(lambda: agent.health().rules_digest != before)
    assert fleet.change(RolloutChange.ROLL_BACK).verdict is Verdict.DONE
    wait_until(lambda: agent.health().rules_digest == before)
    wait_until(lambda: fleet.on("") == 1)


def test_a_set_that_an_agent_cannot_use_holds_the_roll_out_and_says_why(fleet: Fleet) -> None:
    """The canary's disk takes nothing: a file stands where the rules are to lie."""
    canary = fleet.agent("n1", pool="canary")
    other = fleet.agent("n2")
    wait_until(lambda: sum(each.connected for each in fleet.view().running) == 2)
    shelf = canary.folder / "state" / "rules"
    wait_until(shelf.is_dir)
    shelf.rename(shelf.with_name("gone"))
    shelf.write_text("no folder")
    digest, before = other.health().rules_digest, canary.health().rules_digest
    fleet.write(A_RULE)
    fleet.change(RolloutChange.BEGIN)
    wait_until(lambda: fleet.view().phase == "held")
    view = fleet.view()
    assert "n1 refused it" in view.why
    assert [each.node for each in view.refusals] == ["n1"]
    assert (canary.health().rules_digest, other.health().rules_digest) == (before, digest)
    assert not next(m for m in canary.health().monitors if m.name == "rules").healthy
    shelf.unlink()
    shelf.with_name("gone").rename(shelf)
    assert fleet.change(RolloutChange.BEGIN).verdict is Verdict.DONE
    wait_until(lambda: fleet.view().phase == "idle")
    wait_until(lambda: fleet.on(fleet.view().base) == 2)
    assert next(m for m in canary.health().monitors if m.name == "rules").healthy


def test_bad_files_leave_the_coordinator_with_the_last_good_ones_also_at_its_next_start(fleet: Fleet) -> None:
    fleet.write(A_RULE)
    good = fleet.view().candidate
    fleet.write(A_RULE.replace("code", "cod"))
    view = fleet.view()
    assert view.candidate == good
    assert "site.yaml:4:" in view.refused[0]
    fleet.coordinator.kill()
    fleet.start()
    view = fleet.view()
    assert (view.candidate, view.version) == (good, 2)
    assert "site.yaml:4:" in view.refused[0]


def test_a_coordinator_killed_in_the_middle_goes_on_with_the_same_stage(fleet: Fleet) -> None:
    fleet.coordinator.stop()
    fleet.coordinator.extra["rollout"] = {**QUICK, "soak": "1h"}
    fleet.start()
    fleet.agent("n1", pool="canary")
    other = fleet.agent("n2")
    wait_until(lambda: sum(each.connected for each in fleet.view().running) == 2)
    before = other.health().rules_digest
    fleet.write(A_RULE)
    fleet.change(RolloutChange.BEGIN)
    fleet.coordinator.kill()
    fleet.start()
    view = fleet.view()
    assert (view.phase, view.stage, view.chosen) == ("rolling", 1, 1)
    wait_until(lambda: fleet.on(view.target) == 1, patience=LONG)
    assert other.health().rules_digest == before
    fleet.coordinator.stop()
    fleet.coordinator.extra["rollout"] = QUICK
    fleet.start()
    wait_until(lambda: fleet.view().phase == "idle", patience=LONG)
    wait_until(lambda: fleet.on(view.target) == 2, patience=LONG)


def test_an_agent_killed_while_it_takes_a_set_has_it_whole_or_not_at_all(fleet: Fleet) -> None:
    agent = fleet.agent("n1", pool="canary")
    wait_until(lambda: fleet.view().running)
    fleet.write(A_RULE)
    fleet.change(RolloutChange.BEGIN)
    shelf = agent.folder / "state" / "rules"
    wait_until(lambda: len(list(shelf.iterdir())) > 2)
    agent.kill()
    agent.start()
    wait_until(lambda: fleet.on(fleet.view().candidate) == 1)
    wait_until(lambda: fleet.view().phase == "idle")


def test_the_command_line_shows_it_and_asks_first(fleet: Fleet) -> None:
    fleet.agent("n1", pool="canary")
    wait_until(lambda: fleet.view().running)
    fleet.write(A_RULE)

    def sickbay(*words: str) -> "subprocess.CompletedProcess[str]":
        argv = [
            sys.executable,
            "-m",
            "sickbay.cli.main",
            "rules",
            *words,
            "--coordinator",
            fleet.coordinator.target,
        ]
        return subprocess.run(argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)

    refused = sickbay("roll-out")
    assert (refused.returncode, "--yes" in refused.stderr) == (2, True)
    done = sickbay("roll-out", "--yes")
    assert done.returncode == 0, done.stderr
    wait_until(lambda: fleet.view().phase == "idle")
    shown = sickbay("status")
    assert f"nodes are to run {fleet.view().base[:12]}" in shown.stdout
    assert json.loads(sickbay("status", "-o", "json").stdout)["candidate"] == fleet.view().base
