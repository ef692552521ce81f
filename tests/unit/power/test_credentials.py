"""Credentials: only from a file that nobody else can read, and never shown."""

import os
from pathlib import Path

import pytest

from sickbay.core.ids import NodeName
from sickbay.power.credentials import Credentials, CredentialsError, CredentialsFile

SECRET = "correct-horse"  # noqa: S105 - it opens nothing
NODE = NodeName("gpu-1")


def file(tmp_path: Path, text: str, mode: int = 0o600) -> CredentialsFile:
    path = tmp_path / "bmc.yaml"
    path.write_text(text)
    path.chmod(mode)
    return CredentialsFile(path=path)


def test_a_node_has_its_own_login_or_the_default_one(tmp_path: Path):
    found = file(
        tmp_path,
        f"default: {{username: admin, password: {SECRET}}}\n"
        "nodes:\n  gpu-1: {username: root, password: other}\n",
    )
    assert found.of(NODE) == Credentials(username="root", password="other")  # noqa: S106 - as above
    assert found.of(NodeName("gpu-2")) == Credentials(username="admin", password=SECRET)


def test_a_login_does_not_show_itself():
    shown = repr(Credentials(username="admin", password=SECRET))
    assert SECRET not in shown
    assert "admin" not in shown


def test_a_changed_password_is_read_without_a_restart(tmp_path: Path):
    found = file(tmp_path, "default: {username: admin, password: old}")
    found.of(NODE)
    file(tmp_path, "default: {username: admin, password: new}")
    assert found.of(NODE).password == "new"  # noqa: S105 - as above


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o666])
def test_a_file_that_others_can_read_or_change_is_refused(tmp_path: Path, mode: int):
    with pytest.raises(CredentialsError, match=f"mode {mode:04o}; chmod 600"):
        file(tmp_path, "default: {username: a, password: b}", mode).check()


def test_the_group_may_read_what_systemd_hands_over_and_nothing_else(tmp_path: Path):
    path = file(tmp_path, "default: {username: a, password: b}", 0o440).path
    CredentialsFile(path=path, by_systemd=True).check()
    path.chmod(0o444)
    with pytest.raises(CredentialsError, match="mode 0444"):
        CredentialsFile(path=path, by_systemd=True).check()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(tmp_path: Path):
    found = file(tmp_path, "default: {username: a, password: b}")
    os.chown(found.path, 12345, -1)
    with pytest.raises(CredentialsError, match="belongs to user 12345"):
        found.check()


@pytest.mark.parametrize(
    "text",
    [
        f"default: {{username: admin, password: !{SECRET} x}}",
        f"default: {{username: admin, password: *{SECRET}}}",
        f"default: {{username: admin, password: [{SECRET}]}}",
        f"default: {{username: admin, pasword: {SECRET}}}",
        f"default: {SECRET}",
        f"{SECRET}: {SECRET}",
        f"default: {{username: admin, password: '{SECRET}",
        f"nodes: {{gpu-1: {SECRET}}}",
        SECRET,
        "",
    ],
)
def test_a_file_that_is_not_understood_is_refused_without_a_word_of_it(tmp_path: Path, text: str):
    with pytest.raises(CredentialsError) as refused:
        file(tmp_path, text).of(NODE)
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None
    assert "bmc.yaml" in str(refused.value)


def test_a_password_that_yaml_takes_for_a_number_is_told_of(tmp_path: Path):
    with pytest.raises(CredentialsError, match="quoted"):
        file(tmp_path, "default: {username: admin, password: 12345}").of(NODE)


def test_no_file_is_told_of_with_its_name(tmp_path: Path):
    with pytest.raises(CredentialsError, match="cannot be read: No such file"):
        CredentialsFile(path=tmp_path / "none").check()


def test_a_folder_or_a_pipe_is_no_file_and_nobody_waits_for_it(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("pipe", "."):
        with pytest.raises(CredentialsError, match=r"no plain file|cannot be read"):
            CredentialsFile(path=tmp_path / name).check()
