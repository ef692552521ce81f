"""Rule sets on the disk: kept whole, found again, and not believed when they are not what was kept."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.rules import written

from sickbay.core.problems import RefusedError
from sickbay.core.rule_bundles import RuleBundle, RuleFile, RuleLayer
from sickbay.host.rule_files import builtin_rules_dir
from sickbay.host.rule_sets import load_set, load_with_texts, read_bundle
from sickbay.host.rule_shelf import Kept, RuleShelf

RULE = """
- id: ours
  on: xid
  when: signal.code == 79
  condition: {type: Ours, severity: warning, scope: gpu, reason: "Xid{code}"}
  clear: {after: reboot}
  because: a test says so
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return written(tmp_path / "site/ours.yaml", RULE).parent


@pytest.fixture
def shelf(tmp_path: Path) -> RuleShelf:
    return RuleShelf(tmp_path / "rules")


def one_file(name: str, text: str = "[]") -> RuleBundle:
    return RuleBundle(layers=(RuleLayer(origin="/site", files=(RuleFile(name=name, text=text),)),))


def test_a_set_that_was_laid_down_says_what_its_files_said(site: Path, shelf: RuleShelf) -> None:
    loaded, bundle = load_with_texts(site)
    kept = shelf.try_out(bundle)
    assert (kept.rules.digest, kept.platforms) == (loaded.rules.digest, loaded.platforms)
    assert kept.remedies == loaded.remedies
    assert shelf.load(bundle.digest).rules.digest == loaded.rules.digest
    assert shelf.texts(bundle.digest).digest == bundle.digest


def test_nothing_is_in_force_until_it_is_said_so(site: Path, shelf: RuleShelf) -> None:
    _, bundle = load_with_texts(site)
    shelf.try_out(bundle)
    assert shelf.current() is None
    kept = Kept(digest=bundle.digest, version=3, offered=True, since=7.0)
    shelf.put_in_force(kept)
    assert shelf.current() == kept


def test_only_the_set_in_force_and_the_one_before_it_stay(tmp_path: Path, shelf: RuleShelf) -> None:
    builtin = written(tmp_path / "builtin/r.yaml", RULE).parent
    digests = []
    for number in (1, 2, 3):
        _, bundle = load_with_texts(
            written(tmp_path / f"s{number}/r.yaml", RULE.replace("ours", f"o{number}")), builtin=builtin
        )
        shelf.try_out(bundle)
        shelf.put_in_force(Kept(digest=bundle.digest, before=digests[-1] if digests else ""))
        digests.append(bundle.digest)
    assert sorted(each.name for each in (tmp_path / "rules").iterdir() if each.is_dir()) == sorted(
        digests[1:]
    )


def test_a_bad_set_leaves_nothing_and_names_its_files_as_they_are_called_at_home(
    tmp_path: Path, shelf: RuleShelf
) -> None:
    bad = RuleBundle(
        layers=(
            *read_bundle((builtin_rules_dir(),)).layers,
            RuleLayer(
                origin="/etc/sickbay/rules.d", files=(RuleFile(name="x.yaml", text="- {id: x, oops: 1}"),)
            ),
        ),
    )
    with pytest.raises(RefusedError) as caught:
        shelf.try_out(bad)
    assert str(caught.value.problems[0]).startswith("/etc/sickbay/rules.d/x.yaml:1:")
    assert list((tmp_path / "rules").iterdir()) == []


def test_a_set_that_somebody_wrote_to_is_not_believed_and_is_mended_by_the_next(
    tmp_path: Path, site: Path, shelf: RuleShelf
) -> None:
    _, bundle = load_with_texts(site)
    shelf.try_out(bundle)
    (tmp_path / "rules" / bundle.digest / "01" / "ours.yaml").write_text("[]")
    with pytest.raises(RefusedError, match="do not match their digest"):
        shelf.load(bundle.digest)
    shelf.try_out(bundle)
    assert shelf.load(bundle.digest)


@pytest.mark.parametrize(
    "name", ["../x.yaml", "/etc/x.yaml", "a/b.yaml", ".x.yaml", "x.sh", "platforms/../x.yaml"]
)
def test_a_name_that_leads_elsewhere_is_refused_before_anything_is_written(
    tmp_path: Path, shelf: RuleShelf, name: str
) -> None:
    with pytest.raises(RefusedError, match="file name"):
        shelf.try_out(one_file(name))
    assert list((tmp_path / "rules").iterdir()) == []


def test_the_digest_names_what_is_said_and_not_where(site: Path) -> None:
    bundle = read_bundle((builtin_rules_dir(), site))
    elsewhere = replace(bundle, layers=tuple(replace(each, origin="/other") for each in bundle.layers))
    assert elsewhere.digest == bundle.digest
    assert one_file("a.yaml", "b").digest != one_file("a.yaml", "c").digest != one_file("b.yaml", "c").digest


def test_a_single_file_can_be_a_layer(tmp_path: Path) -> None:
    file = written(tmp_path / "alone.yaml", RULE)
    (tmp_path / "beside.yaml").write_text("not: read")
    _, bundle = load_with_texts(file)
    assert [each.name for each in bundle.layers[1].files] == ["alone.yaml"]


def test_rules_and_profiles_are_refused_together(tmp_path: Path) -> None:
    written(tmp_path / "s/platforms/p.yaml", "- {id: p, oops: 1}")
    written(tmp_path / "s/r.yaml", "- {id: r, oops: 1}")
    with pytest.raises(RefusedError) as caught:
        load_set(tmp_path / "s")
    assert {Path(problem.file).name for problem in caught.value.problems} == {"p.yaml", "r.yaml"}
