"""The action that tests a camera's placement waits for the engine, and returns what it found."""

from __future__ import annotations

from typing import Any

from homeassistant.exceptions import ServiceValidationError
import pytest
import voluptuous as vol

from custom_components.facegate.protocol import ErrorCode
from custom_components.facegate.services import placement
from tests.integration.home import Home
from tests.integration.premises import FRONT, add_site, guard
from tests.integration.scripted import Request, ScriptedEngine, refused

PATH = f"{FRONT}/placement"


def told(state: str, remaining_s: float) -> dict[str, Any]:
    done = state == "done"
    return {"state": state, "remaining_s": remaining_s, "passed": True if done else None}


@pytest.fixture
async def site(
    home: Home, scripted: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> ScriptedEngine:
    """Two doors; the clocks of both halves agree."""
    monkeypatch.setattr(placement, "_SPARE_S", 0)
    return await add_site(home, scripted)


async def test_the_result_is_returned_once_the_test_is_over(
    home: Home, site: ScriptedEngine
) -> None:
    site.answers[f"POST {PATH}"] = told("waiting", 0.05)
    results = iter([told("running", 0.01), told("done", 0)])
    asked: list[Request] = []

    def answer(request: Request) -> dict[str, Any]:
        asked.append(request)
        return next(results)

    site.answers[f"GET {PATH}"] = answer
    user = await home.user("Grace Höpper")
    found = await home.act(
        "test_camera_placement", user, door="lock.front_door", direction="exit", seconds=20
    )
    assert found == told("done", 0)
    assert site.requests[0].json == {"direction": "exit", "seconds": 20}
    assert [request.user for request in site.requests] == ["Grace Höpper"] * 3
    assert [request.query for request in asked] == [{"direction": "exit"}] * 2


async def test_a_test_lasts_half_a_minute_unless_told_otherwise(
    home: Home, site: ScriptedEngine
) -> None:
    site.answers[f"POST {PATH}"] = told("done", 0)
    await home.act("test_camera_placement", door="front")
    assert site.requests[0].json == {"seconds": 30}


async def test_who_controls_the_door_may_test_its_camera(home: Home, site: ScriptedEngine) -> None:
    site.answers[f"POST {PATH}"] = told("done", 0)
    assert await home.act("test_camera_placement", await guard(home), door="front")


@pytest.mark.parametrize("seconds", [4, 121, "long"])
async def test_a_time_that_no_test_lasts_is_refused(
    home: Home, site: ScriptedEngine, seconds: Any
) -> None:
    with pytest.raises(vol.Invalid):
        await home.act("test_camera_placement", door="front", seconds=seconds)
    assert site.requests == []


async def test_a_door_without_a_camera_says_so(home: Home, site: ScriptedEngine) -> None:
    site.answers[f"POST {PATH}"] = refused(ErrorCode.INVALID, "the door has no camera", 400)
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("test_camera_placement", door="front")
    assert caught.value.translation_placeholders == {"message": "the door has no camera"}


async def test_a_test_that_the_engine_forgot_ends(home: Home, site: ScriptedEngine) -> None:
    site.answers[f"POST {PATH}"] = told("running", 0)
    site.answers[f"GET {PATH}"] = refused(ErrorCode.NOT_FOUND, "no placement test", 404)
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("test_camera_placement", door="front")
    assert caught.value.translation_key == "not_found"
