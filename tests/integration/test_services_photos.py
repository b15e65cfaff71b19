"""The action that enrolls a photo."""

from __future__ import annotations

from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest
import voluptuous as vol

from custom_components.facegate.protocol import DoorStateName, DoorView, ErrorCode
from custom_components.facegate.services import files
from tests.integration.home import Home
from tests.integration.office import ANN
from tests.integration.scripted import ScriptedEngine, refused

SUBJECT = "/api/v1/subjects/subject-1"


async def test_a_photo_is_enrolled_from_a_file_that_home_assistant_may_read(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine, tmp_path: Path
) -> None:
    scripted.answers[f"POST {SUBJECT}/photos"] = ANN
    await home.add(scripted)
    photo = tmp_path / "ann.jpg"
    photo.write_bytes(b"\xff\xd8 a face")
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("enroll_photo", subject_id="subject-1", photo_path=str(photo))
    assert caught.value.translation_key == "path_not_allowed"
    assert scripted.requests == []

    hass.config.allowlist_external_dirs = {str(tmp_path)}
    found = await home.act("enroll_photo", subject_id="subject-1", photo_path=str(photo))
    assert found == ANN
    assert scripted.requests[0].content == b"\xff\xd8 a face"
    assert scripted.requests[0].query == {}
    await home.act("enroll_photo", subject_id="subject-1", photo_path=str(photo), distinct=True)
    assert scripted.requests[1].query == {"distinct": "true"}

    with pytest.raises(ServiceValidationError) as caught:
        await home.act("enroll_photo", subject_id="subject-1", photo_path=str(tmp_path / "no.jpg"))
    assert caught.value.translation_key == "file_failed"


async def test_a_photo_that_is_too_large_is_not_sent(
    hass: HomeAssistant,
    home: Home,
    scripted: ScriptedEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files, "MAX_PICTURE_BYTES", 10)
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    await home.add(scripted)
    (tmp_path / "ann.jpg").write_bytes(b"x" * 11)
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("enroll_photo", subject_id="subject-1", photo_path=str(tmp_path / "ann.jpg"))
    assert caught.value.translation_key == "too_large"
    assert scripted.requests == []


async def test_a_photo_is_enrolled_from_an_image_entity(
    home: Home, scripted: ScriptedEngine
) -> None:
    scripted.doors = (DoorView("front", "Front door", DoorStateName.LOCKED, picture_at=1.0),)
    scripted.pictures["/api/v1/doors/front/picture"] = b"\xff\xd8 a picture"
    scripted.answers[f"POST {SUBJECT}/photos"] = ANN
    await home.add(scripted)
    image = home.entity_id("image", "last_picture")
    await home.act("enroll_photo", subject_id="subject-1", photo_entity=image)
    assert scripted.requests[0].content == b"\xff\xd8 a picture"
    del scripted.pictures["/api/v1/doors/front/picture"]
    for nothing in (image, "image.of_nobody", "camera.of_nobody"):
        with pytest.raises(ServiceValidationError) as caught:
            await home.act("enroll_photo", subject_id="subject-1", photo_entity=nothing)
        assert caught.value.translation_key == "no_picture"


async def test_a_photo_has_to_be_chosen_once(home: Home, scripted: ScriptedEngine) -> None:
    await home.add(scripted)
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("enroll_photo", subject_id="subject-1")
    assert caught.value.translation_key == "no_photo"
    with pytest.raises(vol.Invalid):
        await home.act(
            "enroll_photo", subject_id="subject-1", photo_path="/a", photo_entity="image.a"
        )


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (ErrorCode.CONSENT_REQUIRED, 409),
        (ErrorCode.NO_FACE, 422),
        (ErrorCode.SEVERAL_FACES, 422),
        (ErrorCode.FACE_TOO_SMALL, 422),
        (ErrorCode.LOW_QUALITY, 422),
        (ErrorCode.OUTLIER_PHOTO, 422),
        (ErrorCode.DUPLICATE_SUBJECT, 409),
        (ErrorCode.UNSUPPORTED_MEDIA, 415),
        (ErrorCode.TOO_LARGE, 413),
    ],
)
async def test_a_photo_that_the_engine_refuses_says_why(
    hass: HomeAssistant,
    home: Home,
    scripted: ScriptedEngine,
    tmp_path: Path,
    code: ErrorCode,
    status: int,
) -> None:
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    (tmp_path / "ann.jpg").write_bytes(b"\xff\xd8")
    scripted.answers[f"POST {SUBJECT}/photos"] = refused(code, "subject-1: because", status)
    await home.add(scripted)
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("enroll_photo", subject_id="subject-1", photo_path=str(tmp_path / "ann.jpg"))
    assert caught.value.translation_key == code
    assert caught.value.translation_placeholders == {"message": "subject-1: because"}
