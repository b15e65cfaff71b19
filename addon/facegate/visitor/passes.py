"""Visitor passes in force: what a code or a PIN opens, where, when and how often.

Held in memory and changed synchronously, so that nothing happens between a check and the use it
leads to. Whoever changed a pass writes it to the store as ``get`` returns it once the transaction
has begun: then a row never undoes a change that another transaction wrote.

**Entry.** A code is looked at in this order, and the first finding is the reason: ``PASS_FORGED``
(not signed here), ``CREDENTIAL_UNKNOWN`` (no such pass any more), ``PASS_REPLAYED`` (a newer code
was made), ``PASS_REVOKED``, ``PASS_NOT_YET_VALID``, ``PASS_EXPIRED``, ``PASS_USED_UP``,
``PASS_NOT_HERE``. With a number and a PIN it begins with ``CREDENTIAL_UNKNOWN`` (nobody's number)
and ``CREDENTIAL_WRONG`` (another PIN), and goes on with ``PASS_REVOKED``.

**Exit.** Going out takes no use. A pass that let its visitor in lets it out again through the
pass's doors, though it was revoked, used up or given a newer code meanwhile, until ``GRACE`` after
its end: nobody is kept inside. One that was never used to enter is looked at as for an entry.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
import secrets

from facegate.domain import AccessPoint
from facegate.errors import NotFoundError
from facegate.protocol import Direction
from facegate.register import VisitorPass
from facegate.verdicts import Reason
from facegate.visitor.code import Signer, read_code

GRACE = timedelta(hours=1)
"""How long after its end a pass that was used to enter still lets out."""

_FIRST_DIGIT = "9"
_NUMBER_DIGITS = 6
_PIN_DIGITS = 6


@dataclass(frozen=True, slots=True)
class PassCheck:
    """What was found; ``visitor_pass`` is the pass that was presented, also where it is denied."""

    visitor_pass: VisitorPass | None
    reason: Reason

    @property
    def passes(self) -> bool:
        """Whether the pass opens here and now."""
        return self.reason is Reason.OK


class Passes:
    """All passes of the site; ``signer`` is the one that signs their codes.

    It is None while the site's key is missing: then no code is told from a forged one.
    """

    def __init__(self, signer: Signer | None) -> None:
        self._signer = signer
        self._passes: dict[str, VisitorPass] = {}
        self._by_number: dict[str, str] = {}

    @property
    def all(self) -> tuple[VisitorPass, ...]:
        """Every pass, also those that open nothing any more, in the order of their making."""
        return tuple(self._passes.values())

    def get(self, pass_id: str) -> VisitorPass:
        """Return one pass; raises ``NotFoundError``."""
        if (found := self._passes.get(pass_id)) is None:
            raise NotFoundError(f"no visitor pass has the id {pass_id!r}")
        return found

    def by_number(self, number: str) -> VisitorPass | None:
        """Return the pass with this number, for its ``pin_hash``."""
        return self._passes.get(self._by_number.get(number, ""))

    def any_in_force(self, door_id: str, at: datetime) -> bool:
        """Return whether reading codes at this door is worth its while."""
        return any(
            door_id in item.door_ids
            and item.valid_from <= at < item.valid_until + GRACE
            and (item.used > 0 or item.revoked_at is None)
            for item in self._passes.values()
        )

    # --- checks ---------------------------------------------------------------------------------

    def check(self, code: str, access_point: AccessPoint, at: datetime) -> PassCheck:
        """Look at a code that is presented; see the module for the order of findings."""
        read = read_code(code, self._signer) if self._signer is not None else None
        if read is None:
            return PassCheck(None, Reason.PASS_FORGED)
        pass_id, nonce_digest = read
        if (found := self._passes.get(pass_id)) is None:
            return PassCheck(None, Reason.CREDENTIAL_UNKNOWN)
        newest = secrets.compare_digest(nonce_digest, found.nonce_digest)
        return PassCheck(found, _judge(found, access_point, at, newest_code=newest))

    def check_pin(
        self, number: str, matched: str | None, access_point: AccessPoint, at: datetime
    ) -> PassCheck:
        """Look at a number and a PIN that are presented.

        ``matched`` is the ``pin_hash`` of ``by_number`` that the PIN was found to match, in a
        thread before this; None where it did not. A PIN that was replaced meanwhile is wrong.
        """
        if (found := self.by_number(number)) is None:
            return PassCheck(None, Reason.CREDENTIAL_UNKNOWN)
        if matched is None or not secrets.compare_digest(matched, found.pin_hash):
            return PassCheck(found, Reason.CREDENTIAL_WRONG)
        return PassCheck(found, _judge(found, access_point, at, newest_code=True))

    # --- uses -----------------------------------------------------------------------------------

    def reserve(self, pass_id: str) -> VisitorPass | None:
        """Take one use for an entry, before anything is awaited; return the pass with it counted.

        None where none is left or the pass was revoked: another reader was faster.
        """
        found = self._passes.get(pass_id)
        if found is None or found.revoked_at is not None or found.used >= found.max_uses:
            return None
        return self._keep(replace(found, used=found.used + 1))

    def give_back(self, pass_id: str) -> VisitorPass:
        """Return a use that was reserved and certainly opened nothing; raises as ``get``."""
        found = self.get(pass_id)
        return self._keep(replace(found, used=max(0, found.used - 1)))

    # --- changes --------------------------------------------------------------------------------

    def replace(self, passes: Iterable[VisitorPass]) -> None:
        """Hold exactly these."""
        self._passes = {item.id: item for item in passes}
        self._by_number = {item.number: item.id for item in self._passes.values()}

    def put(self, visitor_pass: VisitorPass) -> VisitorPass:
        """Hold a new pass."""
        return self._keep(visitor_pass)

    def renew(self, pass_id: str, nonce_digest: str, pin_hash: str) -> VisitorPass:
        """Retire a pass's code and PIN for new ones, uses staying; raises as ``get``."""
        return self._keep(replace(self.get(pass_id), nonce_digest=nonce_digest, pin_hash=pin_hash))

    def revoke(self, pass_id: str, at: datetime) -> VisitorPass:
        """Let a pass enter nowhere any more, for good; raises as ``get``."""
        found = self.get(pass_id)
        return found if found.revoked_at is not None else self._keep(replace(found, revoked_at=at))

    def remove(self, pass_ids: Iterable[str]) -> None:
        """Forget passes: their codes and numbers are unknown from then on."""
        gone = set(pass_ids)
        self.replace([item for item in self.all if item.id not in gone])

    def _keep(self, visitor_pass: VisitorPass) -> VisitorPass:
        self._passes[visitor_pass.id] = visitor_pass
        self._by_number[visitor_pass.number] = visitor_pass.id
        return visitor_pass


def new_number(taken: Container[str]) -> str:
    """Return a free number of 6 digits that begins with 9, as no subject's number does."""
    digits = _NUMBER_DIGITS - len(_FIRST_DIGIT)
    while (number := f"{_FIRST_DIGIT}{_digits(digits)}") in taken:
        pass
    return number


def is_pass_number(number: str) -> bool:
    """Return whether a number is the kind that passes have."""
    digits = number.isascii() and number.isdigit()
    return digits and len(number) == _NUMBER_DIGITS and number.startswith(_FIRST_DIGIT)


def new_pin() -> str:
    """Return a random PIN of 6 digits."""
    return _digits(_PIN_DIGITS)


def _digits(count: int) -> str:
    return f"{secrets.randbelow(10**count):0{count}}"


def _judge(
    visitor_pass: VisitorPass, access_point: AccessPoint, at: datetime, *, newest_code: bool
) -> Reason:
    leaves = access_point.direction is Direction.EXIT
    came_in = leaves and visitor_pass.used > 0
    ends = visitor_pass.valid_until + GRACE if came_in else visitor_pass.valid_until
    used_up = visitor_pass.used >= visitor_pass.max_uses
    findings = (
        (Reason.PASS_REPLAYED, not newest_code and not came_in),
        (Reason.PASS_REVOKED, visitor_pass.revoked_at is not None and not came_in),
        (Reason.PASS_NOT_YET_VALID, at < visitor_pass.valid_from and not came_in),
        (Reason.PASS_EXPIRED, at >= ends),
        (Reason.PASS_USED_UP, used_up and not leaves),
        (Reason.PASS_NOT_HERE, access_point.door_id not in visitor_pass.door_ids),
    )
    return next((reason for reason, found in findings if found), Reason.OK)
