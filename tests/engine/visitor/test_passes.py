"""A pass opens as often as it may, and says why where it does not; it keeps nobody inside."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
import uuid

from hypothesis import given
from hypothesis import strategies as st
import pytest

from facegate.domain import AccessPoint
from facegate.errors import NotFoundError
from facegate.protocol import Direction
from facegate.record.vault import Vault
from facegate.register import VisitorPass
from facegate.verdicts import Reason
from facegate.visitor.code import make_code
from facegate.visitor.passes import GRACE, Passes, is_pass_number, new_number

SITE = Vault(bytes(range(32)))
PASS_ID = uuid.UUID(int=7).hex
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
END = NOON + timedelta(hours=2)
FRONT = AccessPoint("front", Direction.ENTRY)
OUT = AccessPoint("front", Direction.EXIT)
BACK = AccessPoint("back", Direction.ENTRY)
HASH = "the hash of its PIN"
CODE, DIGEST = make_code(PASS_ID, SITE)


def visitor_pass(max_uses: int = 1) -> VisitorPass:
    return VisitorPass(
        PASS_ID, "Cleo", "Ann", ("front",), NOON, END, max_uses, DIGEST, "912345", HASH
    )


def held(item: VisitorPass | None = None) -> Passes:
    passes = Passes(SITE)
    passes.put(item or visitor_pass())
    return passes


def finding(passes: Passes, point: AccessPoint = FRONT, at: datetime = NOON) -> Reason:
    """Return what a code is found to be; a PIN is found to be the same."""
    reason = passes.check(CODE, point, at).reason
    if reason is not Reason.PASS_REPLAYED:
        assert passes.check_pin("912345", HASH, point, at).reason is reason
    return reason


STEPS = st.sampled_from(["enter", "give_back", "renew", "revoke", "leave"])


@given(st.integers(1, 4), st.lists(STEPS, max_size=40))
def test_no_order_of_things_enters_more_often_than_a_pass_may_or_keeps_anybody_inside(
    max_uses: int, steps: list[str]
) -> None:
    passes = held(visitor_pass(max_uses))
    code, inside, revoked = CODE, 0, False
    for step in steps:
        check = passes.check(code, FRONT, NOON)
        if step == "enter":
            reserved = passes.reserve(PASS_ID)
            assert (reserved is not None) == check.passes == (inside < max_uses and not revoked)
            inside += reserved is not None
        elif step == "give_back" and inside:
            passes.give_back(PASS_ID)
            inside -= 1
        elif step == "renew":
            code, digest = make_code(PASS_ID, SITE)
            passes.renew(PASS_ID, digest, HASH)
        elif step == "revoke":
            passes.revoke(PASS_ID, NOON)
            revoked = True
        assert passes.get(PASS_ID).used == inside <= max_uses
        if inside:
            for shown in (CODE, code):
                assert passes.check(shown, OUT, NOON).passes
    assert passes.reserve(PASS_ID) is None or (inside < max_uses and not revoked)


def test_findings_come_in_their_order_and_the_first_is_the_reason() -> None:
    late = END
    used_up = replace(visitor_pass(), used=1)
    revoked = replace(used_up, revoked_at=NOON)
    replayed = replace(revoked, nonce_digest="another")
    assert finding(held()) is Reason.OK
    assert finding(held(), BACK) is Reason.PASS_NOT_HERE
    assert finding(held(used_up), BACK) is Reason.PASS_USED_UP
    assert finding(held(used_up), BACK, late) is Reason.PASS_EXPIRED
    assert finding(held(used_up), BACK, NOON - timedelta(seconds=1)) is Reason.PASS_NOT_YET_VALID
    assert finding(held(revoked), BACK, late) is Reason.PASS_REVOKED
    assert finding(held(replayed), BACK, late) is Reason.PASS_REPLAYED
    assert Passes(SITE).check(CODE, BACK, late).reason is Reason.CREDENTIAL_UNKNOWN
    forged = make_code(PASS_ID, Vault(bytes(32)))[0]
    assert held(replayed).check(forged, BACK, late).reason is Reason.PASS_FORGED
    assert Passes(None).check(CODE, FRONT, NOON).reason is Reason.PASS_FORGED


def test_a_pass_is_valid_from_its_first_moment_and_no_more_at_its_end() -> None:
    tick = timedelta(microseconds=1)
    assert finding(held(), FRONT, NOON - tick) is Reason.PASS_NOT_YET_VALID
    assert finding(held(), FRONT, NOON) is Reason.OK
    assert finding(held(), FRONT, END - tick) is Reason.OK
    assert finding(held(), FRONT, END) is Reason.PASS_EXPIRED


def test_a_pin_of_nobody_and_a_wrong_one_and_one_replaced_meanwhile() -> None:
    passes = held()
    assert passes.check_pin("912346", HASH, FRONT, NOON).reason is Reason.CREDENTIAL_UNKNOWN
    assert passes.check_pin("912345", None, FRONT, NOON).reason is Reason.CREDENTIAL_WRONG
    passes.renew(PASS_ID, DIGEST, "another hash")
    assert passes.check_pin("912345", HASH, FRONT, NOON).reason is Reason.CREDENTIAL_WRONG


@pytest.mark.parametrize("change", [{}, {"revoked_at": NOON}, {"nonce_digest": "another"}])
def test_who_came_in_goes_out_until_an_hour_after_the_end(change: dict[str, object]) -> None:
    passes = held(replace(visitor_pass(), used=1, **change))  # type: ignore[arg-type]
    assert finding(passes, OUT) is Reason.OK
    assert finding(passes, OUT, END + GRACE - timedelta(seconds=1)) is Reason.OK
    assert finding(passes, OUT, END + GRACE) is Reason.PASS_EXPIRED
    assert finding(passes, AccessPoint("back", Direction.EXIT)) is Reason.PASS_NOT_HERE


def test_who_never_came_in_goes_out_no_easier_than_in() -> None:
    assert finding(held(), OUT) is Reason.OK
    revoked = held(replace(visitor_pass(), revoked_at=NOON))
    assert finding(revoked, OUT) is Reason.PASS_REVOKED
    assert finding(held(), OUT, END) is Reason.PASS_EXPIRED


def test_codes_are_read_where_one_may_open_or_let_out() -> None:
    assert held().any_in_force("front", NOON)
    assert not held().any_in_force("back", NOON)
    assert not held().any_in_force("front", NOON - timedelta(seconds=1))
    assert held().any_in_force("front", END + GRACE - timedelta(seconds=1))
    assert not held().any_in_force("front", END + GRACE)
    assert not held(replace(visitor_pass(), revoked_at=NOON)).any_in_force("front", NOON)
    assert held(replace(visitor_pass(), revoked_at=NOON, used=1)).any_in_force("front", NOON)


def test_what_was_removed_is_unknown() -> None:
    passes = held()
    passes.remove([PASS_ID])
    assert passes.all == ()
    assert passes.by_number("912345") is None
    assert passes.reserve(PASS_ID) is None
    with pytest.raises(NotFoundError, match=PASS_ID):
        passes.revoke(PASS_ID, NOON)


def test_a_new_number_is_free_and_told_from_a_subjects() -> None:
    taken = {f"9{number:05}" for number in range(100_000)} - {"900042"}
    assert new_number(taken) == "900042"
    assert is_pass_number("900042")
    assert not any(map(is_pass_number, ("1000", "800042", "9000421", "90004²", "")))
