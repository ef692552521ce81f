import pytest
from tests.support.rules import entries_from

from sickbay.core.remedies import DrainMode, OnTimeout, RungKind
from sickbay.core.remedy_parsing import parse_remedies

WHOLE = """
- id: drain-and-reset-gpu
  about: reset it
  drain: {mode: none, timeout: 2h, on_timeout: hold}
  ladder:
    - {do: restart_service, service: nvidia-fabricmanager.service}
    - {do: reset_gpu, deadline: 5m}
    - {do: reboot}
  validation: {soak: 30s, deadline: 3m}
  attempts: {max: 3, window: 12h}
  deadlines: {cordon: 10s, evidence: 20s, return: 30s}
"""


def problems(text: str) -> list[str]:
    return [str(problem) for problem in parse_remedies(entries_from(text))[1]]


def test_a_remedy_is_read_whole() -> None:
    remedies, wrong = parse_remedies(entries_from(WHOLE))
    assert not wrong
    remedy = remedies["drain-and-reset-gpu"]
    assert remedy.drain.mode is DrainMode.NONE
    assert remedy.drain.timeout == 7200.0
    assert remedy.drain.on_timeout is OnTimeout.HOLD
    assert [rung.kind for rung in remedy.ladder] == [
        RungKind.RESTART_SERVICE,
        RungKind.RESET_GPU,
        RungKind.REBOOT,
    ]
    assert remedy.ladder[0].service == "nvidia-fabricmanager.service"
    assert remedy.ladder[1].deadline == 300.0
    assert (remedy.validation.soak, remedy.validation.deadline) == (30.0, 180.0)
    assert (remedy.attempts.max, remedy.attempts.window) == (3, 43200.0)
    assert remedy.deadlines.returning == 30.0


def test_what_is_left_out_is_careful() -> None:
    remedy = parse_remedies(entries_from("- {id: reboot, ladder: [{do: reboot}]}"))[0]["reboot"]
    assert remedy.drain.mode is DrainMode.WAIT
    assert remedy.drain.on_timeout is OnTimeout.HOLD


def test_a_rule_can_always_name_none() -> None:
    assert not parse_remedies(())[0]["none"].acts


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- {id: a, ladder: [{do: reboot}, {do: reset_gpu}]}", "each rung harder than the one before it"),
        ("- {id: a, ladder: [{do: reboot}, {do: reboot}]}", "each rung harder than the one before it"),
        ("- {id: a, ladder: [{do: rebot}]}", "(did you mean reboot?)"),
        ("- {id: a, ladder: [reboot]}", "found 'reboot'; expected a mapping"),
        ("- {id: a, ladder: reboot}", "a list of mappings"),
        ("- {id: a, ladder: [{do: restart_service}]}", "found no ladder.0.service"),
        ("- {id: a, ladder: [{do: reboot, service: x}]}", "with restart_service and nowhere else"),
        ("- {id: a, drain: {mode: kill}}", "found mode: 'kill'; expected one of none, wait"),
        ("- {id: a, drain: {timeout: 60}}", "a duration with its unit"),
        ("- {id: a, drain: {timeout: 1 hour}}", "a duration such as"),
        ("- {id: a, drain: wait}", "found drain: 'wait'; expected a mapping"),
        ("- {id: a, attempts: {max: 0}}", "a whole number from 1 to 100"),
        ("- {id: a, attempts: {max: true}}", "a whole number from 1 to 100"),
        ("- {id: a, laddder: []}", "did you mean ladder?"),
        ("- {about: nothing}", "found no id; expected a text"),
        ("- {id: none, ladder: [{do: reboot}]}", "a second remedy 'none'"),
        ("- {id: a}\n- {id: a}", "rules.yaml:2:8: found a second remedy 'a'"),
    ],
)
def test_what_is_wrong_is_told_with_what_would_be_right(text: str, words: str) -> None:
    assert any(words in problem for problem in problems(text)), problems(text)
