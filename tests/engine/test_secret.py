"""PINs are recognized and cards found, and neither is kept."""

from __future__ import annotations

from argon2.exceptions import InvalidHashError
import pytest

from facegate.secret import card_digest, hash_pin, pin_matches

SALT = bytes(range(16))


def test_a_pin_matches_its_hash_and_no_other_pin_does() -> None:
    kept = hash_pin("4711")
    assert pin_matches(kept, "4711")
    assert not any(pin_matches(kept, pin) for pin in ("4712", "04711", "471", "", "4711 "))


def test_the_hash_of_a_pin_is_argon2id_and_tells_nothing_of_two_equal_pins() -> None:
    one, other = hash_pin("4711"), hash_pin("4711")
    assert one.startswith("$argon2id$v=19$m=32768,t=2,p=1$")
    assert one != other


@pytest.mark.parametrize("pin", ["", "4711"])
def test_no_pin_fits_a_number_that_nobody_has(pin: str) -> None:
    assert not pin_matches(None, pin)


def test_a_broken_hash_is_not_taken_for_a_wrong_pin() -> None:
    with pytest.raises(InvalidHashError):
        pin_matches("not a hash", "4711")


def test_a_card_is_found_again_by_its_digest_at_its_site_only() -> None:
    digest = card_digest("04A1B2", SALT)
    assert digest == card_digest("04A1B2", SALT)
    assert len(bytes.fromhex(digest)) == 32
    assert len({digest, card_digest("04A1B3", SALT), card_digest("04A1B2", SALT[::-1])}) == 3
