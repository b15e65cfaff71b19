"""The wire stays what it is: every message against a file, so that no change goes unseen.

A message may grow by fields with defaults; then its golden file grows too. What an old file says
must still be understood.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
import typing

import pytest

from facegate.protocol import (
    ActuatorAction,
    ActuatorPhase,
    AlarmKind,
    CallAnswer,
    CameraStateName,
    ClientMessage,
    Direction,
    DoorAction,
    DoorMode,
    DoorStateName,
    EngineMessage,
    ErrorCode,
    ModelProblem,
    decode_body,
    decode_client,
    decode_engine,
    encode,
)
from tests.protocol.samples import BODIES, CLIENT, ENGINE

GOLDEN = Path(__file__).parent / "golden"


def golden(name: str) -> str:
    return (GOLDEN / f"{name}.json").read_text()


def pretty(text: str) -> str:
    return json.dumps(json.loads(text), indent=2) + "\n"


@pytest.mark.parametrize("name", CLIENT)
def test_what_a_client_says_is_written_and_read_as_ever(name: str) -> None:
    assert pretty(encode(CLIENT[name])) == golden(name)
    assert decode_client(golden(name)) == CLIENT[name]


@pytest.mark.parametrize("name", ENGINE)
def test_what_the_engine_says_is_written_and_read_as_ever(name: str) -> None:
    assert pretty(encode(ENGINE[name])) == golden(name)
    assert decode_engine(golden(name)) == ENGINE[name]


@pytest.mark.parametrize("name", BODIES)
def test_bodies_are_written_and_read_as_ever(name: str) -> None:
    assert pretty(json.dumps(dataclasses.asdict(BODIES[name]))) == golden(name)
    assert decode_body(golden(name), type(BODIES[name])) == BODIES[name]


def test_every_message_has_its_golden_file_and_no_file_is_left_over() -> None:
    messages = (*ClientMessage.__value__.__args__, *EngineMessage.__value__.__args__)
    assert {kind.type for kind in messages} == {*CLIENT, *ENGINE}
    assert {type(message) for message in (*CLIENT.values(), *ENGINE.values())} == {*messages}
    assert {path.stem for path in GOLDEN.iterdir()} == {*CLIENT, *ENGINE, *BODIES}


@pytest.mark.parametrize("sample", [*CLIENT.values(), *ENGINE.values(), *BODIES.values()])
def test_a_sample_sets_every_optional_field(sample: typing.Any) -> None:
    unset = [
        field.name
        for field in dataclasses.fields(sample)
        if field.default is not dataclasses.MISSING and getattr(sample, field.name) == field.default
    ]
    assert unset == []


def test_the_names_of_states_actions_and_errors_are_never_changed() -> None:
    kinds = (
        Direction,
        DoorStateName,
        CameraStateName,
        DoorAction,
        ActuatorAction,
        ActuatorPhase,
        CallAnswer,
        DoorMode,
        AlarmKind,
        ModelProblem,
    )
    assert {kind.__name__: list(kind) for kind in kinds} == {
        "Direction": ["entry", "exit"],
        "DoorStateName": [
            "locked",
            "unlocking",
            "unlocked",
            "relocking",
            "jammed",
            "unavailable",
        ],
        "CameraStateName": ["connecting", "streaming", "backing_off", "refused"],
        "DoorAction": ["open", "unlock", "lock"],
        "ActuatorAction": ["pulse", "hold", "release"],
        "ActuatorPhase": ["on", "off"],
        "CallAnswer": ["let_in", "turn_away"],
        "DoorMode": ["normal", "free", "lockdown", "emergency"],
        "AlarmKind": [
            "door_forced",
            "door_held",
            "door_unlocked",
            "duress",
            "passback",
            "attempts",
            "fever",
            "mask",
            "approval_expiring",
            "clock_jump",
            "actuator",
            "mqtt",
            "sensor",
        ],
        "ModelProblem": ["missing", "altered", "unusable"],
    }
    assert set(ErrorCode) >= {
        "unauthorized",
        "protocol_too_old",
        "protocol_too_new",
        "malformed",
        "unknown_message",
        "invalid",
        "not_found",
        "conflict",
        "call_closed",
        "expired",
        "too_large",
        "unsupported_media",
        "too_many",
        "no_face",
        "several_faces",
        "face_too_small",
        "low_quality",
        "outlier_photo",
        "duplicate_subject",
        "actuator_unavailable",
        "broker_unavailable",
        "forbidden",
        "not_confirmed",
        "records_unavailable",
        "camera_unavailable",
        "model_unavailable",
        "vault_unavailable",
        "consent_required",
        "settings_invalid",
        "internal",
    }


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ('{"type": "door_command", "id": 1, "door_id": "front", "action": "open"}', "user"),
        ('{"type": "actuator_status", "door_id": "front", "available": true}', "unlocked"),
        ('{"type": "actuated", "command_id": "a", "phase": "on", "ok": true}', "error"),
    ],
)
def test_a_client_older_than_a_field_is_understood(text: str, missing: str) -> None:
    assert getattr(decode_client(text), missing) is None
