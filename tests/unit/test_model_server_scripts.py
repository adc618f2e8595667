"""Scripts of the model server: what is wrong in one is said, with its place; tokens are counted alike."""

from pathlib import Path

import pytest

from basejump_devstack.model_server import QUICKSTART, ScriptError, load_script, tokens
from basejump_devstack.model_server.script import MAX_SCRIPT_BYTES, parse_script


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[rule]\n", "line 1"),
        ("[[rule]]\n", "`step`"),
        ("[[rule]]\nstep = []\n", "step"),
        ("[[rule]]\nasks = 'x'\n[[rule.step]]\n", "asks"),
        ("[[rule]]\nasked = '('\n[[rule.step]]\n", "regular expression"),
        ("[[rule]]\n[[rule.step]]\nfail = { status = 200 }\n", "status"),
        ("[[rule]]\n[[rule.step]]\ndelay = 1e9\n", "delay"),
        ("[[rule]]\n[[rule.step]]\nending = { how = 'bang' }\n", "how"),
        ("# " + "x" * MAX_SCRIPT_BYTES, "more than"),
        ("\udcff", "utf-8"),
    ],
)
def test_a_wrong_script_says_what_is_wrong(text: str, complaint: str) -> None:
    with pytest.raises(ScriptError, match=complaint):
        parse_script(text.encode("utf-8", "surrogateescape"))


def test_files_are_played_in_their_order(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(f"[[rule]]\nname = '{name}'\n[[rule.step]]\n")
    assert [rule.name for rule in load_script(tmp_path / "b", tmp_path / "a").rules] == ["b", "a"]
    with pytest.raises(ScriptError, match="No such file"):
        load_script(tmp_path / "c")


def test_the_script_of_the_quickstart_is_one() -> None:
    assert len(load_script(QUICKSTART).rules) > 5


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("hello world", 2), ("departments", 2), ("123456", 2), ("{}", 1), ("select count(*)\nfrom t", 7)],
)
def test_tokens_are_counted_alike(text: str, count: int) -> None:
    assert tokens.count(text) == count
    assert sum(carried for _, carried in tokens.pieces(text)) == count
    assert "".join(piece for piece, _ in tokens.pieces(text)) == text


def test_a_long_text_is_streamed_in_few_pieces() -> None:
    text = "ä word, " * 10_000
    found = list(tokens.pieces(text))
    assert len(found) <= tokens.MAX_PIECES
    assert "".join(piece for piece, _ in found) == text
    assert sum(carried for _, carried in found) == tokens.count(text)
