"""The folder that is a simulated node."""

from pathlib import Path

from sickbay.sim.node_dir import FaultsInView, NodeDir
from sickbay.sim.simulated_node import create_node


def test_faults_get_ids_of_their_own_in_the_order_they_come(tmp_path: Path):
    node = create_node(tmp_path)
    node.add_faults([{"fault": "lost"}, {"fault": "xid"}])
    node.add_faults([{"fault": "ecc"}])
    assert [(record["id"], record["fault"]) for record in node.read_faults()] == [
        (1, "lost"),
        (2, "xid"),
        (3, "ecc"),
    ]


def test_a_line_that_is_still_being_written_waits(tmp_path: Path):
    node = create_node(tmp_path)
    node.add_faults([{"fault": "lost"}])
    with node.faults.open("a") as file:
        file.write('{"id": 2, "fau')
    assert len(node.read_faults()) == 1


def test_a_look_sees_what_was_added_since_the_last(tmp_path: Path):
    node = create_node(tmp_path)
    view = FaultsInView(node)
    assert view.look() == []
    node.add_faults([{"fault": "lost"}])
    assert len(view.look()) == 1
    assert view.look() is view.look(), "an unchanged file is not read again"


def test_uptime_counts_from_the_boot(tmp_path: Path):
    node = create_node(tmp_path)
    assert 0 <= node.uptime() < 60
    node.epoch.write_text("0.0\n")
    assert node.uptime() > 0
    assert NodeDir(tmp_path).booted_at() == 0.0
