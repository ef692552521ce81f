from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sickbay.core.orchestration import Job
from sickbay.orchestrators.slurm_text import (
    BASES,
    FLAGS,
    expand,
    parse_jobs,
    parse_nodes,
    split_state,
)

# As 22.05.8 printed it.
LINE = (
    "NodeName=n1 Arch=x86_64 CoresPerSocket=1  CPUAlloc=1 CPUEfctv=4 CPUTot=4 CPULoad=0.05 "
    "AvailableFeatures=(null) ActiveFeatures=(null) Gres=gpu:8 NodeAddr=127.0.0.1 NodeHostName=vm Port=27160 "
    "Version=22.05.8 OS=Linux 6.1.0 #1 SMP PREEMPT_DYNAMIC @0  RealMemory=1 AllocMem=1 FreeMem=23863 "
    "Sockets=4 Boards=1 State=MIXED+DRAIN ThreadsPerCore=1 TmpDisk=0 Weight=1 Owner=N/A MCS_label=N/A "
    "Partitions=all  "
    "BootTime=2026-11-24T00:05:00 SlurmdStartTime=2026-11-24T00:21:35 LastBusyTime=2026-11-24T00:21:36 "
    "CfgTRES=cpu=4,mem=1M,billing=4 AllocTRES=cpu=1,mem=1M CapWatts=n/a CurrentWatts=0 AveWatts=0 "
    "ExtSensorsJoules=n/s ExtSensorsWatts=0 ExtSensorsTemp=n/s "
)


def test_a_record_is_read_with_state_reason_and_author():
    node = parse_nodes(LINE + "Reason=sickbay:inc-1:r : reboot issued [root@2026-11-24T00:21:38]\n")["n1"]
    assert (node.base, node.flags, node.state) == ("MIXED", {"DRAIN"}, "MIXED+DRAIN")
    assert (node.reason, node.by, node.since) == (
        "sickbay:inc-1:r : reboot issued",
        "root",
        "2026-11-24T00:21:38",
    )


def test_what_a_person_wrote_cannot_pass_for_a_state_or_a_reason():
    # As printed for a reason of two lines, a comment and an extra that hold the words of a record.
    written = (
        'Reason=two [root@2026-11-24T00:24:05]        lines "q" State=DOWN '
        "Comment=hello State=IDLE Reason=sickbay:a:b [root@2026-11-24T00:24:05] Extra=zz"
    )
    node = parse_nodes(LINE + written)["n1"]
    assert (node.base, node.reason) == ("MIXED", "two")


def test_a_reason_cannot_begin_another_nodes_record():
    reason = "Reason=x\x0bNodeName=n2 State=IDLE \u2028NodeName=n3 State=IDLE  [bob@2026-11-24T00:24:05]"
    assert set(parse_nodes(LINE + reason)) == {"n1"}


def test_brackets_inside_a_reason_stay_in_it():
    node = parse_nodes(LINE + "Reason=see [ticket 7] and wait [bob@2026-11-24T00:24:05]")["n1"]
    assert (node.reason, node.by) == ("see [ticket 7] and wait", "bob")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Node n1 not found\n",
        "slurm_load_node error: Unable to contact slurm controller (connect failure)\n",
        "NodeName=n1 Arch=x86_64\n",
        "\n\n",
    ],
)
def test_text_that_holds_no_record_gives_none(text: str):
    assert parse_nodes(text) == {}


@pytest.mark.parametrize(
    ("state", "base", "flags"),
    [
        ("IDLE", "IDLE", set()),
        ("MIXED+DRAIN+REBOOT_REQUESTED", "MIXED", {"DRAIN", "REBOOT_REQUESTED"}),
        ("IDLE+COMPLETING+DRAIN", "IDLE", {"COMPLETING", "DRAIN"}),
        ("DOWN+DRAIN+INVALID_REG+REBOOT_ISSUED", "DOWN", {"DRAIN", "INVALID_REG", "REBOOT_ISSUED"}),
        ("DOWN*+DRAIN", "DOWN", {"NOT_RESPONDING", "DRAIN"}),
        ("IDLE+CLOUD+POWERED_DOWN", "IDLE", {"CLOUD", "POWERED_DOWN"}),
        ("IDLE#", "IDLE", {"POWERING_UP"}),
    ],
)
def test_a_state_splits_into_its_base_and_flags(state: str, base: str, flags: set[str]):
    assert split_state(state) == (base, flags, ())


@pytest.mark.parametrize("state", ["IDLE+QUARANTINED", "GONE", "idle", "DRAIN", "IDLE+DOWN", "", "IDLE?"])
def test_a_state_of_words_that_are_not_known_or_do_not_fit_says_so(state: str):
    _, _, unknown = split_state(state)
    assert unknown


@given(st.sampled_from(sorted(BASES)), st.sets(st.sampled_from(sorted(FLAGS))))
def test_every_known_state_survives_being_printed(base: str, flags: set[str]):
    assert split_state("+".join([base, *sorted(flags)])) == (base, flags, ())


@given(st.text(max_size=300))
def test_no_text_breaks_the_parsers(text: str):
    parse_nodes(text)
    split_state(text)
    try:
        parse_jobs(text)
    except ValueError as error:
        assert "expected" in str(error)  # noqa: PT017 - either it parses or it says what was expected


def test_jobs_are_read_with_all_their_nodes():
    assert parse_jobs("12|alice|RUNNING|n[1-2]\n\n13|bob|COMPLETING|n3\n") == (
        Job(id="12", user="alice", state="RUNNING", nodes=("n1", "n2")),
        Job(id="13", user="bob", state="COMPLETING", nodes=("n3",)),
    )


@pytest.mark.parametrize(
    "line", ["squeue: error: Invalid node name nope", "12|alice|RUNNING", "a|b|c|d", "1|a|b|c|d"]
)
def test_a_line_that_is_no_job_is_an_error_that_quotes_it(line: str):
    with pytest.raises(ValueError, match="expected"):
        parse_jobs(line)


@pytest.mark.parametrize(
    ("hostlist", "names"),
    [
        ("", []),
        ("n1", ["n1"]),
        ("n[1-3,7]", ["n1", "n2", "n3", "n7"]),
        ("gpu[08-11],login", ["gpu08", "gpu09", "gpu10", "gpu11", "login"]),
        ("r[1-2]n[1-2]", ["r1n1", "r1n2", "r2n1", "r2n2"]),
        ("a[1-2]-ib,b", ["a1-ib", "a2-ib", "b"]),
    ],
)
def test_a_hostlist_expands_in_its_order(hostlist: str, names: Sequence[str]):
    assert list(expand(hostlist)) == names


@pytest.mark.parametrize("hostlist", ["n[1-", "n[1-2", "n1]", "n[-3]", "n[1-x]", "n[]"])
def test_a_broken_hostlist_is_an_error_that_quotes_it(hostlist: str):
    with pytest.raises(ValueError, match="expected a form such as"):
        expand(hostlist)
