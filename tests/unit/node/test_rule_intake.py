"""What an agent does with a rule set: all of it, or nothing but saying why not."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.node_parts import Parts
from tests.support.rules import written

from sickbay.core.problems import RefusedError
from sickbay.core.rule_bundles import RuleBundle, RuleFile, RuleLayer, RuleSetOffer, RulesReport
from sickbay.host.rule_shelf import RuleShelf
from sickbay.node.config import AgentConfig
from sickbay.node.rule_intake import RuleIntake, beginning, own_files

RULE = """
- id: {name}
  on: xid
  when: signal.code == 79
  condition: {{type: Ours, severity: warning, scope: gpu, reason: "Xid{{code}}"}}
  clear: {{after: reboot}}
  because: a test says so
"""


class Host:
    """An agent's rules on a host of its own."""

    def __init__(self, folder: Path, rules_from: str = "coordinator") -> None:
        self.site = written(folder / "site/own.yaml", RULE.format(name="own")).parent
        builtin = written(folder / "builtin/b.yaml", RULE.format(name="builtin")).parent
        self.config = AgentConfig(
            state_dir=str(folder), rules=(str(self.site),), builtin_rules=str(builtin), rules_from=rules_from
        )
        self.shelf = RuleShelf(self.config.shelf_path)
        self.told: list[RulesReport] = []
        self.start(folder / "first")

    def start(self, folder: Path) -> None:
        folder.mkdir()
        begun = beginning(self.config, self.shelf)
        self.parts = Parts(folder, rules=begun.loaded.rules)
        self.parts.start()
        self.intake = RuleIntake(
            config=self.config,
            judge=self.parts.judge,
            clock=self.parts.clock,
            shelf=self.shelf,
            tell=self.told.append,
        )
        self.intake.begin(begun)
        self.begun = begun

    @property
    def rules(self) -> list[str]:
        return [rule.id for rule in self.parts.judge.rules.rules]

    @property
    def trouble(self) -> str:
        return self.parts.status.monitors["rules"].detail


def offered(name: str = "theirs", text: str = "") -> RuleSetOffer:
    file = RuleFile(name="r.yaml", text=text or RULE.format(name=name))
    bundle = RuleBundle(layers=(RuleLayer(origin="/their/rules", files=(file,)),))
    return RuleSetOffer(digest=bundle.digest, version=4, bundle=bundle)


@pytest.fixture
async def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


async def test_a_set_is_run_whole_kept_and_told(host: Host, tmp_path: Path) -> None:
    assert host.rules == ["builtin", "own"]
    offer = offered()
    await host.intake.offered(offer)
    assert host.rules == ["theirs"]
    assert (host.told[-1].running, host.told[-1].version, host.told[-1].refused) == (offer.digest, 4, "")
    assert host.told[-1].rules_digest == host.parts.status.rules_digest
    host.start(tmp_path / "second")
    assert host.rules == ["theirs"]
    assert host.intake.report.running == offer.digest


@pytest.mark.parametrize(
    ("offer", "why"),
    [
        (offered(text="- {id: x, oops: 1}"), "/their/rules/r.yaml:1:"),
        (replace(offered(), digest="0" * 64), "texts of digest"),
        (RuleSetOffer(digest="0" * 64, unreadable="cut off"), "cut off"),
    ],
)
async def test_a_set_that_cannot_be_used_changes_nothing_but_what_is_said(
    host: Host, offer: RuleSetOffer, why: str
) -> None:
    await host.intake.offered(offer)
    assert host.rules == ["builtin", "own"]
    assert (host.told[-1].running, host.told[-1].refused) == ("", offer.digest)
    assert why in host.told[-1].problems[0]
    assert why in host.trouble
    await host.intake.offered(offered())
    assert (host.trouble, host.told[-1].refused) == ("", "")


async def test_going_back_brings_the_hosts_own_files_in_force_again(host: Host, tmp_path: Path) -> None:
    await host.intake.offered(offered())
    await host.intake.offered(RuleSetOffer(digest=""))
    assert host.rules == ["builtin", "own"]
    assert host.told[-1].running == ""
    host.start(tmp_path / "second")
    assert host.rules == ["builtin", "own"]


async def test_an_agent_that_keeps_to_its_own_files_takes_nothing_and_says_so(tmp_path: Path) -> None:
    host = Host(tmp_path, "local")
    await host.intake.offered(offered())
    assert host.rules == ["builtin", "own"]
    assert "rules_from: local" in host.told[-1].problems[0]
    assert (host.trouble, host.told[-1].takes) == ("", False)


async def test_own_files_that_were_spoilt_leave_the_last_good_ones_also_at_the_next_start(
    tmp_path: Path,
) -> None:
    host = Host(tmp_path, "local")
    await host.intake.keep(host.begun)
    (host.site / "own.yaml").write_text("- {id: x, oops: 1}")
    await host.intake.reload()
    assert host.rules == ["builtin", "own"]
    assert "own.yaml:1:" in host.trouble
    host.start(tmp_path / "second")
    assert host.rules == ["builtin", "own"]
    assert "own.yaml:1:" in host.trouble
    (host.site / "own.yaml").write_text(RULE.format(name="mended"))
    await host.intake.reload()
    assert (host.rules, host.trouble) == (["builtin", "mended"], "")


async def test_a_first_start_with_spoilt_files_is_refused(tmp_path: Path) -> None:
    host = Host(tmp_path)
    (host.site / "own.yaml").write_text("- {id: x, oops: 1}")
    with pytest.raises(RefusedError):
        own_files(host.config)
    with pytest.raises(RefusedError):
        beginning(host.config, RuleShelf(tmp_path / "empty"))


async def test_a_kept_set_that_is_spoilt_leaves_the_hosts_own_files_and_says_so(
    host: Host, tmp_path: Path
) -> None:
    offer = offered()
    await host.intake.offered(offer)
    (host.config.shelf_path / offer.digest / "00" / "r.yaml").write_text("[]")
    host.start(tmp_path / "second")
    assert host.rules == ["builtin", "own"]
    assert "cannot be used" in host.trouble
    assert host.intake.report.running == ""


async def test_profiles_change_with_the_rules(host: Host) -> None:
    profile = RuleFile(
        name="platforms/p.yaml", text='- {id: ours, name: Ours, devices: ["beef"], nvlinks: 3}'
    )
    rules = RuleFile(name="r.yaml", text=RULE.format(name="theirs"))
    bundle = RuleBundle(layers=(RuleLayer(origin="/r", files=(profile, rules)),))
    await host.intake.offered(RuleSetOffer(digest=bundle.digest, bundle=bundle))
    assert host.parts.judge.platforms.of("0xbeef10de").nvlinks == 3


async def test_reading_the_own_files_anew_does_not_take_a_coordinators_set_out_of_force(host: Host) -> None:
    await host.intake.offered(offered())
    await host.intake.reload()
    assert host.rules == ["theirs"]
