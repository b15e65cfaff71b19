"""What cannot be read is refused with its place, and nothing else ever happens."""

from __future__ import annotations

from contextlib import suppress
import dataclasses
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
import pytest

from facegate.api.bodies import PermitBody, PermitsBody, SubjectBody
from facegate.protocol import (
    ErrorCode,
    Hello,
    ProtocolError,
    Welcome,
    decode_body,
    decode_client,
    decode_engine,
    encode,
)
from tests.protocol.samples import BODIES, CLIENT, ENGINE

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | st.text()
    | st.sampled_from(["entry", "open", "pulse", "on", "let_in", "locked", "\ud800"])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner)
)
NAMES = sorted(
    {
        field.name
        for sample in (*CLIENT.values(), *ENGINE.values(), *BODIES.values())
        for field in dataclasses.fields(sample)
    }
)
TYPES = st.sampled_from([*CLIENT, *ENGINE, "nonsense"]) | VALUES
# Mostly right messages of which some fields are wrong reach further in than arbitrary JSON.
ALMOST = st.builds(
    lambda sample, changes, dropped: {
        name: value
        for name, value in {
            "type": sample.type,
            **json.loads(encode(sample)),
            **changes,
        }.items()
        if name not in dropped
    },
    st.sampled_from([*CLIENT.values(), *ENGINE.values()]),
    st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3),
    st.sets(st.sampled_from(NAMES), max_size=1),
)
OBJECTS = st.dictionaries(st.sampled_from([*NAMES, "type"]) | st.text(), VALUES, max_size=8)


def refusal(text: str) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        decode_client(text)
    return caught.value


def door_command(**changes: object) -> str:
    fields: dict[str, object] = {
        "type": "door_command",
        "id": 1,
        "door_id": "front",
        "action": "open",
    }
    return json.dumps({**fields, **changes})


@settings(max_examples=120, deadline=None)
@given(OBJECTS | ALMOST | VALUES)
def test_whatever_json_arrives_it_is_read_or_refused(raw: Any) -> None:
    text = json.dumps(raw)
    for read in (decode_client, decode_engine):
        with suppress(ProtocolError):
            message = read(text)
            assert read(encode(message)) == message
    for kind in (SubjectBody, PermitsBody):
        with suppress(ProtocolError):
            assert type(decode_body(text, kind)) is kind


@settings(max_examples=200, deadline=None)
@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_whatever_bytes_arrive_they_are_read_or_refused(data: bytes) -> None:
    with suppress(ProtocolError):
        decode_body(data, PermitsBody)
    with suppress(ProtocolError):
        decode_client(data.decode("utf-8", "replace"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"id": True}, "id: expected int, got bool"),
        ({"id": 1.0}, "id: expected int, got float"),
        ({"id": "1"}, "id: expected int, got str"),
        ({"id": None}, "id: expected int, got NoneType"),
        ({"door_id": 5}, "door_id: expected str, got int"),
        ({"door_id": ["front"]}, "door_id: expected str, got list"),
        ({"door_id": "\ud800"}, "door_id: half a character: not valid Unicode"),
        ({"action": "explode"}, "action: 'explode' is not one of open, unlock, lock"),
        ({"action": None}, "action: None is not one of open, unlock, lock"),
        ({"action": ["open"]}, "action: ['open'] is not one of open, unlock, lock"),
        ({"user": 5}, "user: expected str, got int"),
    ],
)
def test_a_wrong_value_is_refused_with_its_path(changes: dict[str, object], told: str) -> None:
    err = refusal(door_command(**changes))
    assert err.code is ErrorCode.INVALID
    assert str(err) == told


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", "1e999", pytest.param("1" + "0" * 400, id="1e400")]
)
@pytest.mark.parametrize("field", ["valid_from", "valid_until"])
def test_a_number_that_is_none_is_refused_with_its_path(field: str, value: str) -> None:
    body = f'{{"permits": [{{"door_id": "a"}}, {{"door_id": "b", "{field}": {value}}}]}}'
    with pytest.raises(ProtocolError) as caught:
        decode_body(body, PermitsBody)
    assert str(caught.value) == f"permits[1].{field}: not a finite number"


def test_a_boolean_is_not_a_number() -> None:
    with pytest.raises(ProtocolError, match="valid_from: expected float, got bool"):
        decode_body('{"door_id": "a", "valid_from": true}', PermitBody)


def test_a_whole_number_is_a_number() -> None:
    assert decode_body('{"door_id": "a", "valid_from": 5}', PermitBody).valid_from == 5.0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", ErrorCode.MALFORMED),
        ("{", ErrorCode.MALFORMED),
        ("[]", ErrorCode.MALFORMED),
        ("null", ErrorCode.MALFORMED),
        ('"hello"', ErrorCode.MALFORMED),
        pytest.param("[" * 200_000, ErrorCode.MALFORMED, id="lists"),
        pytest.param('{"a":' * 200_000, ErrorCode.MALFORMED, id="objects"),
        pytest.param(
            f'{{"type": "hello", "protocol": {"9" * 5000}}}', ErrorCode.MALFORMED, id="digits"
        ),
        ("{}", ErrorCode.UNKNOWN_MESSAGE),
        ('{"type": null}', ErrorCode.UNKNOWN_MESSAGE),
        ('{"type": {}}', ErrorCode.UNKNOWN_MESSAGE),
        ('{"type": "welcome"}', ErrorCode.UNKNOWN_MESSAGE),
        ('{"type": "hello"}', ErrorCode.INVALID),
        ('{"type": "hello", "protocol": 1}', ErrorCode.INVALID),
    ],
)
def test_what_is_no_message_is_refused_by_its_kind(text: str, code: ErrorCode) -> None:
    assert refusal(text).code is code


def test_an_unknown_message_is_answered_with_those_that_are_known() -> None:
    assert str(refusal('{"type": "open_sesame"}')) == (
        "unknown message type 'open_sesame';"
        " known: actuated, actuator_status, answer_call, contact_status, door_command, hello"
    )


def test_a_message_may_carry_fields_of_a_newer_protocol() -> None:
    text = '{"type": "hello", "protocol": 1, "client": "a", "mood": "sunny", "extra": {"a": [1]}}'
    assert decode_client(text) == Hello(1, "a")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            '{"name": "Ann", "admin": true}',
            (
                "admin: unknown field; known: birth_date, external_id, groups, guardians, kind,"
                " language, name, permits, unit"
            ),
        ),
        (
            '{"name": "Ann", "permits": [{"door_id": "a", "door": "b"}]}',
            (
                "permits[0].door: unknown field; known: direction, door_id, schedule_id,"
                " valid_from, valid_until"
            ),
        ),
    ],
)
def test_a_body_may_not_carry_unknown_fields(body: str, told: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_body(body, SubjectBody)
    assert caught.value.code is ErrorCode.INVALID
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("permits", "told"),
    [
        ("{}", "permits: expected a list"),
        ("null", "permits: expected a list"),
        ('"front"', "permits: expected a list"),
        ("[1]", "permits[0]: expected an object"),
        ("[null]", "permits[0]: expected an object"),
        ("[{}]", "permits[0].door_id: required"),
        (
            '[{"door_id": "a"}, {"door_id": "b", "direction": "up"}]',
            "permits[1].direction: 'up' is not one of entry, exit",
        ),
    ],
)
def test_a_mistake_deep_in_a_body_is_told_with_its_path(permits: str, told: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_body(f'{{"permits": {permits}}}', PermitsBody)
    assert str(caught.value) == told


def test_a_message_that_holds_no_number_is_never_written() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        encode(Welcome(1, "0.1.0", "site1", float("nan")))
