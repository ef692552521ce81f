from pathlib import Path

import msgspec
import pytest
from tests.support.rules import written

from sickbay.core.problems import RefusedError
from sickbay.host.config_files import Seconds, load_config


class Peer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    host: str
    port: int = 80


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    node: str = "here"
    interval: Seconds = Seconds(10)
    state: Path = Path("/var/lib/sickbay")
    main: Peer | None = None
    peers: tuple[Peer, ...] = ()
    named: dict[str, Peer] = {}
    labels: dict[str, str] = {}


def load(tmp_path: Path, text: str) -> Config:
    return load_config(written(tmp_path / "agent.yaml", text), Config)


def refused(tmp_path: Path, text: str) -> str:
    with pytest.raises(RefusedError) as caught:
        load(tmp_path, text)
    (problem,) = caught.value.problems
    return str(problem).replace(f"{tmp_path}/", "")


def test_a_file_becomes_a_typed_value(tmp_path: Path) -> None:
    text = (
        "node: n1\ninterval: 1m30s\nstate: /tmp\nmain: {host: a}\n"
        "peers: [{host: b, port: 1}]\nlabels: {a: b}\n"
    )
    assert load(tmp_path, text) == Config(
        node="n1",
        interval=Seconds(90),
        state=Path("/tmp"),  # noqa: S108 - a value, not a file
        main=Peer("a"),
        peers=(Peer("b", 1),),
        labels={"a": "b"},
    )


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_an_empty_file_gives_the_defaults(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, text) == Config()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "node: n1\nintervall: 5s\n",
            "agent.yaml:2:1: found the unknown key 'intervall'; expected one of interval,",
        ),
        ("node: n1\nintervall: 5s\n", "(did you mean interval?)"),
        ("node: 5\n", "agent.yaml:1:7: found node: 5; expected str"),
        ("interval: 5\n", "agent.yaml:1:11: found interval: 5; expected a duration with its unit"),
        ("interval: soon\n", "agent.yaml:1:11: found interval: 'soon'; expected"),
        ("state: 5\n", "agent.yaml:1:8: found state: 5; expected a path"),
        (
            "main: {host: a, prt: 1}\n",
            "agent.yaml:1:17: found the unknown key 'prt'; expected one of host, port",
        ),
        ("main: {port: 1}\n", "agent.yaml:1:7: found no main.host; expected the key host"),
        ("peers:\n  - host: a\n  - host: 7\n", "agent.yaml:3:11: found host: 7; expected str"),
        (
            "peers: [{host: a, prt: 1}]\n",
            "agent.yaml:1:19: found the unknown key 'prt'; expected one of host, port",
        ),
        ("peers: {host: a}\n", "agent.yaml:1:8: found peers: {'host': 'a'}; expected array"),
        ("named:\n  x: {host: a, port: b}\n", "agent.yaml:2:3: found named:"),
        ("named:\n  x: {hst: a}\n", "found the unknown key 'hst'; expected one of host, port"),
        ("- 1\n", "agent.yaml:1:1: found [1]; expected object"),
        ("just words\n", "agent.yaml:1:1: found 'just words'; expected object"),
        ("node: [\n", "agent.yaml:2:1: found"),
        ("node: a\nnode: b\n", "agent.yaml:2:1: found the key 'node' again"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    assert words in refused(tmp_path, text)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"agent\.yaml: found No such file"):
        load_config(tmp_path / "agent.yaml", Config)
