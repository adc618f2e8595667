"""The text of client secrets: random, recognisable, checked before any look-up."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from basejump_auth.domain import secret_text
from basejump_auth.domain.secret_text import display_prefix, is_well_formed, new_secret, public_key, secret_hash
from basejump_common.security.secret import Secret


def test_a_new_secret_is_well_formed_in_its_own_environment_alone() -> None:
    text = new_secret("live").reveal()
    assert text.startswith("bj_live_")
    assert is_well_formed(text, "live")
    assert not is_well_formed(text, "dev")
    assert not is_well_formed(text, "liv")


def test_a_secret_has_at_least_160_random_bits_and_no_two_are_alike() -> None:
    assert secret_text.RANDOM_CHARACTERS * math.log2(len(set(secret_text.ALPHABET))) >= 160
    assert len({new_secret("dev").reveal() for _ in range(1_000)}) == 1_000


@given(st.data())
def test_every_single_mistyped_character_is_noticed(data: st.DataObject) -> None:
    text = new_secret("dev").reveal()
    place = data.draw(st.integers(0, len(text) - 1))
    typed = data.draw(st.characters().filter(lambda character: character != text[place]))
    assert not is_well_formed(text[:place] + typed + text[place + 1 :], "dev")


@given(st.integers(0, 40))
def test_a_secret_cut_short_is_noticed(length: int) -> None:
    assert not is_well_formed(new_secret("dev").reveal()[:length], "dev")


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    assert not is_well_formed(text, "dev")


def test_what_is_shown_for_recognition_leaves_more_than_128_bits_unknown() -> None:
    secret = new_secret("dev")
    shown = display_prefix(secret)
    assert secret.reveal().startswith(shown)
    assert len(shown) == len("bj_dev_") + 4
    assert (secret_text.RANDOM_CHARACTERS - 4) * math.log2(62) > 128


def test_the_hash_depends_on_the_pepper() -> None:
    text = new_secret("dev").reveal()
    hashes = {secret_hash(Secret(pepper), text) for pepper in ("one", "two")}
    assert len(hashes) == 2
    assert all(len(found) == 32 for found in hashes)


@pytest.mark.parametrize("text", ["bj_dev_" + "0" * 34, "bj_dev_" + "ａ" * 34, "bj_dev_" + "0" * 28 + "\n" + "0" * 5])
def test_the_shape_alone_is_not_enough(text: str) -> None:
    assert not is_well_formed(text, "dev")


def test_a_public_key_names_one_secret_and_holds_none_of_it() -> None:
    secret = new_secret("dev")
    shown = public_key("dev", secret)
    assert shown == public_key("dev", Secret(secret.reveal())) != public_key("dev", new_secret("dev"))
    assert re.fullmatch(r"bjpk_dev_[0-9a-f]{32}", shown)
    assert not is_well_formed(shown, "dev")
