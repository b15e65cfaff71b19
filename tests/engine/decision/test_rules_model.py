"""Thousands of steps through a site grant nothing that the rules forbid, and keep nobody in.

The rules are written in words at the top of ``rulebook.py``; ``machine.py`` drives the real gate,
calls and passes at random and compares each grant and each denial with them.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.engine.decision.machine import RulesMachine

MODEL = settings(
    max_examples=100,
    stateful_step_count=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_no_state_grants_what_a_rule_forbids_or_denies_what_none_does_or_blocks_an_exit() -> None:
    run_state_machine_as_test(RulesMachine, settings=MODEL)
