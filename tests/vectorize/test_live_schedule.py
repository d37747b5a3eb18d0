"""How many paths each stage adds."""

import pytest
from gradvec.errors import UsageError
from gradvec.stages.vectorize.schedule import PATHS, stages


@pytest.mark.parametrize(("paths", "schedule", "expected"), [
    (1, "", (1,)),
    (7, "", (1, 1, 2, 3)),
    (16, "", (1, 1, 2, 4, 8)),
    (None, "1,1,2", (1, 1, 2)),
    (9, "1,3", (1, 3, 3, 2)),
    (3, "2,4", (2, 1)),
    (20, "1,3,...", (1, 3, 6, 10)),
    (5, " 1, 1 ,...", (1, 1, 2, 1)),
])
def test_stages(paths, schedule, expected):
    assert stages(paths, schedule) == expected


def test_without_a_number_there_are_some_paths():
    assert sum(stages()) == sum(stages(None, "1,1,2,...")) == PATHS


@pytest.mark.parametrize("schedule", ["a", "1,,2", "0,1", "-1", "1;2", "1,2,", "...", "1,...,2"])
def test_what_is_no_schedule_is_refused(schedule):
    with pytest.raises(UsageError, match="schedule"):
        stages(4, schedule)


@pytest.mark.parametrize("paths", [0, -3])
def test_there_is_at_least_one_path(paths):
    with pytest.raises(UsageError, match="at least 1"):
        stages(paths)
