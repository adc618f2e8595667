"""What the stack keeps between runs."""

import base64
import socket
from pathlib import Path

import pytest

from basejump_devstack.child import StartError
from basejump_devstack.state import State, is_running, read_environment, sole_owner


def test_secrets_are_made_once_and_differ(tmp_path: Path) -> None:
    first = State(tmp_path)
    made = first.secret("nats auth"), first.secret("nats account"), first.master_keys()
    second = State(tmp_path)
    assert (second.secret("nats auth"), second.secret("nats account"), second.master_keys()) == made
    assert made[0] != made[1]


def test_the_master_key_is_256_bits_under_an_id(tmp_path: Path) -> None:
    name, _, key = State(tmp_path).master_keys().partition(":")
    assert name == "dev1"
    assert len(base64.b64decode(key)) == 32


def test_a_port_stays_the_same_unless_somebody_took_it(tmp_path: Path) -> None:
    port = State(tmp_path).port("NATS")
    assert State(tmp_path).port("NATS") == port
    with socket.create_server(("127.0.0.1", port)):
        other = State(tmp_path).port("NATS")
    assert other != port
    assert State(tmp_path).kept_port("NATS") == other


def test_everything_kept_is_closed_to_others(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    state.api_key = "bj_dev_key"
    state.write_environment({"API_KEY": "bj_dev_key"})
    with sole_owner(state.path):
        files = list(state.path.rglob("*"))
        assert {path.stat().st_mode & 0o077 for path in [state.path, *files]} == {0}


def test_the_environment_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    values = {"BASE_URL": "http://127.0.0.1:8000/api/v1", "API_KEY": "a=b"}
    assert read_environment(State(tmp_path).write_environment(values)) == values


def test_a_second_owner_is_told_who_the_first_is(tmp_path: Path) -> None:
    with sole_owner(tmp_path):
        assert is_running(tmp_path)
        with pytest.raises(StartError, match=r"already running \(process \d+\)"), sole_owner(tmp_path):
            pass
    assert not is_running(tmp_path)
    with sole_owner(tmp_path):
        pass
