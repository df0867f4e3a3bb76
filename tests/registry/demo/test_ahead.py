"""The training in a process of its own: what becomes of it when it cannot go on."""

import pytest

from registry.demo.ahead import training_ahead
from registry.errors import UnavailableError


def test_a_training_that_cannot_write_says_so_in_a_sentence(tmp_path):
    file = tmp_path / "in-the-way"
    file.write_text("")
    with training_ahead(file, rows=100) as ahead, pytest.raises(UnavailableError, match="in-the-way"):
        ahead.outcome(lambda _text: None)


def test_a_training_whose_process_is_killed_is_not_waited_for(tmp_path):
    with training_ahead(tmp_path, rows=100) as ahead:
        ahead.process.kill()
        with pytest.raises(UnavailableError, match="ended by itself"):
            ahead.outcome(lambda _text: None)


def test_a_training_that_nobody_waits_for_is_stopped(tmp_path):
    with training_ahead(tmp_path) as ahead:
        assert ahead.process.is_alive()
    assert not ahead.process.is_alive()
