"""Each reader on good inputs, on what once failed, and on a few hundred mutations; `make fuzz` goes on from there."""

import random

import pytest
from fuzz import mutated
from readers import READERS, SEEDS, known_failures, run


@pytest.mark.parametrize("name", READERS)
@pytest.mark.filterwarnings("ignore")
def test_readers_end_with_a_result_or_a_sentence(name):
    for data in [*SEEDS[name], *known_failures(name)]:
        run(name, data)
    rng = random.Random(name)
    for _ in range(300):
        run(name, mutated(rng.choice(SEEDS[name]), rng, rng.choice(SEEDS[name])))


def test_a_reader_that_fails_would_be_seen(monkeypatch):
    monkeypatch.setitem(READERS, "path", lambda data: {}["missing"])
    with pytest.raises(KeyError):
        run("path", b"M0 0z")
