"""Envelope encryption: opens where it was sealed and nowhere else, and never shows what it holds."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basejump_common.security.envelope import Envelope, EnvelopeError

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
CONTEXT = ("client", "connection", "row")
ENVELOPE = Envelope({"2026a": OLD}, "2026a")
contexts = st.lists(st.text(max_size=20), max_size=4).map(tuple)


@given(st.binary(max_size=500), contexts)
def test_what_was_sealed_opens(plaintext: bytes, context: tuple[str, ...]) -> None:
    sealed = ENVELOPE.encrypt(plaintext, context=context)
    assert ENVELOPE.decrypt(sealed, context=context) == plaintext


@given(contexts, contexts)
def test_it_opens_in_no_other_context(here: tuple[str, ...], there: tuple[str, ...]) -> None:
    sealed = ENVELOPE.encrypt(b"secret", context=here)
    if here != there:
        with pytest.raises(EnvelopeError):
            ENVELOPE.decrypt(sealed, context=there)


@pytest.mark.parametrize("there", [("ab", "c"), ("abc",), ("a", "b", "c"), ("a", "bc", ""), ("", "a", "bc")])
def test_parts_of_the_context_do_not_run_together(there: tuple[str, ...]) -> None:
    sealed = ENVELOPE.encrypt(b"secret", context=("a", "bc"))
    with pytest.raises(EnvelopeError):
        ENVELOPE.decrypt(sealed, context=there)


def test_the_same_value_is_sealed_differently_each_time() -> None:
    sealed = {ENVELOPE.encrypt(b"secret", context=CONTEXT) for _ in range(100)}
    assert len(sealed) == 100


def test_any_changed_or_missing_byte_keeps_it_shut() -> None:
    sealed = ENVELOPE.encrypt(b"secret", context=CONTEXT)
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        for damaged in (changed, sealed[:place]):
            with pytest.raises(EnvelopeError):
                ENVELOPE.decrypt(damaged, context=CONTEXT)


def test_a_data_key_of_another_value_does_not_open_this_one() -> None:
    mine, other = (ENVELOPE.encrypt(b"secret", context=CONTEXT) for _ in range(2))
    header = 2 + len("2026a") + 60
    with pytest.raises(EnvelopeError):
        ENVELOPE.decrypt(other[:header] + mine[header:], context=CONTEXT)


def test_a_rotated_master_key_opens_old_values_and_seals_new_ones() -> None:
    rotated = Envelope({"2026a": OLD, "2026b": NEW}, "2026b")
    old = ENVELOPE.encrypt(b"secret", context=CONTEXT)
    assert rotated.decrypt(old, context=CONTEXT) == b"secret"
    assert not rotated.is_current(old)
    new = rotated.rewrap(old, context=CONTEXT)
    assert rotated.is_current(new)
    assert Envelope({"2026b": NEW}, "2026b").decrypt(new, context=CONTEXT) == b"secret"
    with pytest.raises(EnvelopeError, match="master key is not configured"):
        ENVELOPE.decrypt(new, context=CONTEXT)


def test_a_value_of_another_context_cannot_be_rewrapped_into_this_one() -> None:
    sealed = ENVELOPE.encrypt(b"secret", context=CONTEXT)
    with pytest.raises(EnvelopeError):
        ENVELOPE.rewrap(sealed, context=("client", "connection", "another"))


def test_another_key_under_the_same_name_does_not_open() -> None:
    sealed = ENVELOPE.encrypt(b"secret", context=CONTEXT)
    with pytest.raises(EnvelopeError):
        Envelope({"2026a": NEW}, "2026a").decrypt(sealed, context=CONTEXT)


def text(**keys: bytes) -> str:
    return ",".join(f"{key_id}:{base64.b64encode(key).decode()}" for key_id, key in keys.items())


def test_master_keys_come_from_a_setting_whose_first_is_current() -> None:
    sealed = Envelope.from_text(text(new=NEW, old=OLD)).encrypt(b"secret", context=CONTEXT)
    assert Envelope({"new": NEW}, "new").decrypt(sealed, context=CONTEXT) == b"secret"
    assert Envelope.from_text(f" {text(old=OLD)} , {text(new=NEW)}").decrypt(sealed, context=CONTEXT) == b"secret"


KEY = base64.b64encode(OLD).decode()


@pytest.mark.parametrize(
    "setting", ["", KEY, f":{KEY}", f"a:{KEY[:-4]}", f"a:{KEY}!", f"a:{KEY},", f"a:{KEY},a:{KEY}", f"a:{KEY}ü"]
)
def test_a_wrong_setting_is_refused_without_quoting_it(setting: str) -> None:
    with pytest.raises(ValueError) as raised:
        Envelope.from_text(setting)
    assert KEY[:8] not in str(raised.value)


def test_errors_and_representations_hold_no_material() -> None:
    sealed = ENVELOPE.encrypt(b"hunter2", context=CONTEXT)
    with pytest.raises(EnvelopeError) as raised:
        ENVELOPE.decrypt(sealed, context=())
    for shown in (str(raised.value), repr(raised.value), repr(ENVELOPE), repr(vars(ENVELOPE))):
        assert "hunter2" not in shown
        assert repr(OLD) not in shown
    assert raised.value.__cause__ is None
