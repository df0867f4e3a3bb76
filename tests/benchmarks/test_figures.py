import pytest

from benchmarks.figures import Figure, Goal, judge, line, load_goals

AT_LEAST_TEN = Goal("10x", "at_least", 10)
AT_MOST_HALF = Goal("under 0.5 s", "at_most", 0.5)


@pytest.mark.parametrize(
    "value, goal, verdict",
    [
        (10.0, AT_LEAST_TEN, "met"),
        (9.99, AT_LEAST_TEN, "short"),
        (0.5, AT_MOST_HALF, "met"),
        (0.51, AT_MOST_HALF, "short"),
        (None, AT_LEAST_TEN, "not measured"),
        (None, None, "not measured"),
        (3.0, None, "no goal"),
    ],
)
def test_a_figure_meets_its_goal_only_if_it_was_measured_and_reaches_it(value, goal, verdict):
    assert judge(value, goal) == verdict


def test_a_figure_is_the_median_of_its_rounds():
    figure = Figure("api-sqlite-read-8", "x", [12.0, 9.0, 30.0])
    assert line(figure, AT_LEAST_TEN) == "figure api-sqlite-read-8 12 x goal 10 met"


def test_every_goal_can_be_read():
    assert all(goal.says and goal.bound in {"at_least", "at_most"} for goal in load_goals().values())
