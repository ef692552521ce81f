"""What a site may say of how its hosts are watched, and what is refused with its place."""

from pathlib import Path

import pytest

from sickbay.core.problems import RefusedError
from sickbay.host.config_files import load_config
from sickbay.host.host_settings import USUAL_SETTINGS, HostSettings

PLUGIN = "plugins: [{{name: {name}, command: {command}, every: {every}, deadline: {deadline}}}]"
GOOD = {"name": "scratch", "command": "[/bin/true]", "every": "1m", "deadline": "10s"}


def loaded(folder: Path, text: str) -> HostSettings:
    file = folder / "host.yaml"
    file.write_text(text)
    return load_config(file, HostSettings)


def test_nothing_said_is_the_usual(tmp_path: Path) -> None:
    assert loaded(tmp_path, "") == USUAL_SETTINGS


def test_a_plugin_is_read_whole(tmp_path: Path) -> None:
    (plugin,) = loaded(tmp_path, PLUGIN.format(**GOOD)).plugins
    assert (plugin.name, plugin.command, plugin.every, plugin.deadline) == ("scratch", ("/bin/true",), 60, 10)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PLUGIN.format(**{**GOOD, "name": "'my check'"}), "letters, digits"),
        (PLUGIN.format(**{**GOOD, "command": "[]"}), "a program and its arguments"),
        (PLUGIN.format(**{**GOOD, "every": "10ms"}), "at least 1s"),
        (PLUGIN.format(**{**GOOD, "deadline": "0s"}), "a span of time"),
        ("plugins: [{name: a, command: [x]}, {name: a, command: [y]}]", "a name of its own"),
        ("plugins: [{name: a}]", "command"),
        ("mount_answer: 10m", "at most 20s"),
        ("jitter: 0.9", "from 0 to 0.5"),
        ("pluginz: []", "plugins"),
    ],
)
def test_what_could_not_be_kept_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        loaded(tmp_path, text)
