"""The agent as a process: from a line of the kernel log to everyone who must know."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from tests.support.agent_process import XID_79, AgentProcess
from tests.support.waiting import wait_until

from sickbay.core.conditions import Condition, Status
from sickbay.core.outcomes import Verdict
from sickbay.core.views import Health
from sickbay.rpc.ports import NotFound, Refused


@pytest.fixture
def agent(tmp_path: Path) -> AgentProcess:
    return AgentProcess(tmp_path / "host")


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "sickbay.node.launch", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_line_of_the_kernel_becomes_a_condition_a_history_and_a_verdict(agent: AgentProcess) -> None:
    with agent:
        assert agent.health().health is Health.HEALTHY
        sequence = agent.prints()
        wait_until(lambda: agent.open_types() == ["GpuFallenOffBus"])
        wait_until(lambda: len(agent.events()) == 2)
        first, second = agent.events()
        assert first.id == f"boot-1/kmsg/{sequence}"
        assert isinstance(second.what, Condition)
        assert second.what.evidence == (first.id,)
        assert json.loads(agent.verdict.read_text())["verdict"] == "unhealthy"


def test_figures_are_served_with_help_and_type_for_every_series(agent: AgentProcess) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    agent.changes["metrics"] = f"127.0.0.1:{port}"
    with agent:
        agent.prints()
        wait_until(lambda: agent.open_types() == ["GpuFallenOffBus"])
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
            page = response.read().decode()
    names = {line.split()[2] for line in page.splitlines() if line.startswith("# TYPE")}
    for line in page.splitlines():
        if line and not line.startswith("#"):
            name = line.partition("{")[0].partition(" ")[0]
            assert any(
                name in {known, f"{known}_bucket", f"{known}_sum", f"{known}_count"} for known in names
            )
    assert 'sickbay_condition{type="GpuFallenOffBus",severity="fatal"' in page
    assert 'sickbay_xid_events_total{pci="0000:1b:00",xid="79",source="kmsg"} 1' in page


def test_an_address_for_figures_that_is_taken_is_said_and_costs_no_detection(agent: AgentProcess) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        agent.changes["metrics"] = f"127.0.0.1:{taken.getsockname()[1]}"
        with agent:
            (told,) = [monitor for monitor in agent.health().monitors if monitor.name == "metrics"]
            assert "in use" in told.detail
            agent.prints()
            wait_until(lambda: agent.open_types() == ["GpuFallenOffBus"])


def test_a_coordinator_that_does_not_answer_is_said_and_costs_no_detection(agent: AgentProcess) -> None:
    agent.changes["coordinators"] = [f"unix:{agent.folder}/nobody.sock"]
    with agent:
        (told,) = [monitor for monitor in agent.health().monitors if monitor.name == "coordinator"]
        assert not told.healthy
        agent.prints()
        wait_until(lambda: agent.open_types() == ["GpuFallenOffBus"])
        assert agent.health().coordinator == f"unix:{agent.folder}/nobody.sock"


def test_a_restart_in_the_same_boot_keeps_what_is_open_and_tells_nothing_twice(agent: AgentProcess) -> None:
    with agent:
        agent.prints()
        wait_until(lambda: len(agent.events()) == 2)
        before = agent.events()
    with agent:
        assert agent.open_types() == ["GpuFallenOffBus"]
        assert agent.events() == before


def test_what_happened_while_the_agent_was_away_is_read_when_it_comes_back(agent: AgentProcess) -> None:
    with agent:
        pass
    agent.prints()
    with agent:
        wait_until(lambda: agent.open_types() == ["GpuFallenOffBus"])


def test_a_new_boot_ends_what_was_open_and_says_so(agent: AgentProcess) -> None:
    with agent:
        agent.prints()
        wait_until(lambda: len(agent.events()) == 2)
    agent.reboot("boot-2")
    with agent:
        assert agent.open_types() == []
        wait_until(lambda: len(agent.events()) == 3)
        cleared = agent.events()[-1]
        assert isinstance(cleared.what, Condition)
        assert cleared.what.status is Status.FALSE
        assert cleared.boot_id == "boot-2"
        assert agent.health().health is Health.HEALTHY


def test_told_to_stop_it_ends_in_order_and_takes_its_verdict_with_it(agent: AgentProcess) -> None:
    agent.start()
    assert agent.verdict.exists()
    assert agent.stop() == 0
    assert list((agent.folder / "run").iterdir()) == []
    assert "told to stop: stopping" in agent.log.read_text()


def test_systemd_hears_ready_alive_reloading_and_stopping(agent: AgentProcess, tmp_path: Path) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(address))
        systemd.settimeout(30)
        agent.environment = {"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "300000"}
        heard: list[str] = []

        def until(word: str) -> None:
            while not heard or word not in heard[-1]:
                heard.append(systemd.recv(4096).decode())

        with agent:
            until("READY=1")
            until("WATCHDOG=1")
            os.kill(agent.pid, signal.SIGHUP)
            until("RELOADING=1")
            until("READY=1")
        until("STOPPING=1")


def test_rules_that_are_broken_at_a_reload_leave_the_last_good_ones_in_force(
    agent: AgentProcess,
    tmp_path: Path,
) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("- {id: xid-79-gpu-off-the-bus, mode: observe}\n")
    agent.changes["rules"] = [str(site)]
    with agent:
        digest = agent.health().rules_digest
        site.write_text("- {id: xid-79-gpu-off-the-bus, mode: explode}\n")
        os.kill(agent.pid, signal.SIGHUP)
        wait_until(lambda: agent.open_types() == ["MonitorDegraded"])
        view = agent.health()
        (told,) = [monitor for monitor in view.monitors if monitor.name == "rules"]
        assert f"{site}:1:" in told.detail
        assert view.rules_digest == digest
        agent.prints()
        wait_until(lambda: "GpuFallenOffBus" in agent.open_types())
        site.write_text("- {id: xid-79-gpu-off-the-bus, disable: true}\n")
        os.kill(agent.pid, signal.SIGHUP)
        wait_until(lambda: agent.open_types() == [])
        assert agent.health().rules_digest != digest


def test_a_second_agent_on_the_same_host_is_told_who_is_there(agent: AgentProcess) -> None:
    with agent:
        second = run("--config", str(agent.config))
        assert second.returncode == 1
        assert f"another sickbay-agent (pid {agent.pid})" in second.stderr


def test_a_configuration_with_a_mistake_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text("node: n1\nnvml:\n  sweeep: 10s\n")
    refused = run("--config", str(path), "--check-config")
    assert refused.returncode == 2
    assert f"{path}:3:3: found the unknown key 'sweeep'" in refused.stderr
    assert "did you mean sweep?" in refused.stderr


def test_a_coordinator_that_plaintext_may_not_reach_is_refused_before_anything_starts(
    agent: AgentProcess,
) -> None:
    agent.changes["coordinators"] = ["10.0.0.1:7118"]
    agent.write_config()
    refused = run("--config", str(agent.config), "--check-config")
    assert refused.returncode == 2
    assert "insecure_plaintext_off_host" in refused.stderr


def test_a_good_configuration_is_shown_with_its_defaults(agent: AgentProcess) -> None:
    agent.write_config()
    shown = run("--config", str(agent.config), "--check-config")
    assert shown.returncode == 0
    assert json.loads(shown.stdout)["nvml"]["sweep"] == 10.0


def test_injected_faults_are_refused_unless_the_agent_was_told_to_take_them(agent: AgentProcess) -> None:
    with agent, agent.client as client:
        outcome = client.inject(XID_79)
        assert outcome.verdict is Verdict.FAILED
        assert "accept_injected" in outcome.detail


def test_an_injected_fault_goes_the_real_way_and_stays_marked(agent: AgentProcess) -> None:
    agent.changes["accept_injected"] = True
    with agent, agent.client as client:
        assert client.inject(XID_79).verdict is Verdict.DONE
        (condition,) = [c for c in agent.health().conditions if c.type == "GpuFallenOffBus"]
        assert condition.synthetic
        wait_until(lambda: len(agent.events()) == 2)
        assert all(event.what.synthetic for event in agent.events())
        assert client.inject("Hello, world").verdict is Verdict.FAILED


def test_it_explains_a_condition_an_event_and_a_line(agent: AgentProcess) -> None:
    with agent, agent.client as client:
        agent.prints()
        wait_until(lambda: len(agent.events()) == 2)
        text, machine = client.explain("GpuFallenOffBus")
        assert "rule: xid-79-gpu-off-the-bus (" in text
        assert "xid-bus.yaml:" in text
        assert "RESTART_BM" in text
        assert "clears: after a reboot of the node" in text
        assert json.loads(machine)["rule"]["id"] == "xid-79-gpu-off-the-bus"
        assert "xid-79-gpu-off-the-bus" in client.explain(agent.events()[0].id)[0]
        assert "class application" in client.explain(XID_79.replace("79,", "13,"))[0]
        assert "no monitor understands" in client.explain("a line about nothing")[0]
        with pytest.raises(NotFound):
            client.explain("GpuOnFire")


def test_evidence_is_a_folder_that_a_person_can_read(agent: AgentProcess) -> None:
    with agent, agent.client as client:
        agent.prints()
        wait_until(lambda: len(agent.events()) == 2)
        path, size = client.evidence("inc-1")
        files = {file.name for file in Path(path).iterdir()}
        assert files >= {"agent.json", "conditions.json", "config.yaml", "events.json", "kernel.log"}
        assert "fallen off the bus" in (Path(path) / "kernel.log").read_text()
        assert size > 0


def test_a_release_without_an_end_is_refused(agent: AgentProcess) -> None:
    with agent, agent.client as client, pytest.raises(Refused):
        client.release(0.0)


def test_one_look_says_how_the_host_is_by_its_exit_status(agent: AgentProcess) -> None:
    agent.write_config()
    assert run("--config", str(agent.config), "--once").returncode == 0
    agent.prints()
    look = run("--config", str(agent.config), "--once", "-o", "json")
    assert look.returncode == 2
    assert json.loads(look.stdout)["conditions"][0]["type"] == "GpuFallenOffBus"
    agent.kmsg.unlink()
    blind = run("--config", str(agent.config), "--once")
    assert blind.returncode == 3
    assert "kernel_log cannot see" in blind.stdout


def test_a_host_whose_kernel_log_cannot_be_read_is_unknown_and_not_healthy(agent: AgentProcess) -> None:
    agent.kmsg.unlink()
    with agent:
        view = agent.health()
        assert view.health is Health.UNKNOWN
        assert "kernel_log cannot see" in view.summary
        assert agent.open_types() == ["MonitorDegraded"]
