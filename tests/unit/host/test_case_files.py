"""Files of cases, alone and in the folders of layers."""

from pathlib import Path

import pytest
from tests.support.cases import PLATFORMS, bench
from tests.support.rules import written

from sickbay.core.problems import RefusedError
from sickbay.host.case_files import cases_of_layers, load_cases, profiles_by_id

CASE = "- {name: a, given: [{at: 0s, boot: true}], expect: [{at: 1s, open: []}]}\n"


def test_the_files_right_inside_a_folder_are_read(tmp_path: Path) -> None:
    written(tmp_path / "cases/a.yaml", CASE)
    written(tmp_path / "cases/b.yml", CASE + CASE)
    written(tmp_path / "cases/notes.txt", "no case")
    (folder,) = cases_of_layers((tmp_path, written(tmp_path / "one.yaml", "")))
    loaded = load_cases((folder,), bench().rules, PLATFORMS)
    assert len(loaded.cases) == 3
    assert [file.name for file in loaded.files] == ["a.yaml", "b.yml"]


def test_the_mistakes_of_all_files_are_told_together(tmp_path: Path) -> None:
    files = [written(tmp_path / name, CASE.replace("open", "opn")) for name in ("a.yaml", "b.yaml")]
    missing = tmp_path / "nothing.yaml"
    with pytest.raises(RefusedError) as refused:
        load_cases((*files, missing), bench().rules, PLATFORMS)
    assert {problem.file for problem in refused.value.problems} == {str(file) for file in (*files, missing)}


def test_profiles_go_by_their_own_names() -> None:
    assert profiles_by_id(PLATFORMS)["h100-sxm5"].nvlinks == 18
