"""PINs and card numbers: kept so that who reads the database does not know them.

Every function takes about 50 to 100 ms of one core: call them in a thread, never on the event loop.
"""

from __future__ import annotations

import functools

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from argon2.low_level import Type, hash_secret_raw

MEMORY_KIB = 32 * 1024
ROUNDS = 2
LANES = 1
"""What one guess costs: 32 MiB and two passes, more than OWASP's least (19 MiB, two passes).

It is one lane, so that on a machine with two cores a PIN leaves the other core to faces and doors.
A PIN of few digits is guessed by whoever has the database all the same, only slowly; at the door
it is the limit of attempts that protects it.
"""

_DIGEST_BYTES = 32
_HASHER = PasswordHasher(time_cost=ROUNDS, memory_cost=MEMORY_KIB, parallelism=LANES)


def hash_pin(pin: str) -> str:
    """Return the Argon2id hash of a PIN, with a salt and the cost in it."""
    return _HASHER.hash(pin)


def pin_matches(pin_hash: str | None, pin: str) -> bool:
    """Return whether ``hash_pin`` made this hash of this PIN.

    None, for a number that nobody has, takes as long and is False, so that time does not tell
    which numbers there are. Raises ``InvalidHashError``, a
    ``ValueError``, where the hash is not one.
    """
    try:
        _HASHER.verify(_nobodys() if pin_hash is None else pin_hash, pin)
    except VerifyMismatchError:
        return False
    return pin_hash is not None


def card_digest(number: str, salt: bytes) -> str:
    """Return the same 64 hex digits for a card number at every call, by which it is found.

    ``salt`` is the site's, at least 8 bytes, and secret: card numbers are few enough to be tried.
    """
    return hash_secret_raw(
        number.encode(), salt, ROUNDS, MEMORY_KIB, LANES, _DIGEST_BYTES, Type.ID
    ).hex()


@functools.cache
def _nobodys() -> str:
    return _HASHER.hash("")
