"""The action that answers a visitor."""

from __future__ import annotations

from homeassistant.exceptions import ServiceValidationError, Unauthorized
import pytest

from custom_components.facegate.protocol import AnswerCall, CallAnswer, ErrorCode, Result
from tests.integration.home import Home
from tests.integration.premises import add_site, guard
from tests.integration.scripted import ScriptedEngine


@pytest.fixture
async def site(home: Home, scripted: ScriptedEngine) -> ScriptedEngine:
    """Two doors, an area and a visitor, in Home Assistant."""
    return await add_site(home, scripted)


async def test_a_visitor_is_answered_in_the_name_of_the_user(
    home: Home, site: ScriptedEngine
) -> None:
    site.answer = lambda message: (
        Result(message.id, ok=True) if isinstance(message, AnswerCall) else None
    )
    user = await guard(home)
    found = await home.act("answer_call", user, call_id="call-1", answer="let_in")
    assert found == {"call_id": "call-1", "door_id": "front", "answer": "let_in"}
    (answered,) = site.all(AnswerCall)
    assert (answered.call_id, answered.answer, answered.user) == (
        "call-1",
        CallAnswer.LET_IN,
        "Guard",
    )


async def test_an_automation_answers_in_the_name_of_who_tapped(
    home: Home, site: ScriptedEngine
) -> None:
    site.answer = lambda message: (
        Result(message.id, ok=True) if isinstance(message, AnswerCall) else None
    )
    tapped = (await guard(home)).user_id
    await home.act("answer_call", call_id="call-1", answer="let_in", user_id=tapped)
    boss = await home.user("Boss")  # who calls it is asked for nothing, and believed nothing
    await home.act("answer_call", boss, call_id="call-1", answer="turn_away", user_id=tapped)
    assert [answered.user for answered in site.all(AnswerCall)] == ["Guard", "Boss"]


async def test_who_tapped_needs_the_right_to_open_the_door(
    home: Home, site: ScriptedEngine
) -> None:
    stranger = (await home.user("Stranger", {"entities": {}})).user_id
    boss = (await home.user("Boss")).user_id
    nobody = await home.user("Nobody", {"entities": {}})
    for context, user_id in ((None, stranger), (None, "no-such-user"), (nobody, boss)):
        with pytest.raises(Unauthorized):
            await home.act(
                "answer_call", context, call_id="call-1", answer="let_in", user_id=user_id
            )
    assert site.all(AnswerCall) == []


async def test_a_call_that_is_over_is_not_answered(home: Home, site: ScriptedEngine) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("answer_call", call_id="call-9", answer="let_in")
    assert caught.value.translation_key == "call_closed"
    site.answer = lambda message: (
        Result(message.id, ok=False, code=ErrorCode.CALL_CLOSED, message="answered already")
        if isinstance(message, AnswerCall)
        else None
    )
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("answer_call", call_id="call-1", answer="turn_away")
    assert caught.value.translation_key == "call_closed"
