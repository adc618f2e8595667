"""What a person sees of the services' logs."""

import io
import json

from basejump_devstack.console import Console


def shown(line: str, *, colour: bool = False, quiet: bool = False) -> str:
    out = io.StringIO()
    Console(out, colour=colour, quiet=quiet).relay("chat-agent", line)
    return out.getvalue()


def logged(**record: object) -> str:
    return json.dumps({"time": "2026-01-02T03:04:05+00:00", "level": "info", "service": "chat-agent", **record})


def test_a_record_is_one_line_with_its_details() -> None:
    text = shown(logged(message="answered", logger="basejump", rows=107, request_id="r1"))
    assert text.endswith("chat-agent         answered  rows=107  request_id=r1\n")
    assert text.count("\n") == 1


def test_what_is_wrong_says_so_and_its_exception_follows() -> None:
    text = shown(logged(level="error", message="failed", exception="Traceback …\nKeyError: 1"))
    assert "error: failed" in text
    assert text.endswith("Traceback …\nKeyError: 1\n")


def test_a_line_that_is_no_record_is_shown_as_it_is() -> None:
    assert shown("Segmentation fault").endswith("chat-agent         Segmentation fault\n")
    assert shown("[1, 2]").endswith("chat-agent         [1, 2]\n")


def test_long_details_are_cut() -> None:
    assert len(shown(logged(message="ran", sql="select " + "x" * 1000))) < 200


def test_quiet_keeps_to_what_is_wrong() -> None:
    assert shown(logged(message="fine"), quiet=True) == ""
    assert "slow" in shown(logged(level="warning", message="slow"), quiet=True)


def test_colour_only_when_asked_for() -> None:
    assert "\x1b[" in shown(logged(message="fine"), colour=True)
    assert "\x1b[" not in shown(logged(message="fine"))
