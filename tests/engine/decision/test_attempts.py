"""A credential that failed often in a row has to wait, and nobody else has."""

from __future__ import annotations

import pytest

from facegate.decision.attempts import Attempts


def failing(times: int, at: float = 0.0) -> Attempts:
    attempts = Attempts()
    for _ in range(times):
        attempts.failed("front", "pin ann", at)
    return attempts


def test_four_failures_in_a_row_cost_nothing_and_the_fifth_thirty_seconds() -> None:
    attempts = failing(4)
    assert attempts.blocked_s("front", "pin ann", 0) == 0
    assert attempts.failed("front", "pin ann", 1)
    assert attempts.blocked_s("front", "pin ann", 1) == 30
    assert attempts.blocked_s("front", "pin ann", 30.5) == 0.5
    assert attempts.blocked_s("front", "pin ann", 31) == 0


@pytest.mark.parametrize(
    ("door", "key"), [("front", "card ann"), ("front", "pin ben"), ("back", "pin ann")]
)
def test_other_credentials_and_other_doors_do_not_wait(door: str, key: str) -> None:
    assert failing(9).blocked_s(door, key, 0) == 0


def test_the_next_failure_after_a_delay_begins_the_next_delay() -> None:
    attempts = failing(5)
    assert attempts.failed("front", "pin ann", 40)
    assert attempts.blocked_s("front", "pin ann", 41) == 29


def test_a_success_forgets_the_failures() -> None:
    attempts = failing(4)
    attempts.succeeded("front", "pin ann")
    assert not attempts.failed("front", "pin ann", 1)
    assert attempts.blocked_s("front", "pin ann", 1) == 0


@pytest.mark.parametrize(("pause", "waits"), [(3600, True), (3601, False)])
def test_an_hour_without_an_attempt_forgets_the_failures(pause: float, *, waits: bool) -> None:
    attempts = failing(4)
    assert attempts.failed("front", "pin ann", pause) == waits


def test_guessing_numbers_at_random_fills_no_memory_and_the_newest_still_wait() -> None:
    attempts = Attempts()
    for number in range(10_050):
        attempts.failed("front", f"pin {number}", 0)
    assert len(attempts._failures) == 10_000
    for _ in range(4):
        attempts.failed("front", "pin 10049", 1)
    assert attempts.blocked_s("front", "pin 10049", 1) == 30
