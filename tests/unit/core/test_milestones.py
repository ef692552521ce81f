"""The one clock of a fault."""

from sickbay.core.milestones import MARKS, MEANING, Milestones


def test_the_first_time_that_a_point_is_reached_counts():
    assert Milestones().reached("t3", 5.0).reached("t3", 9.0).t3 == 5.0


def test_the_time_between_two_points_is_known_once_both_are_reached():
    clock = Milestones(t1=2.0)
    assert clock.between("t1", "t3") is None
    assert clock.reached("t3", 2.5).between("t1", "t3") == 0.5


def test_every_point_has_a_meaning():
    assert set(MEANING) == set(MARKS)
